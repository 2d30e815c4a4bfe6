// Instructions that goldens are recorded for, and what recording needs. Used by record.mjs and record-gnu.mjs only.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeInsn, instructionSet } from '../../dist/index.js'

/** Operands that are easy to print wrongly: signs, the ends of the range, the highest register. */
const operands = [
  { dst: 1, src: 2, off: 5, imm: 7, nextImm: 0 },
  { dst: 10, src: 0, off: -8, imm: -2, nextImm: -1 },
  { dst: 0, src: 10, off: 0x7fff, imm: 0x7fffffff, nextImm: 0x11223344 },
  { dst: 9, src: 11, off: -0x8000, imm: -0x80000000, nextImm: 0 },
]

/** Every row with each of the operands. */
export const insns = instructionSet.flatMap((row) =>
  operands.map((given) => ({
    op: row.name,
    opcode: row.opcode,
    dst: row.dst === 'any' ? given.dst : row.dst,
    src: row.src === 'any' ? given.src : row.src,
    off: row.off === 'any' ? given.off : row.off,
    imm: row.imm === 'any' ? given.imm : row.imm,
    nextImm: row.wide ? given.nextImm : undefined,
  })),
)

export const run = (tool, ...args) => execFileSync(tool, args, { encoding: 'utf8', maxBuffer: 1 << 28 })

export const version = (tool) => /version.*|GNU objdump.*/.exec(run(tool, '--version'))?.[0] ?? ''

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** Puts the instructions into an object in `folder`; gives its path and the bytes of each in hexadecimal. */
export function assemble(folder, littleEndian) {
  const encoded = insns.map((insn) => hex(encodeInsn(insn, { littleEndian })))
  const source = join(folder, 'code.s')
  const file = join(folder, 'code.o')
  writeFileSync(
    source,
    `.text\n${encoded.map((bytes) => `.byte 0x${bytes.replaceAll(' ', ',0x')}\n`).join('')}`,
  )
  run('llvm-mc-19', `-triple=${littleEndian ? 'bpfel' : 'bpfeb'}`, '-filetype=obj', '-o', file, source)
  return { file, encoded }
}

/** One golden to a line. */
export function write(name, head, entries) {
  writeFileSync(
    new URL(name, import.meta.url),
    `{\n"head": ${JSON.stringify(head, undefined, 2)},\n"insns": [\n${entries.map((e) => JSON.stringify(e)).join(',\n')}\n]\n}\n`,
  )
}
