import { isTsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { elfSpecOf } from './elf-spec-of.ts'
import type { ElfSectionSpec, ElfSpec, ElfSymbolSpec } from './elf-spec.ts'
import { encodeElf } from './encode-elf.ts'
import { parseElf } from './parse-elf.ts'
import { makeElf } from '../test/make-elf.ts'

function failure(run: () => unknown) {
  try {
    run()
  } catch (error) {
    if (isTsbpfError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const code = Uint8Array.of(0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0)
const spec: ElfSpec = {
  sections: [
    { name: 'xdp', flags: 6n, addralign: 8n, data: code, relocations: [{ offset: 8, symbol: 1, type: 1 }] },
    { name: '.bss', type: 8, flags: 3n, size: 64 },
  ],
  symbols: [
    { name: 'pass', type: 2, binding: 'global', section: 1, size: 16 },
    { name: '', type: 3, section: 1 },
    { name: 'counts', type: 1, binding: 'weak', visibility: 2, section: 2, value: 8n, size: 8 },
  ],
}

describe.each([true, false])('little endian %s', (littleEndian) => {
  const elf = parseElf(encodeElf({ ...spec, littleEndian }))

  it('keeps sections and their numbers, and puts its tables behind', () => {
    expect(elf).toMatchObject({ type: 1, machine: 247, littleEndian })
    expect(elf.sections.map(({ name, type }) => [name, type])).toEqual([
      ['', 0],
      ['xdp', 1],
      ['.bss', 8],
      ['.relxdp', 9],
      ['.symtab', 2],
      ['.strtab', 3],
    ])
    expect(elf.section('xdp')?.data).toEqual(code)
    expect(elf.section('.bss')).toMatchObject({ size: 64, data: new Uint8Array(0) })
    for (const { offset, addralign } of elf.sections.slice(1)) expect(BigInt(offset) % addralign).toBe(0n)
  })

  it('puts local symbols first and relocations follow', () => {
    expect(elf.symbols.map(({ name, binding }) => [name, binding])).toEqual([
      ['', 'local'],
      ['', 'local'],
      ['pass', 'global'],
      ['counts', 'weak'],
    ])
    expect(elf.section('.symtab')?.info).toBe(2)
    expect(elf.relocations(elf.section('xdp')!)).toEqual([{ offset: 8, symbol: 2, type: 1 }])
  })
})

it('an empty spec is a file', () => {
  expect(elfSpecOf(parseElf(encodeElf({ sections: [] })))).toEqual({ sections: [] })
})

it('a name is in the table of strings once', () => {
  const named = (name: string): ElfSymbolSpec => ({ name })
  const elf = parseElf(encodeElf({ sections: [{ name: 'a' }], symbols: ['a', 'b', 'a', 'b'].map(named) }))
  expect(new TextDecoder().decode(elf.section('.strtab')?.data)).toBe('\0a\0b\0.symtab\0.strtab\0')
})

describe('what cannot be written is refused', () => {
  const with0 = (section: Partial<ElfSectionSpec>): ElfSpec => ({
    sections: [{ name: 'a', data: code, ...section }],
    symbols: [{ name: 's' }],
  })
  const symbol = (row: Partial<ElfSymbolSpec>): ElfSpec => ({
    sections: [],
    symbols: [{ name: 's', ...row }],
  })
  const relocation = (...rows: object[]): ElfSpec =>
    with0({ relocations: rows.map((row) => ({ offset: 0, symbol: 0, type: 1, ...row })) })

  it.each<readonly [path: string, spec: ElfSpec]>([
    ['machine', { sections: [], machine: 65_536 }],
    ['flags', { sections: [], flags: -1 }],
    ['sections', { sections: Array.from({ length: 65_300 }, () => ({ name: '' })) }],
    ['sections[0].name', with0({ name: 'a\0b' })],
    ['sections[0].type', with0({ type: 2 })],
    ['sections[0].type', with0({ type: 9 })],
    ['sections[0].type', with0({ type: 17 })],
    ['sections[0].type', with0({ type: 1.5 })],
    ['sections[0].flags', with0({ flags: 1n << 64n })],
    ['sections[0].addr', with0({ addr: -1n })],
    ['sections[0].addralign', with0({ addralign: 3n })],
    ['sections[0].addralign', with0({ addralign: 1n << 32n })],
    ['sections[0].entsize', with0({ entsize: -1 })],
    ['sections[0].link', with0({ link: 2 })],
    ['sections[0].info', with0({ info: 2 ** 32 })],
    ['sections[0].size', with0({ size: 4 })],
    ['sections[0].data', with0({ type: 8 })],
    ['sections[0].relocations[0].offset', relocation({ offset: 16 })],
    ['sections[0].relocations[1].offset', relocation({}, { offset: Number.NaN })],
    ['sections[0].relocations[0].symbol', relocation({ symbol: 2 })],
    ['sections[0].relocations[0].type', relocation({ type: 2 ** 32 })],
    ['sections[0].relocations[1].addend', relocation({}, { addend: 0n })],
    ['sections[0].relocations[0].addend', relocation({ addend: 1n << 63n })],
    ['symbols[0].name', symbol({ name: '\0' })],
    ['symbols[0].type', symbol({ type: 16 })],
    ['symbols[0].visibility', symbol({ visibility: 4 })],
    ['symbols[0].section', symbol({ section: 1 })],
    ['symbols[0].section', symbol({ section: 0xffff })],
    ['symbols[0].value', symbol({ value: -1n })],
    ['symbols[0].size', symbol({ size: 2 ** 53 })],
  ])('%s', (path, bad) => {
    const error = failure(() => encodeElf(bad))
    expect(error).toMatchObject({ code: 'ELF_SPEC', context: { path } })
    expect(error.message).toMatch(/^\S+: expected .+, got /)
  })

  it.each<readonly [path: string, bytes: () => Uint8Array]>([
    ['type', () => makeElf([], { type: 3 }).bytes],
    ['sections[1].type', () => makeElf([{ name: '.group', type: 17 }]).bytes],
    [
      'sections[2].link',
      () =>
        makeElf([
          { name: 'a', type: 1, size: 0 },
          { name: '.rel', type: 9, info: 1, link: 3, data: new Uint8Array(16) },
        ]).bytes,
    ],
    ['sections[1].link', () => makeElf([{ name: 'a', type: 1, link: 2 }]).bytes],
    [
      'symbols[1].binding',
      () => {
        const made = makeElf([
          { name: '.symtab', type: 2, entsize: 24, link: 2, data: new Uint8Array(48) },
          { name: '.strtab', type: 3, data: new Uint8Array(1) },
        ])
        made.bytes[made.dataOf(1) + 28] = 0xa0
        return made.bytes
      },
    ],
  ])('of a file: %s', (path, bytes) => {
    const elf = parseElf(bytes())
    expect(failure(() => elfSpecOf(elf))).toMatchObject({ code: 'ELF_SPEC', context: { path } })
  })
})
