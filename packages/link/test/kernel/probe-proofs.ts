import { unlinkSync } from 'node:fs'
import { nativeSys } from '@tsbpf/sys/native'
import { expect } from 'vitest'
import { attachKprobe, attachKprobeMulti, attachKsyscall } from '../../src/index.ts'
import type { CountingProgram } from './counting.ts'
import { proveRuns } from './proof.ts'
import type { Proof } from './proof.ts'

/** Offsets in struct pt_regs of x86-64 (arch/x86/include/uapi/asm/ptrace.h): the first argument, and the result. */
const [rdi, rax] = [112, 80]
const atWorkingDirectory = -100n
const noEntry = -2n
const ofProcess = process.pid
const cookie = 0x1234_5678_9abc_def0n

/** Asks the kernel to unlink a file that is not there: `do_unlinkat(AT_FDCWD, …)` gives -ENOENT. */
export function unlinkNothing(): void {
  expect(() => {
    unlinkSync('/no/such/file')
  }).toThrow('ENOENT')
}

const signed = (value: bigint): bigint => BigInt.asIntN(32, value)

export const probeProofs: readonly Proof[] = [
  {
    sections: ['kprobe', 'kretprobe'],
    needs: { config: ['KPROBE_EVENTS'] },
    async prove(section) {
      const retprobe = section === 'kretprobe'
      const test: CountingProgram = { type: 'kprobe', ofProcess, notes: retprobe ? rax : rdi }
      const attach = (program: { fd: number; name: string }, options = {}): ReturnType<typeof attachKprobe> =>
        attachKprobe(nativeSys(), program, 'do_unlinkat', { retprobe, ...options })
      await proveRuns(test, attach, unlinkNothing, (counter, link) => {
        expect(counter.runs()).toBe(1)
        expect(signed(counter.noted())).toBe(retprobe ? noEntry : atWorkingDirectory)
        expect(link.info()).toMatchObject({ kind: section, type: 'perf_event' })
      })
      await proveRuns(
        { ...test, notes: 'cookie' },
        (program) => attach(program, { cookie }),
        unlinkNothing,
        (counter) => {
          expect(counter.noted()).toBe(cookie)
        },
      )
    },
  },
  {
    sections: ['ksyscall', 'kretsyscall'],
    needs: { config: ['KPROBE_EVENTS'] },
    async prove(section) {
      const retprobe = section === 'kretsyscall'
      await proveRuns(
        { type: 'kprobe', ofProcess, notes: rax },
        (program) => attachKsyscall(nativeSys(), program, 'unlink', { retprobe }),
        unlinkNothing,
        (counter) => {
          expect(counter.runs()).toBe(1)
          if (retprobe) expect(counter.noted()).toBe(BigInt.asUintN(64, noEntry))
        },
      )
    },
  },
  {
    sections: ['kprobe.multi', 'kretprobe.multi'],
    needs: { kernel: [5, 18], config: ['FPROBE'] },
    async prove(section) {
      const retprobe = section === 'kretprobe.multi'
      for (const target of ['do_unlinka?', ['do_unlinkat', 'vfs_unlink']]) {
        await proveRuns(
          {
            type: 'kprobe',
            attachType: 'trace_kprobe_multi',
            ofProcess,
            notes: typeof target === 'string' ? (retprobe ? rax : rdi) : 'cookie',
          },
          (program) =>
            attachKprobeMulti(nativeSys(), program, target, {
              retprobe,
              ...(typeof target === 'string' ? {} : { cookies: [cookie, 2n] }),
            }),
          unlinkNothing,
          (counter, link) => {
            expect(counter.runs()).toBe(1)
            const noted = counter.noted()
            if (typeof target === 'string')
              expect(signed(noted)).toBe(retprobe ? noEntry : atWorkingDirectory)
            else expect(noted).toBe(cookie)
            expect(link.info().type).toBe('kprobe_multi')
          },
        )
      }
    },
  },
  {
    sections: ['kprobe.session'],
    needs: { kernel: [6, 10], config: ['FPROBE'] },
    async prove() {
      // What the entry returns decides whether the return is wanted.
      for (const [returns, runs] of [
        [0, 2],
        [1, 1],
      ] as const) {
        await proveRuns(
          { type: 'kprobe', attachType: 'trace_kprobe_session', ofProcess, returns },
          (program) => attachKprobeMulti(nativeSys(), program, ['do_unlinkat'], { session: true }),
          unlinkNothing,
          (counter) => {
            expect(counter.runs()).toBe(runs)
          },
        )
      }
    },
  },
]
