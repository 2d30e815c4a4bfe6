// Records how llvm-objdump prints one instruction after the other, in both byte orders.
// Needs the build (npm run build) and llvm-mc-19, llvm-objdump-14, -19 and -22 on PATH.
// node packages/isa/test/golden/record.mjs
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeInsn, instructionSet } from '../../dist/index.js'

const reference = ['llvm-objdump-19']
const others = [
  ['llvm-objdump-14'],
  ['llvm-objdump-19', '--mcpu=v1'],
  ['llvm-objdump-19', '--mcpu=v2'],
  ['llvm-objdump-19', '--mcpu=v3'],
  ['llvm-objdump-19', '--mcpu=v4'],
  ['llvm-objdump-22'],
]

/** Operands that are easy to print wrongly: signs, the ends of the range, the highest register. */
const operands = [
  { dst: 1, src: 2, off: 5, imm: 7, nextImm: 0 },
  { dst: 10, src: 0, off: -8, imm: -2, nextImm: -1 },
  { dst: 0, src: 10, off: 0x7fff, imm: 0x7fffffff, nextImm: 0x11223344 },
  { dst: 9, src: 11, off: -0x8000, imm: -0x80000000, nextImm: 0 },
]

const insns = instructionSet.flatMap((row) =>
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

const run = (tool, ...args) => execFileSync(tool, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
const version = (tool) => /version.*|GNU objdump.*/.exec(run(tool, '--version'))?.[0] ?? ''
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** Text of each instruction: symbols after branch targets are left out, they depend on the place. */
function print([tool, ...args], file) {
  const lines = run(tool, '-d', ...args, file).split('\n')
  return lines.flatMap((line) => {
    const found = /^ *\d+:\t([0-9a-f ]+)\t(.*?)(?: <\.text.*>)?$/.exec(line)
    return found === null ? [] : [{ bytes: found[1], text: found[2] }]
  })
}

const folder = mkdtempSync(join(tmpdir(), 'tsbpf-isa-'))
const entries = []
for (const littleEndian of [true, false]) {
  const encoded = insns.map((insn) => hex(encodeInsn(insn, { littleEndian })))
  const source = join(folder, 'code.s')
  const file = join(folder, 'code.o')
  writeFileSync(
    source,
    `.text\n${encoded.map((bytes) => `.byte 0x${bytes.replaceAll(' ', ',0x')}\n`).join('')}`,
  )
  run('llvm-mc-19', `-triple=${littleEndian ? 'bpfel' : 'bpfeb'}`, '-filetype=obj', '-o', file, source)
  const texts = print(reference, file)
  const columns = others.map((tool) => [tool.join(' '), print(tool, file)])
  for (const [i, bytes] of encoded.entries()) {
    const differs = columns.filter(([, column]) => column[i].text !== texts[i].text)
    for (const column of [texts, ...columns.map(([, c]) => c)]) {
      if (column[i].bytes !== bytes) throw new Error(`${insns[i].op}: ${column[i].bytes} for ${bytes}`)
    }
    entries.push({
      op: insns[i].op,
      order: littleEndian ? 'little' : 'big',
      bytes,
      text: texts[i].text,
      ...(differs.length > 0 && {
        others: Object.fromEntries(differs.map(([tool, column]) => [tool, column[i].text])),
      }),
    })
  }
}
rmSync(folder, { recursive: true })

const tools = ['llvm-mc-19', 'llvm-objdump-14', 'llvm-objdump-19', 'llvm-objdump-22']
const head = {
  reference: reference.join(' '),
  others: others.map((tool) => tool.join(' ')),
  versions: Object.fromEntries(tools.map((tool) => [tool, version(tool)])),
}
writeFileSync(
  new URL('llvm.json', import.meta.url),
  `{\n"head": ${JSON.stringify(head, undefined, 2)},\n"insns": [\n${entries.map((e) => JSON.stringify(e)).join(',\n')}\n]\n}\n`,
)
