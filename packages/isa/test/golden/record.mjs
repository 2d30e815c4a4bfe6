// Records how llvm-objdump prints one instruction after the other, in both byte orders.
// Needs the build (npm run build) and llvm-mc-19, llvm-objdump-14, -19 and -22 on PATH.
// node packages/isa/test/golden/record.mjs
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assemble, insns, run, version, write } from './golden-insns.mjs'

const reference = ['llvm-objdump-19']
/** LLVM 14 knows no v4. */
const levels = { 14: ['v1', 'v2', 'v3'], 19: ['v1', 'v2', 'v3', 'v4'], 22: ['v1', 'v2', 'v3', 'v4'] }
const others = Object.entries(levels).flatMap(([number, cpus]) => {
  const tool = `llvm-objdump-${number}`
  const asked = cpus.map((cpu) => [tool, `--mcpu=${cpu}`])
  return tool === reference[0] ? asked : [[tool], ...asked]
})

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
  const { file, encoded } = assemble(folder, littleEndian)
  const texts = print(reference, file)
  const columns = others.map((tool) => [tool.join(' '), print(tool, file)])
  for (const [i, bytes] of encoded.entries()) {
    // What a tool prints for a cpu is recorded where it differs from what it prints without one.
    const plain = (tool) => columns.find(([name]) => name === tool.split(' ', 1)[0] && name !== tool)?.[1] ?? texts
    const differs = columns.filter(([tool, column]) => column[i].text !== plain(tool)[i].text)
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
write('llvm.json', head, entries)
