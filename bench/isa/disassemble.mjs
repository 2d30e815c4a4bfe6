/**
 * What disassembling a section of a million instructions to text costs, beside llvm-objdump-19 with the same object, whose
 * text goes to a file: `node bench/isa/disassemble.mjs`, after the build. Both run in turn; Node's start is not counted.
 * A tenth of the section shows that the time is linear.
 *
 * ROUNDS sets how often (5 unless set); LIMIT makes it fail where the ratio is larger.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeElf } from '@tsbpf/elf'
import { disassemble, labelsOf } from '@tsbpf/isa'
import { median, mixOf } from './mix.mjs'

const rounds = Number(process.env.ROUNDS ?? 5)
const limit = Number(process.env.LIMIT ?? Infinity)
const bytes = mixOf(1_000_000)
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-bench-'))
const object = join(folder, 'code.o')
writeFileSync(object, encodeElf({ sections: [{ name: '.text', flags: 6n, addralign: 8n, data: bytes }] }))

/** Lines as llvm-objdump prints them, but for the bytes. */
function ours(part, file) {
  const labelOf = labelsOf('.text', [])
  const fd = openSync(file, 'w')
  let lines = []
  for (const { index, text } of disassemble(part, { littleEndian: true, labelOf })) {
    lines.push(`${index}:\t${text}\n`)
    if (lines.length === 8192) {
      writeSync(fd, lines.join(''))
      lines = []
    }
  }
  writeSync(fd, lines.join(''))
  closeSync(fd)
}

function theirs(file) {
  const fd = openSync(file, 'w')
  execFileSync('llvm-objdump-19', ['-d', '--no-show-raw-insn', object], { stdio: ['ignore', fd, 'ignore'] })
  closeSync(fd)
}

const ways = {
  ours: () => ours(bytes, join(folder, 'ours')),
  'ours, a tenth': () => ours(bytes.subarray(0, 800_000), join(folder, 'tenth')),
  'llvm-objdump-19': () => theirs(join(folder, 'theirs')),
}
const times = new Map(Object.keys(ways).map((name) => [name, []]))
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of Object.entries(ways)) {
    const started = performance.now()
    run()
    times.get(name).push(performance.now() - started)
  }
}
rmSync(folder, { recursive: true })
const [own, tenth, tool] = Object.keys(ways).map((name) => median(times.get(name)))
console.log(
  `ours: ${own.toFixed(0)} ms; a tenth ${tenth.toFixed(0)} ms; llvm-objdump-19: ${tool.toFixed(0)} ms`,
)
console.log(
  `ratio ${(own / tool).toFixed(2)}; first run ${(times.get('ours')[0] / times.get('llvm-objdump-19')[0]).toFixed(2)}`,
)
if (own / tool > limit) process.exitCode = 1
