import { requires } from '@tsbpf/testkit'
import type { Gate } from '@tsbpf/testkit'
import { networkProofs } from './network-proofs.ts'
import type { Proof } from './proof.ts'
import { probeProofs } from './probe-proofs.ts'
import { missing, tracingProofs } from './tracing-proofs.ts'

const gateOf = ({ sections, needs }: Omit<Proof, 'prove'>): Gate =>
  requires({ root: true, ...needs, reason: `attaches ${sections.join(', ')}` })

const proofs = [...probeProofs, ...tracingProofs, ...networkProofs(missing, (proof) => !gateOf(proof).skip)]

/** All section names with a proof, and whether this kernel has them. */
export const rows = proofs.flatMap((proof) => {
  const gate = gateOf(proof)
  return proof.sections.map((section) => ({ section, gate, proof }))
})
