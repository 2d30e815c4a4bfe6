// Records how objdump of binutils prints one instruction after the other, in both byte orders.
// Needs the build (npm run build), and llvm-mc-19 and bpf-objdump (Debian's binutils-bpf) on PATH.
// node packages/isa/test/golden/record-gnu.mjs
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assemble, insns, run, version, write } from './golden-insns.mjs'

const tool = 'bpf-objdump'

/** Text of the instruction at each byte: what is not known is printed slot by slot. */
function print(file) {
  const lines = run(tool, '-dz', file).split('\n')
  return new Map(
    lines.flatMap((line) => {
      const found = /^ *([0-9a-f]+):\t[0-9a-f ]+\t(.*)$/.exec(line)
      return found === null ? [] : [[Number.parseInt(found[1], 16), found[2]]]
    }),
  )
}

const folder = mkdtempSync(join(tmpdir(), 'tsbpf-isa-'))
const entries = []
for (const littleEndian of [true, false]) {
  const { file, encoded } = assemble(folder, littleEndian)
  const texts = print(file)
  let at = 0
  for (const [i, bytes] of encoded.entries()) {
    const text = texts.get(at)
    if (text === undefined) throw new Error(`${insns[i].op}: nothing printed at ${at}`)
    entries.push({ op: insns[i].op, order: littleEndian ? 'little' : 'big', bytes, text })
    at += bytes.split(' ').length
  }
}
rmSync(folder, { recursive: true })
write('gnu.json', { tool, version: version(tool) }, entries)
