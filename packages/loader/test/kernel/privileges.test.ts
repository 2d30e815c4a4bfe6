import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { createMap } from '@tsbpf/maps'
import { requires } from '@tsbpf/testkit'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import { nextId } from '@tsbpf/sys'
import type { CapabilityName } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { mapTypes } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { operationPrivileges } from '../../src/index.ts'
import type { OperationPrivilege } from '../../src/index.ts'
import type { Given } from './try-operations.ts'
import { tryOperations } from './try-operations.ts'

const nobody = 65_534
const three: readonly CapabilityName[] = ['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_ADMIN']

/** A process and what it may do. */
interface Profile {
  readonly name: string
  readonly uid: number
  /** All there are for `undefined`. */
  readonly capabilities: readonly CapabilityName[] | undefined
}

const profiles: readonly Profile[] = [
  { name: 'root', uid: 0, capabilities: undefined },
  { name: 'root with only CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN', uid: 0, capabilities: three },
  { name: 'another user with these three', uid: nobody, capabilities: three },
]

/** Where nobody has mounted tracefs, a mount namespace of its own has it. */
const mounted = 'mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing; exec "$@"'

/** The command that makes a process so. */
function within({ uid, capabilities = [] }: Profile): readonly string[] {
  const names = capabilities.map((name) => `,+${name.slice('CAP_'.length).toLowerCase()}`).join('')
  const ids = uid === 0 ? [] : [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']
  return [
    ...['unshare', '--mount', 'sh', '-c', mounted, 'sh'],
    'setpriv',
    ...ids,
    `--inh-caps=-all${names}`,
    `--ambient-caps=-all${names}`,
    `--bounding-set=-all${names}`,
  ]
}

function lacking({ capabilities }: Profile, { capabilities: wanted }: OperationPrivilege): readonly string[] {
  return capabilities === undefined ? [] : wanted.filter((name) => !capabilities.includes(name))
}

const setting = (path: string): number => Number(readFileSync(`/proc/sys/kernel/${path}`, 'utf8'))
/** Then capabilities do not decide. */
const addressesDecided = setting('kptr_restrict') === 2 || setting('perf_event_paranoid') < 2
const openBpf = setting('unprivileged_bpf_disabled') === 0

const readable =
  process.geteuid?.() === 0 &&
  spawnSync(process.execPath, ['-e', `fs.readdirSync(${JSON.stringify(import.meta.dirname)})`], {
    uid: nobody,
    gid: nobody,
  }).status === 0
const gate = requires({
  root: true,
  kernel: [6, 6],
  commands: ['setpriv', 'unshare', 'mountpoint'],
  missing: !readable || addressesDecided || openBpf,
  reason: 'a folder that other users can read, and settings of the kernel that restrict them',
})

async function outcomes(profile: Profile): Promise<Readonly<Record<string, string>>> {
  const sys = nativeSys()
  const folder = `/sys/fs/bpf/tsbpf-privileges-${process.pid}`
  mkdirSync(folder, { mode: 0o700 })
  const shape = { type: 'array', typeValue: mapTypes.value('array'), keySize: 4, valueSize: 4, maxEntries: 1 }
  const map = createMap(sys, { name: 'by_id', kernelName: 'by_id', flags: 0, ...shape })
  try {
    const given: Given = { folder, mapId: map.info().id, btfId: nextId(sys, 'btf', 0) ?? 0 }
    if (profile.capabilities === undefined) return tryOperations(given)
    const script = new URL('child/operations.ts', import.meta.url)
    const args = [JSON.stringify(given)]
    return await firstLine(startChild(script, { args, within: within(profile) }))
  } finally {
    map[Symbol.dispose]()
    rmdirSync(folder)
  }
}

describe.skipIf(gate.skip)(gate.title('the table of privileges'), () => {
  it.each(profiles)('holds for $name', async (profile) => {
    const told = await outcomes(profile)
    expect(Object.keys(told).sort()).toEqual(operationPrivileges.map(({ id }) => id).sort())
    for (const row of operationPrivileges) {
      const missing = lacking(profile, row)
      const said = told[row.id]!
      if (missing.length > 0) {
        expect(said, row.id).toMatch(/EPERM|EACCES/)
        for (const name of missing) expect(said, row.id).toContain(name)
      } else if (row.file !== undefined && profile.uid !== 0) {
        // It names the file whose permissions decide.
        expect(said, row.id).toMatch(/EPERM|EACCES/)
        expect(said, row.id).toContain(row.file)
      } else expect(said, row.id).toBe('allowed')
    }
  })
})
