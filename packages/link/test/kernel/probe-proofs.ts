import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cookie, registers, signed, spin, unlinked, unlinkNothing } from './events.ts'
import { attachKprobeMulti } from '../../src/index.ts'
import { nativeSys } from '@tsbpf/sys/native'
import { proveRuns, proveSection } from './proof.ts'
import type { Proof } from './proof.ts'

const ofProcess = process.pid
const isReturn = (section: string): boolean => /^[ku]ret/.test(section)

/** `umask` of the C library, which Node calls and nothing else does. */
const umask = { ofProcess, event: () => process.umask(0o022) }

export const probeProofs: readonly Proof[] = [
  {
    sections: ['kprobe', 'kretprobe'],
    needs: { kernel: [4, 17], config: ['KPROBE_EVENTS'] },
    async prove(section) {
      const [notes, seen] = isReturn(section)
        ? [registers.rax, unlinked.result]
        : [registers.rdi, unlinked.dfd]
      const test = { target: 'do_unlinkat', ofProcess, event: unlinkNothing }
      await proveSection(section, {
        ...test,
        notes,
        look: (counter, link) => {
          assert.equal(counter.runs(), 1)
          assert.equal(signed(counter.noted()), seen)
          assert.equal(link.info().kind, section)
          assert.equal(link.info().type, 'perf_event')
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
    sections: ['ksyscall', 'kretsyscall'],
    needs: { kernel: [4, 17], config: ['KPROBE_EVENTS'] },
    prove: (section) =>
      proveSection(section, {
        target: 'unlink',
        ofProcess,
        notes: registers.rax,
        event: unlinkNothing,
        look: (counter) => {
          assert.equal(counter.runs(), 1)
          if (isReturn(section)) assert.equal(signed(counter.noted()), unlinked.result)
        },
      }),
  },
  {
    sections: ['kprobe.multi', 'kretprobe.multi'],
    needs: { kernel: [5, 18], config: ['FPROBE'] },
    async prove(section) {
      const retprobe = isReturn(section)
      const [notes, seen] = retprobe ? [registers.rax, unlinked.result] : [registers.rdi, unlinked.dfd]
      await proveSection(section, {
        target: 'do_unlinka?',
        ofProcess,
        notes,
        event: unlinkNothing,
        look: (counter, link) => {
          assert.equal(counter.runs(), 1)
          assert.equal(signed(counter.noted()), seen)
          assert.equal(link.info().type, 'kprobe_multi')
        },
      })
      await proveRuns(
        { type: 'kprobe', attachType: 'trace_kprobe_multi', ofProcess, notes: 'cookie' },
        (program) => {
          const options = { retprobe, cookies: [1n, cookie] }
          return attachKprobeMulti(nativeSys(), program, ['vfs_unlink', 'do_unlinkat'], options)
        },
        unlinkNothing,
        (counter) => {
          assert.equal(counter.noted(), cookie)
        },
      )
    },
  },
  {
    sections: ['kprobe.session'],
    needs: { kernel: [6, 10], config: ['FPROBE'] },
    async prove(section) {
      // What the entry returns decides whether the return is wanted.
      for (const [returns, runs] of [
        [0, 2],
        [1, 1],
      ] as const) {
        await proveSection(section, {
          target: 'do_unlinka?',
          ofProcess,
          returns,
          event: unlinkNothing,
          look: (counter) => {
            assert.equal(counter.runs(), runs)
          },
        })
      }
    },
  },
  {
    sections: ['uprobe', 'uretprobe', 'uprobe.s', 'uretprobe.s'],
    needs: { kernel: [6, 0], config: ['UPROBE_EVENTS'] },
    async prove(section) {
      for (const pid of [process.pid, undefined]) {
        await proveSection(section, {
          ...umask,
          target: 'libc.so.6:umask',
          notes: 'cookie',
          options: pid === undefined ? { cookie } : { cookie, pid },
          look: (counter, link) => {
            assert.equal(counter.noted(), cookie)
            assert.equal(link.info().type, 'perf_event')
          },
        })
      }
    },
  },
  {
    sections: ['uprobe.multi', 'uretprobe.multi', 'uprobe.multi.s', 'uretprobe.multi.s'],
    needs: { kernel: [6, 6], config: ['UPROBE_EVENTS'] },
    prove: (section) =>
      proveSection(section, {
        ...umask,
        target: 'libc.so.6:umas?',
        options: { pid: process.pid },
        look: (_counter, link) => {
          assert.equal(link.info().type, 'uprobe_multi')
        },
      }),
  },
  {
    sections: ['uprobe.session', 'uprobe.session.s'],
    needs: { kernel: [6, 13], config: ['UPROBE_EVENTS'] },
    async prove(section) {
      // What the entry returns decides whether the return is wanted.
      for (const [returns, runs] of [
        [0, 2],
        [1, 1],
      ] as const) {
        await proveSection(section, {
          ...umask,
          target: 'libc.so.6:umas?',
          options: { pid: process.pid },
          returns,
          look: (counter, link) => {
            assert.equal(counter.runs(), runs)
            assert.equal(link.info().kind, 'uprobe_session')
          },
        })
      }
    },
  },
  {
    sections: ['usdt', 'usdt.s'],
    needs: { kernel: [6, 0], config: ['UPROBE_EVENTS'], commands: ['python3'] },
    prove: (section) =>
      proveSection(section, {
        // Python fires it where its semaphore says that somebody listens.
        target: '/usr/bin/python3:python:gc__start',
        notes: 'cookie',
        options: { cookie },
        event: () => {
          execFileSync('/usr/bin/python3', ['-c', 'import gc; gc.collect()'])
        },
        look: (counter, link) => {
          assert.equal(counter.noted(), cookie)
          assert.equal(link.info().kind, 'usdt')
        },
      }),
  },
  {
    sections: ['perf_event'],
    needs: { kernel: [4, 9] },
    prove: (section) =>
      proveSection(section, {
        options: { target: 'cpu_clock', frequency: 4000, pid: process.pid },
        ofProcess,
        event: spin,
      }),
  },
]
