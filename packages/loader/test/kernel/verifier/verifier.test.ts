import { buildObject, callLine, kfunc, program, r0, r2 } from '@tsbpf/asm'
import { kernelVersion, requires } from '@tsbpf/testkit'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import { describe, expect, it } from 'vitest'
import {
  explainMessage,
  loadSync,
  parseVerifierLog,
  VerifierError,
  verifierMessages,
} from '../../../src/index.ts'
import { leavesNothing } from '../kernel-objects.ts'
import { badObject, fixedObject, kernels } from './cases/case.ts'
import type { VerifierCase } from './cases/case.ts'
import { cases } from './cases/index.ts'
import type { Outcomes } from './recorded-log.ts'
import { outcomeOf, withoutPerfmon } from './recorded-log.ts'

const gate = requires({ root: true, kernel: [6, 1], commands: ['setpriv'], reason: 'loads programs' })
const running = kernels.find((kernel) => kernel === kernelVersion().join('.'))

/** There a million instructions take the verifier minutes, and thousands with a log many seconds. */
const emulated = process.env['TSBPF_VM'] !== undefined
/** The name of a source file of these tests, which are bundled for a virtual machine. */
const sourceFile = (name: string): string =>
  process.env['TSBPF_BUNDLED'] === undefined ? name : (expect.stringMatching(/\.mjs$/) as string)

/** What this kernel is known to do with the bad program: the id of a row, `loads` or `no kfunc`. */
function expected(one: VerifierCase): string {
  return (running === undefined ? undefined : one.on?.[running]) ?? one.row
}

describe.skipIf(gate.skip)(gate.title('messages of the verifier'), () => {
  it('has a program for each row of the table', () => {
    expect(cases.map(({ row }) => row).sort()).toEqual(verifierMessages.map(({ id }) => id).sort())
  })

  for (const one of cases.filter(({ withoutPerfmon }) => withoutPerfmon !== true)) {
    it.skipIf(one.slow === true && emulated)(
      `refuses and explains ${one.row}, and loads the mended twin`,
      async () => {
        await leavesNothing(() => {
          const { outcome, log = '' } = outcomeOf(badObject(one))
          if (outcome === 'refused') {
            const { message, insn } = parseVerifierLog(log)
            expect(explainMessage(message)?.id, message).toBe(expected(one))
            expect(insn === undefined || insn >= 0).toBe(true)
          } else expect(outcome).toBe(expected(one))
          if (outcome !== 'no kfunc') expect(outcomeOf(fixedObject(one))).toEqual({ outcome: 'loads' })
        })
      },
    )
  }

  it('refuses and explains what only CAP_PERFMON may do, and loads the mended twins without it', async () => {
    const restricted = cases.filter(({ withoutPerfmon }) => withoutPerfmon === true)
    expect(restricted.length).toBeGreaterThan(0)
    let outcomes: Readonly<Record<string, Outcomes>> = {}
    await leavesNothing(async () => {
      const script = new URL('record.ts', import.meta.url)
      outcomes = await firstLine(startChild(script, { args: ['restricted'], within: withoutPerfmon }))
    })
    for (const one of restricted) {
      const { bad, fixed } = outcomes[one.row]!
      expect(explainMessage(parseVerifierLog(bad.log ?? '').message)?.id).toBe(one.row)
      expect(bad.context).toMatchObject({
        message: one.row,
        lacking: expect.arrayContaining(['CAP_PERFMON']) as string[],
      })
      expect(fixed).toEqual({ outcome: 'loads' })
      // As root the same program is fine.
      expect(outcomeOf(badObject(one))).toEqual({ outcome: 'loads' })
    }
  })

  it('gives registers, stack, path and source of a refused instruction', async () => {
    await leavesNothing(() => {
      const error = refusalOf('null-check')
      expect(error).toMatchObject({
        code: 'LOADER_REJECTED',
        headline: "the kernel's verifier refuses program bad: R0 invalid mem access 'map_value_or_null'",
        insn: 6,
        function: 'bad',
        source: { file: sourceFile('access.ts'), text: 'ldxdw(r1, r0.at(0))' },
        explanation: { id: 'null-check' },
      })
      expect(error.hint).toBe(error.explanation?.fix)
      const { state, path, statistics } = error.details
      expect(state?.frame).toBe(0)
      expect(state?.registers.get('R0')).toMatch(/^map_value_or_null\(id=\d+,/)
      expect(state?.registers.has('R1')).toBe(false)
      expect(state?.stack.get(-8)).toMatch(/^0000/)
      expect(path.map(({ insn }) => insn)).toEqual([0, 1, 3, 4, 5, 6])
      expect(path.at(-1)?.text).toBe('(79) r1 = *(u64 *)(r0 +0)')
      expect(statistics?.insnLimit).toBe(1_000_000)
      expect(error.window.map(({ insn }) => insn)).toEqual([3, 4, 5, 6, 7, 8])
    })
  })

  it('keeps the arguments of a call that is refused', () => {
    const { state } = refusalOf('argument-constant').details
    expect(state?.registers.get('R2')).toMatch(/^scalar\(/)
  })

  it('names a helper that programs of this type do not have, and one that no kernel has', () => {
    const refused = refusalOf('no-such-helper')
    expect(refused).toMatchObject({ code: 'LOADER_NO_HELPER', context: { missing: 'bpf_skb_load_bytes#26' } })
    expect(refused.message).toMatch(/which this kernel does not have for programs of type xdp\n {2}at insn 0/)
    const unknown = refusalOf('no-such-helper', (insns) => insns.setInt32(4, 9999, true))
    expect(unknown).toMatchObject({ code: 'LOADER_NO_HELPER', context: { missing: 'unknown#9999' } })
    expect(unknown.message).toMatch(/calls helper unknown#9999, which this kernel does not have\n/)
  })

  it('names a weak kfunc that is called and not there', () => {
    const absent = kfunc('bpf_no_kernel_has_this', { returns: 'void', weak: true })
    const body = program('calls_it', 'tp_btf/sched_switch', (b) => b.call(absent).mov(r0, 0).exit())
    const spec = buildObject({ license: 'GPL', programs: [body] }, { resolveSite: callLine })
    expect(() => loadSync(spec)).toThrow(
      expect.objectContaining({
        code: 'LOADER_NO_KFUNC',
        headline: 'program calls_it calls kfunc bpf_no_kernel_has_this, which this kernel does not have',
        source: expect.objectContaining({ file: sourceFile('verifier.test.ts') }) as object,
      }),
    )
  })

  it.skipIf(emulated)('fetches a log that is longer than the first buffer, to its end', () => {
    const long = program('long', 'tc', (b) => {
      for (let i = 0; i < 8000; i++) b.mov(r0, i)
      b.mov(r0, r2).exit()
    })
    const spec = buildObject({ license: 'GPL', programs: [long] })
    try {
      loadSync(spec).dispose()
      expect.unreachable()
    } catch (error) {
      if (!(error instanceof VerifierError)) throw error
      expect(error).toMatchObject({ truncated: false, summary: 'R2 !read_ok', insn: 8000 })
      expect(error.log.length).toBeGreaterThan(256 * 1024)
      expect(error.log).toMatch(/^0: R1=ctx\(/m)
      // Only its end is searched, and the way to the instruction begins in its midst.
      expect(error.details.path.length).toBeGreaterThan(4000)
      expect(error.details.state?.registers.get('R0')).toMatch(/^(?:scalar\()?7999/)
    }
  })
})

function refusalOf(row: string, edit?: (insns: DataView) => void): VerifierError {
  const one = cases.find((each) => each.row === row)!
  try {
    loadSync(badObject(edit === undefined ? one : { ...one, edit })).dispose()
  } catch (error) {
    if (error instanceof VerifierError) return error
    throw error
  }
  throw new Error(`${row} loads`)
}
