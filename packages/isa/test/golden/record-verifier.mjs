// Records how the running kernel's verifier prints one instruction after the other.
// Needs the build (npm run build), gcc with the kernel's headers, and the right to load programs.
// node packages/isa/test/golden/record-verifier.mjs
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { endianness, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeInsn, encodeInsns, instructionSet, makeInsn } from '../../dist/index.js'

const littleEndian = endianness() === 'LE'

/** Operands that are easy to print wrongly; jumps stay inside the program, which ends in exits. */
const operands = [
  { dst: 1, src: 2, off: 3, imm: 7, nextImm: 0 },
  { dst: 9, src: 0, off: -8, imm: -2, nextImm: -1 },
  { dst: 0, src: 10, off: 0x7fff, imm: 0x7fffffff, nextImm: 0x11223344 },
  { dst: 6, src: 7, off: -0x8000, imm: -0x80000000, nextImm: 0 },
]

const insns = instructionSet.flatMap((row) =>
  operands.flatMap((given) => {
    const insn = {
      op: row.name,
      opcode: row.opcode,
      dst: row.dst === 'any' ? given.dst : row.dst,
      src: row.src === 'any' ? given.src : row.src,
      off: row.off === 'any' ? given.off : row.off,
      imm: row.imm === 'any' ? given.imm : row.imm,
      nextImm: row.wide ? given.nextImm : undefined,
    }
    if (row.target !== undefined) {
      if (row.name === 'call_subprogram') return given.imm === 7 ? [{ ...insn, imm: 2 }] : []
      if (Math.abs(insn[row.target]) > 100) return []
      // A jump backwards would be a loop.
      insn[row.target] = Math.abs(insn[row.target])
    }
    return [insn]
  }),
)

const returning = () => [makeInsn('mov64_imm'), makeInsn('exit')]

/** The instruction in a program where all else can be reached, whatever it does: the verifier looks at that first. */
const program = (insn) =>
  insn.op === 'call_subprogram'
    ? [makeInsn('mov64_imm'), makeInsn('mov64_imm'), insn, ...returning(), ...returning()]
    : [
        makeInsn('mov64_imm'),
        makeInsn('jeq_imm', { dst: 1, imm: 7, off: insn.nextImm === undefined ? 1 : 2 }),
        insn,
        ...Array.from({ length: 9 }, () => makeInsn('mov64_imm')),
        makeInsn('exit'),
      ]
const hex = (bytes) => Buffer.from(bytes).toString('hex')

const folder = mkdtempSync(join(tmpdir(), 'tsbpf-isa-'))
const tool = join(folder, 'verifier-log')
execFileSync('gcc', ['-O1', '-o', tool, fileURLToPath(new URL('verifier-log.c', import.meta.url))])
const programs = insns.map((insn) => hex(encodeInsns(program(insn), { littleEndian })))
const output = execFileSync(tool, [], { input: programs.join('\n'), encoding: 'utf8', maxBuffer: 1 << 28 })
rmSync(folder, { recursive: true })

const seen = []
const missing = new Set()
for (const [i, log] of output
  .split(/^== \d+\n/m)
  .slice(1)
  .entries()) {
  const found = /^2: (\([0-9a-f]{2}\) .*?)(?: +;.*)?$/m.exec(log)
  if (found === null) missing.add(insns[i].op)
  else
    seen.push({ op: insns[i].op, bytes: hex(encodeInsn(insns[i], { littleEndian: true })), text: found[1] })
}
for (const { op } of seen) missing.delete(op)
const head = {
  tool: 'the verifier log at level 2',
  kernel: release(),
  notPrinted: [...missing],
}
writeFileSync(
  new URL('verifier.json', import.meta.url),
  `{\n"head": ${JSON.stringify(head, undefined, 2)},\n"insns": [\n${seen.map((e) => JSON.stringify(e)).join(',\n')}\n]\n}\n`,
)
