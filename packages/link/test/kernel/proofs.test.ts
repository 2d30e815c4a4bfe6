import { kernelVersion, requires } from '@tsbpf/testkit'
import type { Gate } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { networkProofs } from './network-proofs.ts'
import type { Proof } from './proof.ts'
import { probeProofs } from './probe-proofs.ts'
import { missing, tracingProofs } from './tracing-proofs.ts'
import table from './proofs.json' with { type: 'json' }

const gateOf = ({ sections, needs }: Omit<Proof, 'prove'>): Gate =>
  requires({ root: true, ...needs, reason: `attaches ${sections.join(', ')}` })
const proofs = [...probeProofs, ...tracingProofs, ...networkProofs(missing, (proof) => !gateOf(proof).skip)]
const kernel = kernelVersion().join('.')
/** What docs/support.md says about this kernel. */
const listed = Object.entries(table).flatMap(([section, kernels]) =>
  kernels.includes(kernel) ? [section] : [],
)

const rows = proofs.flatMap((proof) => {
  const gate = gateOf(proof)
  return proof.sections.map((section) => ({ section, gate, proof }))
})

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
