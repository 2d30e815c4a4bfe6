/** Instructions as programs have them: the rows in turn, with operands that differ. Used by the benches of this folder. */
import { encodeInsns, instructionSet } from '@tsbpf/isa'

/** A generator of numbers that gives the same ones each time (xorshift). */
function numbers() {
  let state = 0x2545f491
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state | 0
  }
}

/** Bytes of `count` instructions of all rows that llvm-objdump 19 knows. */
export function mixOf(count) {
  const next = numbers()
  const rows = instructionSet.filter(({ name }) => !/^(load_acq|store_rel|gotox)/.test(name))
  const insns = Array.from({ length: count }, () => {
    const row = rows[(next() >>> 0) % rows.length]
    const use = (field, value) => (row[field] === 'any' ? value : row[field])
    return {
      op: row.name,
      opcode: row.opcode,
      dst: use('dst', (next() >>> 0) % 11),
      src: use('src', (next() >>> 0) % 11),
      off: use('off', (next() << 20) >> 20),
      imm: use('imm', next() >> (next() % 24)),
      nextImm: row.wide ? next() : undefined,
    }
  })
  return encodeInsns(insns, { littleEndian: true })
}

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
