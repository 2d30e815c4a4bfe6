import { isTsbpfError } from '@tsbpf/base'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { load, loadSync } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectSpec } from './objects.ts'
import { runOnPacket } from './test-run.ts'

/** A sandboxed 6.18 refuses what needs a trampoline, by EPERM to root, whatever the program. */
function refusesTrampolines(): boolean {
  const root = process.getuid?.() === 0
  if (!root) return false
  using bpf = loadSync(objectSpec('replaced'))
  try {
    loadSync(objectSpec('replacement'), {
      programs: ['watch'],
      override: { watch: { target: bpf.program('ask') } },
    }).dispose()
    return false
  } catch (error) {
    return isTsbpfError(error, 'LOADER_DENIED') && error.context['errno'] === 'EPERM'
  }
}

const gate = requires({ root: true, kernel: [5, 6], reason: 'replaces functions of programs' })
const trampolines = requires({
  root: true,
  kernel: [5, 6],
  missing: !gate.skip && refusesTrampolines(),
  reason: 'replaces functions of programs, which this kernel refuses (EPERM)',
})

const throwing = requires({ root: true, kernel: [6, 7], reason: 'throws exceptions' })

describe.skipIf(trampolines.skip)(trampolines.title('freplace'), () => {
  it('replaces a function of a loaded program until it is detached', async () => {
    await leavesNothing(async () => {
      await using bpf = await load(objectSpec('replaced'))
      const ask = bpf.program('ask')
      expect(runOnPacket(ask)).toBe(1)
      await using other = await load(objectSpec('replacement'), {
        programs: ['other_answer'],
        override: { other_answer: { target: ask } },
      })
      const link = other.program('other_answer').attach()
      expect(link.info()).toMatchObject({ kind: 'freplace', target: 'answer', type: 'tracing' })
      expect(runOnPacket(ask)).toBe(42)
      link.detach()
      expect(runOnPacket(ask)).toBe(1)
    })
  })

  it('watches a function of a program', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('replaced'))
      const override = { watch: { target: bpf.program('ask') } }
      using other = loadSync(objectSpec('replacement'), { programs: ['watch'], override })
      using link = other.program('watch').attach()
      expect(link.info()).toMatchObject({ kind: 'trace_fexit', type: 'tracing' })
      expect(runOnPacket(bpf.program('ask'))).toBe(1)
    })
  })
})

describe.skipIf(gate.skip)(gate.title('what section names say'), () => {
  it('can be said otherwise', async () => {
    await leavesNothing(() => {
      const override = { ask: { type: 'sched_cls', logLevel: 1, flags: 0 } }
      using bpf = loadSync(objectSpec('replaced'), { override })
      expect(bpf.program('ask').type).toBe('sched_cls')
      expect(bpf.program('ask').info().type).toBe('sched_cls')
      expect(bpf.program('ask').log).toContain('processed')
    })
  })

  it('says what of freplace is missing', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('replaced'))
      const spec = objectSpec('replacement')
      expect(() => loadSync(spec, { programs: ['other_answer'] })).toThrow(
        expect.objectContaining({ code: 'LOADER_NO_TARGET_PROGRAM' }),
      )
      const override = { other_answer: { target: bpf.program('ask'), attachTo: 'question' } }
      expect(() => loadSync(spec, { programs: ['other_answer'], override })).toThrow(
        "program other_answer: the target program's BTF has no func question",
      )
      expect(() => loadSync(spec, { override: { nobody: {} } })).toThrow(
        expect.objectContaining({ code: 'LOADER_UNKNOWN_PROGRAM' }),
      )
    })
  })

  it.skipIf(throwing.skip)(throwing.title('names exception callbacks'), async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('throws'))
      expect(runOnPacket(bpf.program('guarded'))).toBe(105)
    })
  })
})
