import { insnClassOf, instructionSet } from '@tsbpf/isa'
import type { InsnRow, OpName } from '@tsbpf/isa'
import { formOf } from './mnemonic.ts'

/** What an operand of a call gives: a register, a place in memory, a number or a label. */
export type Role = 'dst' | 'src' | 'load' | 'store' | 'imm' | 'nextImm' | 'module' | 'label'

/** A row of the instruction set as a call makes it. */
export interface Operation {
  readonly row: InsnRow<OpName>
  readonly roles: readonly Role[]
  /** Bits of its registers and numbers. */
  readonly bits: 32 | 64
  /** The register operand that it writes. */
  readonly writes: 'dst' | 'src' | undefined
  readonly least: number
  readonly most: number
  readonly divides: boolean
}

function rolesOf(row: InsnRow<OpName>): readonly Role[] {
  const { name, wide, dst, src, imm, target } = row
  if (name === 'call_kfunc') return ['imm', 'module']
  if (wide) return ['dst', 'imm', 'nextImm']
  const cls = insnClassOf(row.opcode)
  if (cls === 'ldx' || name.startsWith('load_acq')) return ['dst', 'load']
  if (cls === 'st') return ['store', 'imm']
  if (cls === 'stx') return ['store', 'src']
  const roles: Role[] = []
  if (dst === 'any') roles.push('dst')
  if (src === 'any') roles.push('src')
  if (imm === 'any' && target !== 'imm') roles.push('imm')
  if (target !== undefined) roles.push('label')
  return roles
}

/** Numbers that say the same in the field as in the source: one that is sign-extended to 64 bits has its sign in bit 31. */
function range(
  row: InsnRow<OpName>,
  mnemonic: string,
  bits: 32 | 64,
): readonly [least: number, most: number] {
  if (/^(lsh|rsh|arsh)$/.test(mnemonic)) return [0, bits - 1]
  if (mnemonic === 'stb') return [-0x80, 0xff]
  if (mnemonic === 'sth') return [-0x8000, 0xffff]
  const cls = insnClassOf(row.opcode)
  const extended = cls === 'alu64' || cls === 'jmp' || mnemonic === 'stdw'
  return [-0x8000_0000, extended ? 0x7fff_ffff : 0xffff_ffff]
}

function operation(row: InsnRow<OpName>): Operation {
  const { mnemonic, bits = 64 } = formOf(row.name)
  const roles = rolesOf(row)
  const [least, most] = range(row, mnemonic, bits)
  const writesDst = roles[0] === 'dst' && !insnClassOf(row.opcode).startsWith('jmp')
  const fetches = /^atomic_(fetch_|xchg)/.test(mnemonic)
  return {
    row,
    roles,
    bits,
    writes: writesDst ? 'dst' : fetches ? 'src' : undefined,
    least,
    most,
    divides: /^s?(div|mod)$/.test(mnemonic),
  }
}

/** The operations of one mnemonic, by bits and source: `64imm`; one that has no choice is there under each of its bits. */
export type Forms = ReadonlyMap<string, Operation>

/** The key of a form. */
export const formKey = (bits: number, source: 'imm' | 'reg' | ''): string => `${bits}${source}`

/** Every mnemonic with its forms. */
export function mnemonics(): ReadonlyMap<string, Forms> {
  const all = new Map<string, Map<string, Operation>>()
  for (const row of instructionSet) {
    const { mnemonic, bits = 64, source = '' } = formOf(row.name)
    const forms = all.get(mnemonic) ?? new Map<string, Operation>()
    all.set(mnemonic, forms.set(formKey(bits, source), operation(row)))
  }
  return all
}
