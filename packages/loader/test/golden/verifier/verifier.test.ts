import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { explainMessage, parseVerifierLog, verifierMessages } from '../../../src/index.ts'
import { kernels } from '../../kernel/verifier/cases/case.ts'
import { cases } from '../../kernel/verifier/cases/index.ts'
import type { RecordedLog } from '../../kernel/verifier/recorded-log.ts'

interface Recording {
  readonly release: string
  readonly logs: Readonly<Record<string, RecordedLog>>
}

const recordings = new Map(
  kernels.map((kernel) => {
    const text = readFileSync(new URL(`${kernel}.json`, import.meta.url), 'utf8')
    return [kernel, JSON.parse(text) as Recording]
  }),
)

describe.each(kernels)('what kernel %s says of the bad programs', (kernel) => {
  const { release, logs } = recordings.get(kernel)!

  it('was recorded for each case', () => {
    expect(release.startsWith(`${kernel}.`)).toBe(true)
    const recorded = cases.filter(({ slow }) => slow !== true || kernel === '6.18')
    expect(Object.keys(logs)).toEqual(recorded.map(({ row }) => row))
  })

  it.each(cases.filter(({ row }) => logs[row] !== undefined))('$row', (one) => {
    const { outcome, log = '' } = logs[one.row]!
    const expected = one.on?.[kernel] ?? one.row
    if (outcome !== 'refused') {
      expect(outcome).toBe(expected)
      return
    }
    const { message, insn, insnText, path, state, statistics } = parseVerifierLog(log)
    expect(explainMessage(message)?.id, message).toBe(expected)
    expect(statistics?.insnLimit).toBe(1_000_000)
    // No line of state, source or progress is taken for the message.
    expect(message).not.toMatch(/R\d+(?:_\w+)?=[a-z0-9]+\(|^;|mark_precise|processed/m)
    if (path.length === 0) return
    expect([insn, insnText]).toEqual([path.at(-1)?.insn, path.at(-1)?.text])
    expect(insnText).toMatch(/^\([0-9a-f]{2}\) [^;]+$/)
    // A long log was cut for the golden, and the state and line that it begins with are gone.
    if (!/^0: R1=/m.test(log)) return
    expect(state?.registers.get('R10')).toBe('fp0')
    expect(path.at(-1)?.source?.text).toMatch(/^\w+\(/)
  })
})

it('the table spells each message as 6.18 does', () => {
  for (const { id, message, pattern } of verifierMessages) {
    expect(recordings.get('6.18')?.logs[id]?.log, id).toContain(`${message}\n`)
    expect(message, id).toMatch(pattern)
    // The first row that fits is the one.
    expect(explainMessage(message)?.id).toBe(id)
  }
})
