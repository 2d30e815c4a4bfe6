import { buildObject, helpers, program, r0, r1, r2, r3, r6, w0 } from '@tsbpf/asm'
import type { FunctionBody } from '@tsbpf/asm'
import { isTsbpfError } from '@tsbpf/base'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { loadSync } from '../../src/index.ts'
import type { LoadedProgram } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'

const gate = requires({ root: true, kernel: [5, 14], reason: 'runs programs on given input' })

/** Loads a program, and leaves nothing of it. */
async function withProgram(
  section: string,
  body: FunctionBody,
  use: (program: LoadedProgram) => void,
): Promise<void> {
  await leavesNothing(() => {
    using bpf = loadSync(buildObject({ license: 'GPL', programs: [program('subject', section, body)] }))
    use(bpf.program('subject'))
  })
}

/** Writes 0xaa to the first byte of the packet, and lets it go back. */
const markPacket: FunctionBody = (b) => {
  b.ldxw(r2, r1.at(0)).ldxw(r3, r1.at(4)).mov(r0, r2).add(r0, 14).jgt(r0, r3, 'short')
  b.stb(r2.at(0), 0xaa).mov(w0, 3).exit()
  b.label('short').mov(w0, 1).exit()
}

describe.skipIf(gate.skip)(gate.title('a loaded program on given input'), () => {
  it('gives back what it returned, and the packet', async () => {
    await withProgram('xdp', markPacket, (subject) => {
      const data = Uint8Array.from({ length: 64 }, (_, i) => i)
      const result = subject.testRun({ data, repeat: 3 })
      expect(result).toEqual({
        returnValue: 3,
        duration: expect.any(Number) as number,
        data: Uint8Array.of(0xaa, ...data.subarray(1)),
        context: undefined,
      })
      expect(data[0]).toBe(0)
    })
  })

  it('lets the packet grow by what it has room for', async () => {
    const grow: FunctionBody = (b) => {
      b.mov(r2, 32).call(helpers.xdp_adjust_tail).exit()
    }
    await withProgram('xdp', grow, (subject) => {
      const data = new Uint8Array(64).fill(1)
      const { data: grown } = subject.testRun({ data })
      expect(grown).toEqual(Uint8Array.of(...data, ...new Uint8Array(32)))
      expect(() => subject.testRun({ data, growth: 16 })).toThrow(/ENOSPC/)
    })
  })

  it('gives back the context, of which the caller keeps the one it gave', async () => {
    const mark = 8
    const body: FunctionBody = (b) => {
      b.ldxw(r2, r1.at(mark)).add(r2, 1).stxw(r1.at(mark), r2).mov(r0, 5).exit()
    }
    await withProgram('tc', body, (subject) => {
      const context = new Uint8Array(192)
      context[mark] = 41
      const { returnValue, context: after } = subject.testRun({ data: new Uint8Array(64), context })
      expect(returnValue).toBe(5)
      expect(after?.[mark]).toBe(42)
      expect(context[mark]).toBe(41)
    })
  })

  it('gives back the context of a program of type syscall', async () => {
    const body: FunctionBody = (b) => {
      b.ldxdw(r2, r1.at(0)).add(r2, r2).stxdw(r1.at(0), r2).mov(r0, 0).exit()
    }
    await withProgram('syscall', body, (subject) => {
      const context = new Uint8Array(BigUint64Array.of(21n).buffer)
      const { context: after } = subject.testRun({ context })
      expect(after).toEqual(new Uint8Array(BigUint64Array.of(42n).buffer))
      expect(context[0]).toBe(21)
    })
  })

  it('runs raw tracepoints with arguments, on the processor that is asked for', async () => {
    const body: FunctionBody = (b) => {
      b.ldxdw(r6, r1.at(8)).call(helpers.get_smp_processor_id).add(r0, r6).exit()
    }
    await withProgram('raw_tp/sys_enter', body, (subject) => {
      const context = new Uint8Array(BigUint64Array.of(0n, 100n).buffer)
      expect(subject.testRun({ context, cpu: 1 }).returnValue).toBe(101)
      expect(subject.testRun({ context, cpu: 0 }).returnValue).toBe(100)
    })
  })

  it('tells how long it takes', async () => {
    await withProgram('xdp', markPacket, (subject) => {
      const data = new Uint8Array(64)
      const { median, least, most, rounds, repeat } = subject.benchmark({ data, repeat: 1000, rounds: 3 })
      expect([rounds, repeat]).toEqual([3, 1000])
      expect(least).toBeLessThanOrEqual(median)
      expect(median).toBeLessThanOrEqual(most)
      expect(most).toBeGreaterThan(0)
    })
  })

  it('says of which types the kernel runs none, and what does not fit', async () => {
    await withProgram(
      'tracepoint/raw_syscalls/sys_enter',
      (b) => b.mov(r0, 0).exit(),
      (subject) => {
        try {
          subject.testRun()
          expect.unreachable()
        } catch (error) {
          expect(isTsbpfError(error, 'LOADER_NO_TEST_RUN')).toBe(true)
          expect(String(error)).toContain('type tracepoint')
        }
      },
    )
    await withProgram('xdp', markPacket, (subject) => {
      expect(() => subject.testRun({ data: new Uint8Array(4) })).toThrow(/EINVAL/)
    })
  })
})
