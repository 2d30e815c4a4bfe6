import { kernelVersion } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { rows } from './proofs.ts'
import table from './proofs.json' with { type: 'json' }

const kernel = kernelVersion().join('.')
/** What docs/support.md says about this kernel. */
const listed = Object.entries(table).flatMap(([section, kernels]) =>
  kernels.includes(kernel) ? [section] : [],
)

describe('kinds of attachment, each by its section name', () => {
  for (const { section, gate, proof } of rows) {
    it.skipIf(gate.skip)(gate.title(section), () => proof.prove(section))
  }
})

describe('the table of proofs, which docs/support.md shows', () => {
  it('has a proof for each row, and a row for each proof', () => {
    expect(rows.map(({ section }) => section).sort()).toEqual(Object.keys(table).sort())
  })

  // Other kernels of that version may have been built otherwise; these two are Debian's.
  it.skipIf(process.env['TSBPF_VM'] === undefined)('says what runs on this kernel', () => {
    const run = rows.filter(({ gate }) => !gate.skip).map(({ section }) => section)
    expect(run.sort()).toEqual(listed.sort())
  })
})
