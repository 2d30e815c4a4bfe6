import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseElf, symbolTypes } from '@tsbpf/elf'
import { afterAll, describe, expect, it } from 'vitest'
import { assembleObject } from '../../src/index.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-clang-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const sources = [
  'examples/syscount/syscount.bpf.c',
  ...['data', 'exceptions', 'externs', 'functions', 'in-section', 'maps', 'struct-ops'].map(
    (name) => `packages/object/test/golden/${name}.bpf.c`,
  ),
  'packages/core-reloc/test/golden/bpf/local.bpf.c',
  'packages/tsbpf/test/golden/objects/many.bpf.c',
]

/** What is not compared: debug information is left out, and tables and their order are each assembler's own. */
const left = /^(\.rel)?\.(debug_|eh_frame|llvm_addrsig|comment|strtab|symtab)/

/** Sections with their bytes, relocations and flags, and symbols: all that a loader or linker looks at. */
function facts(bytes: Uint8Array) {
  const elf = parseElf(bytes)
  const section = symbolTypes.value('section')
  const nameOf = (index: number): string => {
    const symbol = elf.symbols[index]!
    return symbol.type === section ? `section ${elf.sections[symbol.section]!.name}` : symbol.name
  }
  const unnamed: readonly number[] = [section, symbolTypes.value('file')]
  return {
    sections: elf.sections
      .filter(({ name, size, type }) => size > 0 && !left.test(name) && type !== 9)
      .map((one) => ({
        name: one.name,
        type: one.type,
        flags: one.flags,
        align: one.addralign,
        entsize: one.entsize,
        size: one.size,
        data: Buffer.from(one.data).toString('hex'),
        relocations: elf
          .relocations(one)
          .map((row) => `${String(row.offset).padStart(8)} ${row.type} ${nameOf(row.symbol)}`)
          .sort(),
      })),
    symbols: elf.symbols
      .filter(({ type, name }) => name !== '' && !unnamed.includes(type) && !name.startsWith('LBB'))
      .map(({ name, type, binding, visibility, section: at, value, size }) =>
        [name, type, binding, visibility, elf.sections[at]?.name, value, size].join(' '),
      )
      .sort(),
  }
}

function compile(compiler: string, flags: readonly string[], source: string, kind: '-c' | '-S'): Uint8Array {
  const out = join(folder, 'out')
  const include = '-I/usr/include/x86_64-linux-gnu'
  execFileSync(compiler, ['-O2', '-g', include, '-w', ...flags, kind, join(root, source), '-o', out], {
    stdio: 'pipe',
  })
  return readFileSync(out)
}

function hasCompiler(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return process.env['CI'] === 'true'
  }
}

describe.each([
  ['clang-19', 'little', ['--target=bpfel', '-mcpu=v3']],
  ['clang-19', 'big', ['--target=bpfeb', '-mcpu=v2']],
  ['clang-22', 'little', ['--target=bpfel', '-mcpu=v4']],
] as const)('%s, %s endian, %j', (compiler, byteOrder, flags) => {
  const title = hasCompiler(compiler)
    ? '%s: the text of -S becomes the object of -c'
    : `%s (not run: no ${compiler})`
  it.skipIf(!hasCompiler(compiler)).each(sources)(title, (source) => {
    const object = compile(compiler, flags, source, '-c')
    const text = new TextDecoder().decode(compile(compiler, flags, source, '-S'))
    expect(facts(assembleObject(text, { byteOrder, name: source }))).toEqual(facts(object))
  })
})
