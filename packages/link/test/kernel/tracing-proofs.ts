import assert from 'node:assert/strict'
import { btfBuilder } from '@tsbpf/btf'
import { btfLoad, progLoad, progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { isRoot } from '@tsbpf/testkit'
import { attachTypes, errnos, progTypes } from '@tsbpf/uapi'
import { attach, readIterator } from '../../src/index.ts'
import { cookie, mayStat, signed, unlinked, unlinkNothing } from './events.ts'
import { btfId, proveRuns, proveSection } from './proof.ts'
import { loadProgram } from './program.ts'
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

/** Makes the kernel call its functions for tests: `bpf_fentry_test1(1)` and others, by running a program for one of them. */
function callTestFunctions(): void {
  const sys = nativeSys()
  const attachBtfId = btfId('bpf_fentry_test2')
  const { fd } = loadProgram(sys, { type: 'tracing', attachType: 'trace_fentry', attachBtfId })
  try {
    progTestRun(sys, { prog_fd: fd })
  } catch {
    // Only the first function counts here: another result of it ends the run.
  } finally {
    sys.close(fd)
  }
}

/** Replaces a function of a program of our own, and runs that. */
async function proveReplacement(section: string): Promise<void> {
  const sys = nativeSys()
  const builder = btfBuilder()
  const type = builder.add({ kind: 'int', name: 'int', size: 4, signed: true })
  const proto = builder.add({ kind: 'func_proto', returnType: type, params: [{ name: 'question', type }] })
  const main = builder.add({ kind: 'func', name: 'main', type: proto, linkage: 'global' })
  const answer = builder.add({ kind: 'func', name: 'answer', type: proto, linkage: 'global' })
  const { fd: btf } = btfLoad(sys, { btf: builder.build() })
  const info = (...records: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(records).buffer)
  const { fd: asker } = progLoad(sys, {
    prog_type: progTypes.value('socket_filter'),
    insns: Uint8Array.of(
      ...[0xb7, 1, 0, 0, 0, 0, 0, 0], // main: r1 = 0
      ...[0x85, 0x10, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0], // call answer; exit
      ...[0xb7, 0, 0, 0, 42, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0], // answer: r0 = 42; exit
    ),
    license: 'GPL',
    prog_btf_fd: btf,
    func_info_rec_size: 8,
    func_info: info(0, main, 3, answer),
  })
  const ask = (): number => progTestRun(sys, { prog_fd: asker, data_in: new Uint8Array(64) }).retval
  const load = { prog_btf_fd: btf, func_info_rec_size: 8, func_info: info(0, answer) }
  try {
    const seen: number[] = []
    await proveRuns(
      {
        type: 'ext',
        returns: 7,
        load: { ...load, attach_prog_fd: asker, attach_btf_id: answer },
      },
      ({ fd, name }) =>
        attach(sys, {
          ...{ fd, name, type: 'ext', attachType: undefined, attachTo: 'answer' },
          section: `${section}/answer`,
        }),
      () => seen.push(ask()),
    )
    assert.deepEqual(seen, [7, 42])
  } finally {
    sys.close(asker)
    sys.close(btf)
  }
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
    // Which functions may sleep is a list of the kernel's; without error injection it has those for tests.
    sections: ['fentry.s', 'fexit.s', 'fmod_ret.s'],
    needs: { kernel: [6, 3], config: ['FUNCTION_TRACER', 'DYNAMIC_FTRACE_WITH_DIRECT_CALLS'], missing },
    prove: (section) =>
      proveSection(section, {
        target: 'bpf_fentry_test1',
        loadedFor: 'bpf_fentry_test1',
        notes: 0,
        event: callTestFunctions,
        look: (counter) => {
          assert.equal(signed(counter.noted()), 1n)
        },
      }),
  },
  {
    sections: ['freplace'],
    needs: { kernel: [5, 6], missing },
    prove: proveReplacement,
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
