import { isTsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { makeElf, programHeaders, relocationRows, symbolRows } from '../test/make-elf.ts'
import type { MadeElf } from '../test/make-elf.ts'
import { compressionOf, sectionContents } from './compression.ts'
import { debugLink } from './debug-link.ts'
import type { ElfFile } from './elf-file.ts'
import { errors as codes } from './errors.ts'
import { notes, parseNotes } from './notes.ts'
import { parseElf } from './parse-elf.ts'
import { usdtProbes } from './usdt.ts'

const text = new TextEncoder()
const max64 = (1n << 64n) - 1n

/** A small file with one of everything, and nothing wrong. Its sections, by number: */
const [code, bss, symtab, strtab, rel, note, debug, link, dynsym] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const shstrtab = 10

const probe = [...new Uint8Array(24), ...text.encode(['demo', 'one', '8@%rax', ''].join('\0'))]
const noteBytes = (little: boolean): Uint8Array => {
  const bytes = new Uint8Array(80)
  const view = new DataView(bytes.buffer)
  const put = (at: number, name: string, type: number, desc: readonly number[]) => {
    ;[name.length + 1, desc.length, type].forEach((value, i) => view.setUint32(at + i * 4, value, little))
    bytes.set(text.encode(name), at + 12)
    bytes.set(desc, at + 12 + Math.ceil((name.length + 1) / 4) * 4)
  }
  put(0, 'GNU', 3, [1, 2, 3, 4])
  put(20, 'stapsdt', 3, probe)
  return bytes
}

function sample(little: boolean): MadeElf {
  const chdr = new Uint8Array(32)
  new DataView(chdr.buffer).setUint32(0, 1, little)
  new DataView(chdr.buffer).setBigUint64(8, 100n, little)
  const made = makeElf(
    [
      { name: 'xdp', type: 1, data: new Uint8Array(32).fill(7), flags: 6 },
      { name: '.bss', type: 8, size: 4096 },
      {
        name: '.symtab',
        type: 2,
        entsize: 24,
        link: strtab,
        info: 1,
        data: symbolRows(
          [{}, { name: 1, info: 0x12, shndx: 1, size: 24n }, { name: 6, info: 0x11, shndx: 2 }],
          little,
        ),
      },
      { name: '.strtab', type: 3, data: text.encode('\0prog\0counts\0') },
      {
        name: '.relxdp',
        type: 9,
        entsize: 16,
        link: symtab,
        info: code,
        data: relocationRows([{ offset: 8n, symbol: 2, type: 1 }], little),
      },
      { name: '.note', type: 7, data: noteBytes(little) },
      { name: '.debug_info', type: 1, flags: 0x800, data: chdr },
      { name: '.gnu_debuglink', type: 1, data: text.encode('a.debug\0\x01\0\0\0') },
      {
        name: '.dynsym',
        type: 11,
        entsize: 24,
        link: strtab,
        info: 1,
        data: symbolRows([{}, { name: 1 }], little),
      },
    ],
    {
      little,
      machine: 62,
      segments: programHeaders([{ type: 1, offset: 64n, filesz: 32n, memsz: 64n }], little),
    },
  )
  return made
}

/** Asks for everything. */
function readAll(elf: ElfFile): void {
  elf.section('nothing')
  expect([elf.symbols, elf.dynamicSymbols, elf.segments]).toBeDefined()
  for (const section of elf.sections) {
    elf.relocations(section)
    sectionContents(elf, section, (_, { size }) => new Uint8Array(size))
  }
  for (const found of usdtProbes(elf)) expect(found.arguments).toBeDefined()
  debugLink(elf)
}

type Lie = readonly [
  name: string,
  code: string,
  path: string,
  /** Where the error says that the wrong field is. */
  offset: (made: MadeElf) => number,
  tell: (made: MadeElf) => unknown,
]

/** A lie that is one number, told where the error must say that it is. */
const number = (
  name: string,
  errorCode: string,
  path: string,
  bits: 16 | 32 | 64,
  at: number | ((made: MadeElf) => number),
  value: number | bigint,
): Lie => {
  const place = (made: MadeElf) => (typeof at === 'number' ? at : at(made))
  return [name, errorCode, path, place, (made) => made.put(bits, place(made), value)]
}
/** A lie in the header of a section. */
const header = (
  name: string,
  errorCode: string,
  section: number,
  field: Parameters<MadeElf['field']>[1],
  value: number | bigint,
): Lie => {
  const bits = ['name', 'type', 'link', 'info'].includes(field) ? 32 : 64
  return number(
    name,
    errorCode,
    `sections[${section}].sh_${field}`,
    bits,
    (made) => made.field(section, field),
    value,
  )
}
const data = (section: number, at: number) => (made: MadeElf) => made.dataOf(section) + at
const start = () => 0

const lies: readonly Lie[] = [
  // The file header
  ['an empty file', 'ELF_NOT_ELF', 'e_ident', start, () => new Uint8Array(0)],
  ['a script', 'ELF_NOT_ELF', 'e_ident', start, () => text.encode('#!/bin/sh\n')],
  ['nothing but the magic number', 'ELF_TRUNCATED', 'e_ident', start, ({ bytes }) => bytes.subarray(0, 4)],
  ['half a file header', 'ELF_TRUNCATED', 'e_ident', start, ({ bytes }) => bytes.subarray(0, 40)],
  ['ELF32', 'ELF_CLASS', 'e_ident[EI_CLASS]', () => 4, ({ bytes }) => bytes.fill(1, 4, 5)],
  ['an unknown class', 'ELF_CLASS', 'e_ident[EI_CLASS]', () => 4, ({ bytes }) => bytes.fill(9, 4, 5)],
  ['no byte order', 'ELF_BYTE_ORDER', 'e_ident[EI_DATA]', () => 5, ({ bytes }) => bytes.fill(0, 5, 6)],
  [
    'a version of the identification',
    'ELF_VERSION',
    'e_ident[EI_VERSION]',
    () => 6,
    ({ bytes }) => bytes.fill(2, 6, 7),
  ],
  number('a version of the file', 'ELF_VERSION', 'e_version', 32, 20, 2),
  // The table of sections
  number('section headers of another size', 'ELF_ENTRY_SIZE', 'e_shentsize', 16, 58, 40),
  number('section headers past the end', 'ELF_TRUNCATED', 'e_shoff', 64, 40, 1n << 40n),
  number('section headers 2^64 bytes away', 'ELF_TRUNCATED', 'e_shoff', 64, 40, max64),
  number('section headers on the file header', 'ELF_OVERLAP', 'e_shoff', 64, 40, 8n),
  number('more sections than there are', 'ELF_TRUNCATED', 'e_shnum', 16, 60, 12),
  [
    'the last section header cut off',
    'ELF_TRUNCATED',
    'e_shnum',
    () => 60,
    ({ bytes }) => bytes.subarray(0, -1),
  ],
  [
    'four billion sections',
    'ELF_TRUNCATED',
    'sections[0].sh_size',
    ({ field }) => field(0, 'size'),
    ({ put, field }) => {
      put(16, 60, 0)
      put(64, field(0, 'size'), 0xffff_ffff)
    },
  ],
  [
    '2^64 - 1 sections',
    'ELF_TRUNCATED',
    'sections[0].sh_size',
    ({ field }) => field(0, 'size'),
    ({ put, field }) => {
      put(16, 60, 0)
      put(64, field(0, 'size'), max64)
    },
  ],
  number('names in a section that is not there', 'ELF_LINK', 'e_shstrndx', 16, 62, 11),
  number('names in code', 'ELF_LINK', 'e_shstrndx', 16, 62, code),
  [
    'names in a section that is not there, by extended numbering',
    'ELF_LINK',
    'sections[0].sh_link',
    ({ field }) => field(0, 'link'),
    ({ put, field }) => {
      put(16, 62, 0xffff)
      put(32, field(0, 'link'), 0x1_0000)
    },
  ],
  // Sections
  header('a section that starts past the end', 'ELF_SECTION_BOUNDS', code, 'offset', 1n << 40n),
  header('a section that starts 2^64 bytes away', 'ELF_SECTION_BOUNDS', code, 'offset', max64),
  header('a section that ends past the end', 'ELF_SECTION_BOUNDS', code, 'size', 1n << 20n),
  header('a section of 2^64 bytes', 'ELF_SECTION_BOUNDS', code, 'size', max64),
  header('a .bss of 2^64 bytes', 'ELF_SECTION_BOUNDS', bss, 'size', max64),
  header('a .bss 2^64 bytes away', 'ELF_SECTION_BOUNDS', bss, 'offset', max64),
  header('a section on the file header', 'ELF_OVERLAP', code, 'offset', 32),
  [
    'a section on another',
    'ELF_OVERLAP',
    `sections[${strtab}].sh_offset`,
    ({ field }) => field(strtab, 'offset'),
    ({ put, field, dataOf }) => put(64, field(strtab, 'offset'), dataOf(symtab) + 24),
  ],
  [
    'a section on the section headers',
    'ELF_OVERLAP',
    `sections[${rel}].sh_offset`,
    ({ field }) => field(rel, 'offset'),
    ({ put, field }) => put(64, field(rel, 'offset'), field(3, 'name')),
  ],
  header('a name past the end of the table', 'ELF_STRING', code, 'name', 0xffff_fff0),
  [
    'a name without end',
    'ELF_STRING',
    `sections[${shstrtab}].sh_name`,
    ({ field }) => field(shstrtab, 'name'),
    ({ bytes, dataOf, view, field }) => {
      bytes[dataOf(shstrtab) + Number(view.getBigUint64(field(shstrtab, 'size'), true)) - 1] = 0x41
      bytes[dataOf(shstrtab) + Number(view.getBigUint64(field(shstrtab, 'size'), false)) - 1] = 0x41
    },
  ],
  // Symbols
  header('symbols of no size', 'ELF_ENTRY_SIZE', symtab, 'entsize', 0),
  header('symbols of another size', 'ELF_ENTRY_SIZE', symtab, 'entsize', 16),
  header('half a symbol', 'ELF_ENTRY_SIZE', symtab, 'size', 60),
  header('symbols whose names are nowhere', 'ELF_LINK', symtab, 'link', 0xffff_ffff),
  header('symbols whose names are code', 'ELF_LINK', symtab, 'link', code),
  header('more local symbols than symbols', 'ELF_SYMBOL', symtab, 'info', 4),
  number('a symbol with a name past the end', 'ELF_STRING', 'symbols[1].st_name', 32, data(symtab, 24), 500),
  [
    'a symbol with a name without end',
    'ELF_STRING',
    'symbols[2].st_name',
    data(symtab, 48),
    ({ bytes, dataOf }) => (bytes[dataOf(strtab) + 12] = 0x41),
  ],
  number('a symbol in no section', 'ELF_SYMBOL', 'symbols[1].st_shndx', 16, data(symtab, 30), 11),
  number(
    'a symbol of which no table has the section',
    'ELF_SYMBOL',
    'symbols[1].st_shndx',
    16,
    data(symtab, 30),
    0xffff,
  ),
  number('a symbol of 2^64 bytes', 'ELF_SYMBOL', 'symbols[1].st_size', 64, data(symtab, 40), max64),
  header('dynamic symbols of another size', 'ELF_ENTRY_SIZE', dynsym, 'entsize', 32),
  number(
    'a dynamic symbol in no section',
    'ELF_SYMBOL',
    'dynamicSymbols[1].st_shndx',
    16,
    data(dynsym, 30),
    99,
  ),
  // Relocations
  header('relocations of another size', 'ELF_ENTRY_SIZE', rel, 'entsize', 24),
  header('half a relocation', 'ELF_ENTRY_SIZE', rel, 'size', 15),
  header('relocations without symbols', 'ELF_LINK', rel, 'link', 0),
  header('relocations by names', 'ELF_LINK', rel, 'link', strtab),
  header('relocations of a section that is not there', 'ELF_LINK', rel, 'info', 11),
  number(
    'a relocation outside its section',
    'ELF_RELOCATION',
    `sections[${rel}][0].r_offset`,
    64,
    data(rel, 0),
    32,
  ),
  number(
    'a relocation 2^64 bytes away',
    'ELF_RELOCATION',
    `sections[${rel}][0].r_offset`,
    64,
    data(rel, 0),
    max64,
  ),
  [
    'a relocation by a symbol that is not there',
    'ELF_RELOCATION',
    `sections[${rel}][0].r_info`,
    data(rel, 8),
    ({ put, dataOf }) => put(64, dataOf(rel) + 8, (3n << 32n) | 1n),
  ],
  // Segments
  number('program headers of another size', 'ELF_ENTRY_SIZE', 'e_phentsize', 16, 54, 32),
  number('program headers past the end', 'ELF_TRUNCATED', 'e_phoff', 64, 32, 1n << 40n),
  number('program headers 2^64 bytes away', 'ELF_TRUNCATED', 'e_phoff', 64, 32, max64),
  number('program headers on the file header', 'ELF_OVERLAP', 'e_phoff', 64, 32, 0n),
  number('more segments than there are', 'ELF_TRUNCATED', 'e_phnum', 16, 56, 60_000),
  [
    'four billion segments',
    'ELF_TRUNCATED',
    'sections[0].sh_info',
    ({ field }) => field(0, 'info'),
    ({ put, field }) => {
      put(16, 56, 0xffff)
      put(32, field(0, 'info'), 0xffff_ffff)
    },
  ],
  number(
    'a segment that starts past the end',
    'ELF_SEGMENT',
    'segments[0].p_offset',
    64,
    ({ segmentsAt }) => segmentsAt + 8,
    max64,
  ),
  number(
    'a segment that ends past the end',
    'ELF_SEGMENT',
    'segments[0].p_filesz',
    64,
    ({ segmentsAt }) => segmentsAt + 32,
    1n << 40n,
  ),
  number(
    'a segment with less memory than file',
    'ELF_SEGMENT',
    'segments[0].p_memsz',
    64,
    ({ segmentsAt }) => segmentsAt + 40,
    31,
  ),
  [
    'a segment past the end of memory',
    'ELF_SEGMENT',
    'segments[0].p_memsz',
    ({ segmentsAt }) => segmentsAt + 40,
    ({ put, segmentsAt }) => put(64, segmentsAt + 16, max64 - 62n),
  ],
  // Notes and what is in them
  number(
    'a note whose name ends past the end',
    'ELF_NOTE',
    `sections[${note}].notes[0].n_namesz`,
    32,
    data(note, 0),
    0xffff_ffff,
  ),
  number(
    'a note that ends past the end',
    'ELF_NOTE',
    `sections[${note}].notes[1].n_descsz`,
    32,
    data(note, 24),
    999,
  ),
  header('notes aligned as no notes are', 'ELF_NOTE', note, 'addralign', 16),
  [
    'half the header of a note',
    'ELF_NOTE',
    `sections[${note}].notes[1]`,
    data(note, 20),
    ({ put, field }) => put(64, field(note, 'size'), 28),
  ],
  [
    'a probe without texts',
    'ELF_USDT',
    `sections[${note}].notes[1]`,
    data(note, 20),
    ({ put, field, dataOf }) => {
      put(32, dataOf(note) + 24, 24)
      put(64, field(note, 'size'), 64)
    },
  ],
  [
    'a probe whose last text does not end',
    'ELF_USDT',
    `sections[${note}].notes[1]`,
    data(note, 20),
    ({ put, dataOf }) => put(32, dataOf(note) + 24, probe.length - 1),
  ],
  [
    'a probe with arguments that mean nothing',
    'ELF_USDT',
    `sections[${note}].notes[1].arguments`,
    data(note, 40 + 24 + 9),
    ({ bytes, dataOf }) => (bytes[dataOf(note) + 40 + 24 + 11] = 0x26),
  ],
  // Sections with a meaning of their own
  header('a compressed section without its header', 'ELF_COMPRESSED', debug, 'size', 23),
  number(
    'a compressed section of 2^64 bytes',
    'ELF_COMPRESSED',
    `sections[${debug}].ch_size`,
    64,
    data(debug, 8),
    max64,
  ),
  number(
    'a compressed section of a terabyte',
    'ELF_COMPRESSED',
    `sections[${debug}].ch_size`,
    64,
    data(debug, 8),
    1n << 40n,
  ),
  [
    'a debug link without checksum',
    'ELF_DEBUG_LINK',
    `sections[${link}].data`,
    data(link, 0),
    ({ put, field }) => put(64, field(link, 'size'), 11),
  ],
  [
    'a debug link without end',
    'ELF_DEBUG_LINK',
    `sections[${link}].data`,
    data(link, 0),
    ({ bytes, dataOf }) => bytes.fill(0x41, dataOf(link), dataOf(link) + 12),
  ],
]

describe.each([true, false])('little endian %s', (little) => {
  it('the file of the lies is true without them', () => {
    const elf = parseElf(sample(little).bytes)
    readAll(elf)
    expect(elf.segments).toMatchObject([{ type: 1, offset: 64, filesz: 32, memsz: 64n }])
    expect(elf.dynamicSymbols.map(({ name }) => name)).toEqual(['', 'prog'])
    expect(usdtProbes(elf)).toMatchObject([
      { provider: 'demo', name: 'one', argumentText: '8@%rax', location: 0n, semaphore: undefined },
    ])
    expect(debugLink(elf)).toEqual({ file: 'a.debug', crc: little ? 1 : 0x100_0000 })
    expect(compressionOf(elf, elf.sections[debug]!)).toMatchObject({ algorithm: 'zlib', size: 100 })
  })

  it.each(lies)('%s: %s at %s', (_, errorCode, path, offset, tell) => {
    const made = sample(little)
    const result = tell(made)
    const bytes = result instanceof Uint8Array ? result : made.bytes
    let error: unknown
    try {
      readAll(parseElf(bytes, { name: 'broken.o' }))
    } catch (thrown) {
      error = thrown
    }
    if (!isTsbpfError(error)) throw error
    expect(error).toMatchObject({
      code: errorCode,
      context: { path, offset: offset(made), file: 'broken.o' },
    })
    const { expected, actual } = error.context
    expect(error.message).toBe(
      `broken.o: ${path} at byte ${offset(made)}: expected ${String(expected)}, got ${String(actual)}`,
    )
    expect(error.hint).toBeTypeOf('string')
  })
})

it('every code that a file can cause is caused', () => {
  const caused = new Set(lies.map(([, errorCode]) => errorCode))
  expect([...caused].toSorted()).toEqual(
    Object.keys(codes)
      .filter((known) => known !== 'ELF_SPEC')
      .toSorted(),
  )
})

describe('the caller that decompresses', () => {
  const elf = parseElf(sample(true).bytes)
  const section = elf.sections[debug]!

  it('gives the bytes', () => {
    const bytes = new Uint8Array(100)
    expect(sectionContents(elf, section, () => bytes)).toBe(bytes)
    expect(sectionContents(elf, elf.sections[code]!, () => bytes)).toBe(elf.sections[code]!.data)
  })

  it.each<readonly [string, () => Uint8Array, RegExp]>([
    [
      'throws',
      () => JSON.parse('{') as Uint8Array,
      /expected 100 bytes of zlib, got data that do not decompress/,
    ],
    ['gives too few', () => new Uint8Array(99), /expected 100 bytes of zlib, got 99 bytes/],
  ])('%s', (_, inflate, message) => {
    expect(() => sectionContents(elf, section, inflate)).toThrow(message)
  })

  it('may allow less', () => {
    expect(() => sectionContents(elf, section, () => new Uint8Array(100), { maxSize: 99 })).toThrow(
      /expected at most 99 bytes, got 100/,
    )
  })
})

describe('notes', () => {
  it.each([true, false])('stand alone too, little endian %s', (littleEndian) => {
    const found = [...parseNotes(noteBytes(littleEndian), { littleEndian })]
    expect(found.map(({ name, type, offset, path }) => [name, type, offset, path])).toEqual([
      ['GNU', 3, 0, 'notes[0]'],
      ['stapsdt', 3, 20, 'notes[1]'],
    ])
    expect(found[0]?.desc).toEqual(Uint8Array.of(1, 2, 3, 4))
  })

  it('are padded to 8 bytes where they say so', () => {
    const bytes = new Uint8Array(48)
    bytes.set([4, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0x47, 0x4e, 0x55, 0, 9])
    bytes.set([4, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0x47, 0x4e, 0x55, 0, 8], 24)
    const found = [...parseNotes(bytes, { littleEndian: true, align: 8 })]
    expect(found.map(({ type, desc }) => [type, ...desc])).toEqual([
      [5, 9],
      [6, 8],
    ])
  })

  it('come from segments where there are no sections', () => {
    const made = sample(true)
    const at = made.dataOf(note)
    made.put(64, 40, 0n)
    made.put(32, made.segmentsAt, 4)
    made.put(64, made.segmentsAt + 8, at)
    made.put(64, made.segmentsAt + 32, 20n)
    const elf = parseElf(made.bytes)
    expect(elf.sections).toEqual([])
    expect([...notes(elf)].map(({ name, path }) => [name, path])).toEqual([['GNU', 'segments[0].notes[0]']])
  })
})
