import assert from 'node:assert/strict'
import { progLoad } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { isRoot } from '@tsbpf/testkit'
import { attachTypes, errnos, progTypes } from '@tsbpf/uapi'
import { readIterator } from '../../src/index.ts'
import { cookie, mayStat, signed, unlinked, unlinkNothing } from './events.ts'
import { btfId, proveSection } from './proof.ts'
import type { Proof } from './proof.ts'

const ofProcess = process.pid
const noPermission = -1

/**
 * Why this kernel takes no program that runs from its own functions, although it was built for it and this is root:
 * `undefined` where it takes them. A locked-down kernel may forbid what CAP_BPF and CAP_PERFMON allow.
 */
function forbidden(): string | undefined {
  if (!isRoot) return undefined
  const sys = nativeSys()
  const { fd } = progLoad(sys, {
    prog_type: progTypes.value('tracing'),
    expected_attach_type: attachTypes.value('trace_fentry'),
    attach_btf_id: btfId('do_unlinkat'),
    insns: Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0), // r0 = 0; exit
    license: 'GPL',
  })
  if (fd >= 0) sys.close(fd)
  return fd === -errnos.value('EPERM') ? 'this kernel forbids it to root: EPERM' : undefined
}
export const missing: string | false = forbidden() ?? false

/** Denies {@link mayStat} to this process, by what a program returns. */
async function proveDenial(section: string, target: string, loadedFor: string): Promise<void> {
  let denied = 0
  await proveSection(section, {
    target,
    loadedFor,
    ofProcess,
    returns: noPermission,
    event: () => (denied += mayStat() ? 0 : 1),
    look: () => {
      assert.equal(denied, 1)
    },
  })
  assert.equal(denied, 1, 'what was detached denies no more')
}

export const tracingProofs: readonly Proof[] = [
  {
    sections: ['tracepoint', 'tp'],
    needs: { kernel: [5, 15] },
    prove: (section) =>
      proveSection(section, {
        target: 'raw_syscalls/sys_enter',
        ofProcess,
        notes: 'cookie',
        options: { cookie },
        event: unlinkNothing,
        look: (counter, link) => {
          assert.equal(counter.noted(), cookie)
          assert.equal(link.info().type, 'perf_event')
        },
      }),
  },
  {
    sections: ['raw_tracepoint', 'raw_tp', 'raw_tracepoint.w', 'raw_tp.w'],
    needs: { kernel: [5, 2] },
    prove: (section) => proveSection(section, { target: 'sys_enter', ofProcess, event: unlinkNothing }),
  },
  {
    sections: ['tp_btf'],
    needs: { kernel: [5, 5] },
    prove: (section) =>
      proveSection(section, {
        target: 'sys_enter',
        loadedFor: 'btf_trace_sys_enter',
        ofProcess,
        event: unlinkNothing,
      }),
  },
  {
    sections: ['fentry', 'fexit'],
    needs: { kernel: [6, 0], config: ['FUNCTION_TRACER', 'DYNAMIC_FTRACE_WITH_DIRECT_CALLS'], missing },
    async prove(section) {
      const test = { target: 'do_unlinkat', loadedFor: 'do_unlinkat', ofProcess, event: unlinkNothing }
      // The context is the arguments, and at the exit the result behind the two.
      const [notes, seen] = section === 'fexit' ? [16, unlinked.result] : [0, unlinked.dfd]
      await proveSection(section, {
        ...test,
        notes,
        look: (counter) => {
          assert.equal(counter.runs(), 1)
          assert.equal(signed(counter.noted()), seen)
        },
      })
      await proveSection(section, {
        ...test,
        notes: 'cookie',
        options: { cookie },
        look: (counter) => {
          assert.equal(counter.noted(), cookie)
        },
      })
    },
  },
  {
    sections: ['fmod_ret'],
    needs: {
      kernel: [5, 7],
      config: ['FUNCTION_TRACER', 'DYNAMIC_FTRACE_WITH_DIRECT_CALLS', 'SECURITY'],
      missing,
    },
    prove: (section) => proveDenial(section, 'security_inode_getattr', 'security_inode_getattr'),
  },
  {
    sections: ['lsm', 'lsm.s'],
    needs: { kernel: [5, 11], config: ['BPF_LSM', 'FUNCTION_TRACER'], missing },
    prove: (section) => proveDenial(section, 'inode_getattr', 'bpf_lsm_inode_getattr'),
  },
  {
    sections: ['iter', 'iter.s'],
    needs: { kernel: [5, 18] },
    prove: (section) =>
      proveSection(section, {
        target: 'task',
        loadedFor: 'bpf_iter_task',
        options: { task: { pid: process.pid } },
        // Reading makes the program run, which prints nothing; a detached one cannot be read.
        event: (link) => {
          if (!link.detached) assert.deepEqual([...readIterator(nativeSys(), link)], [])
        },
        look: (counter, link) => {
          assert.equal(link.info().type, 'iter')
          assert(counter.runs() < 100, 'it walks the threads of this process only')
        },
      }),
  },
]
