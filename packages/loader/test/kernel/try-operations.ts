import { closeSync, openSync, readSync, unlinkSync } from 'node:fs'
import { buildObject, global, program, r0, r1, r10, u64 } from '@tsbpf/asm'
import { isTsbpfError } from '@tsbpf/base'
import { btfBuilder } from '@tsbpf/btf'
import { attachTracepoint } from '@tsbpf/link'
import {
  btfLoad,
  checked,
  enableStats,
  fdById,
  nextId,
  objPin,
  progQuery,
  progTestRun,
  tracefs,
} from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { createMap } from '@tsbpf/maps'
import { attachTypes, mapTypes } from '@tsbpf/uapi'
import { loadSync } from '../../src/index.ts'
import type { LoadedObject } from '../../src/index.ts'

const sys = nativeSys()
/** What only the parent of a restricted process may make or list. */
export interface Given {
  /** A folder of root's for pins. */
  readonly folder: string
  /** Ids of a map and of a BTF object. */
  readonly mapId: number
  readonly btfId: number
}

function mapAlone(type: 'hash' | 'sockmap'): Disposable {
  const typeValue = mapTypes.value(type)
  const sizes = { keySize: 4, valueSize: 4, maxEntries: 1 }
  return createMap(sys, { name: 'alone', kernelName: 'alone', type, typeValue, flags: 0, ...sizes })
}

/** A program of a section, alone in its object. */
function loaded(section: string, result = 0): LoadedObject {
  const body = program('operation', section, (b) => b.mov(r0, result).exit())
  return loadSync({ ...buildObject({ license: 'GPL', programs: [body] }), btf: undefined })
}

const attempts: Readonly<Record<string, (given: Given) => unknown>> = {
  'create-map': () => mapAlone('hash')[Symbol.dispose](),
  'create-network-map': () => mapAlone('sockmap')[Symbol.dispose](),
  'load-btf': () => {
    const types = btfBuilder()
    types.add({ kind: 'int', name: 'int', size: 4 })
    sys.close(checked(btfLoad(sys, { btf: types.open({ littleEndian: true }).bytes }).fd, 'bpf', 'btf_load'))
  },
  'load-socket-filter': () => loaded('socket').dispose(),
  'load-other': () => loaded('syscall').dispose(),
  'load-tracing': () => loaded('tracepoint/raw_syscalls/sys_enter').dispose(),
  'load-network': () => loaded('xdp', 2).dispose(),
  'leak-pointers': () => {
    const stored = global('stored', u64)
    const leak = program('leak', 'socket', (b) => b.lddw(r1, stored).stxdw(r1.at(0), r10).mov(r0, 0).exit())
    loadSync(buildObject({ license: 'GPL', programs: [leak] })).dispose()
  },
  'read-tracepoint-id': () => tracefs(sys).dispose(),
  'attach-tracepoint': () => {
    using object = loaded('tracepoint/raw_syscalls/sys_enter')
    const { fd, name } = object.program('operation')
    attachTracepoint(sys, { fd, name }, 'raw_syscalls/sys_enter').dispose()
  },
  'test-run': () => {
    using object = loaded('xdp', 2)
    progTestRun(sys, { prog_fd: object.program('operation').fd, data_in: new Uint8Array(64) })
  },
  'query-attached': () =>
    progQuery(sys, { target_ifindex: 1, attach_type: attachTypes.value('tcx_ingress') }),
  'list-ids': () => nextId(sys, 'prog', 0),
  'open-by-id': ({ mapId }) => sys.close(fdById(sys, 'map', mapId)),
  'open-btf': ({ btfId }) => sys.close(fdById(sys, 'btf', btfId)),
  'run-statistics': () => sys.close(enableStats(sys)),
  pin: ({ folder }) => {
    using object = loaded('socket')
    objPin(sys, `${folder}/pinned`, object.program('operation').fd)
    unlinkSync(`${folder}/pinned`)
  },
  // Nothing fails where addresses are hidden: they are all zeroes.
  'kernel-addresses': () => {
    const fd = openSync('/proc/kallsyms', 'r')
    const address = new Uint8Array(16)
    readSync(fd, address)
    closeSync(fd)
    if (new TextDecoder().decode(address) === '0'.repeat(16)) throw new Error('EPERM: no CAP_SYSLOG')
  },
}

/** Tries each operation of the table of privileges: `allowed`, or what its error says, by the operation's id. */
export function tryOperations(given: Given): Readonly<Record<string, string>> {
  const told: Record<string, string> = {}
  for (const [id, attempt] of Object.entries(attempts)) {
    try {
      attempt(given)
      told[id] = 'allowed'
    } catch (error) {
      told[id] = isTsbpfError(error) ? `${error.code}: ${error.message}; ${error.hint ?? ''}` : String(error)
    }
  }
  return told
}
