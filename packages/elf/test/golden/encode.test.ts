import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { elfSpecOf, encodeElf, parseElf } from '../../src/index.ts'
import type { ElfFile } from '../../src/index.ts'

const read = (name: string): Buffer => readFileSync(join(import.meta.dirname, name))
const bpf = ['program.clang-14.el.o', 'program.clang-19.el.o', 'program.clang-19.eb.o']
const relocatable = [...bpf, 'host.x86_64.o', 'host.aarch64_be.o', 'debug.zlib.o']
const rebuilt = (name: string): Uint8Array => encodeElf(elfSpecOf(parseElf(read(name), { name })))

/** What a file means, without where things are and which number they have. */
function meaning(elf: ElfFile) {
  const nameOf = (index: number) => elf.sections[index]?.name ?? index
  const made = new Set([2, 3, 4, 9])
  return {
    header: [elf.machine, elf.type, elf.littleEndian],
    sections: elf.sections
      .filter((section) => !made.has(section.type))
      .map((section) => ({
        name: section.name,
        type: section.type,
        flags: section.flags,
        addralign: section.addralign,
        entsize: section.entsize,
        size: section.size,
        data: section.data,
        link: nameOf(section.link),
        relocations: elf.relocations(section),
      })),
    symbols: elf.symbols.map((symbol) => ({ ...symbol, section: nameOf(symbol.section) })),
  }
}

describe.each(relocatable)('%s, parsed and encoded', (name) => {
  it('means the same', () => {
    expect(meaning(parseElf(rebuilt(name)))).toEqual(meaning(parseElf(read(name))))
  })

  it('is the same bytes each time, and when done again', () => {
    expect(rebuilt(name)).toEqual(rebuilt(name))
    expect(encodeElf(elfSpecOf(parseElf(rebuilt(name))))).toEqual(rebuilt(name))
  })
})

/** The judges of what we wrote; each is asked about the compiler's object and about ours. */
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsbpf-encode-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function both(theirs: Uint8Array, ours: Uint8Array, ask: (file: string) => string): void {
  // One file for both: libbpf names maps after it.
  const file = join(folder, 'object.o')
  const [expected, found] = [theirs, ours].map((bytes) => {
    writeFileSync(file, bytes)
    return ask(file)
  })
  expect(expected).not.toBe('')
  expect(found).toBe(expected)
}
const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8' })

const corpus = corpusDir()
const oracles = process.env['TSBPF_ORACLES']
const noOracles = ' [not run: TSBPF_ORACLES is not set: the folder that tools/oracles/build.mjs prints]'

describe.skipIf(oracles === undefined)(
  `for libbpf and bpftool${oracles === undefined ? noOracles : ''}`,
  () => {
    it.each(bpf)('%s opens the same', (name) => {
      both(read(name), rebuilt(name), (file) => run(join(oracles ?? '', 'bin/libbpf-open'), file))
    })

    it.each(bpf)('%s has the same types', (name) => {
      both(read(name), rebuilt(name), (file) =>
        run(join(oracles ?? '', 'bin/bpftool'), 'btf', 'dump', 'file', file),
      )
    })

    it.each(bpf.filter((name) => name.includes('.el.')))('%s is linked the same', (name) => {
      const link = (file: string) => {
        const out = join(folder, 'linked.o')
        run(join(oracles ?? '', 'bin/bpftool'), 'gen', 'object', out, file)
        return readFileSync(out).toString('hex')
      }
      both(read(name), rebuilt(name), link)
    })
  },
)

const noCorpus =
  oracles === undefined ? noOracles : corpus === undefined ? ` [not run: ${corpusMissing}]` : ''
describe.skipIf(noCorpus !== '')(`for libbpf, objects of cilium/ebpf${noCorpus}`, () => {
  const root = join(corpus ?? '', 'cilium-ebpf')
  const all = noCorpus === '' ? readdirSync(root, { recursive: true, encoding: 'utf8' }) : []

  it.each(all.filter((name) => name.endsWith('.elf')))('%s opens the same', (name) => {
    const theirs = readFileSync(join(root, name))
    // In the corpus a link of the repository is a file that holds its target's name.
    if (theirs.length < 64) return
    const ours = encodeElf(elfSpecOf(parseElf(theirs, { name })))
    both(theirs, ours, (file) => run(join(oracles ?? '', 'bin/libbpf-open'), file))
  })
})

function hasReadelf(): boolean {
  try {
    return run('llvm-readelf-19', '--version') !== ''
  } catch {
    return false
  }
}

const readelf = hasReadelf()
describe.skipIf(!readelf)(`for llvm-readelf 19${readelf ? '' : ' [not run: it is not installed]'}`, () => {
  it.each(relocatable)('%s has the same symbols, relocations and notes', (name) => {
    both(read(name), rebuilt(name), (file) => {
      const text = run('llvm-readelf-19', '--symbols', '--relocations', '--notes', '--extra-sym-info', file)
      // Numbers of sections and their order in the file differ, and so do the tables' own names and places.
      const tables = text.split(/^Relocation section/m).map((table) => table.replace(/ at offset .*/, ''))
      return tables
        .map((table) => table.replace(/(GLOBAL|LOCAL|WEAK)( +\w+) +\d+/g, '$1$2').replace(/\[\d+\]/g, ''))
        .toSorted()
        .join('')
    })
  })

  it.each(relocatable)('%s gives no warning', (name) => {
    const file = join(folder, 'c.o')
    writeFileSync(file, rebuilt(name))
    expect(run('sh', '-c', `llvm-readelf-19 --all '${file}' 2>&1 >/dev/null`)).toBe('')
  })
})
