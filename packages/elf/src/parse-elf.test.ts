import { isTsbpfError } from '@tsbpf/base'
import type { TsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { makeElf, relocationRows, symbolRows } from '../test/make-elf.ts'
import type { MadeElf } from '../test/make-elf.ts'
import { parseElf } from './parse-elf.ts'

const text = new TextEncoder()

function failure(run: () => unknown): TsbpfError {
  try {
    run()
  } catch (error) {
    if (isTsbpfError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** A file with code, symbols, their names and REL rows for the code. */
function sample(little = true, patch?: { symbols?: Uint8Array; rel?: Uint8Array }): MadeElf {
  return makeElf(
    [
      { name: 'xdp', type: 1, data: new Uint8Array(32).fill(7), flags: 6 },
      { name: '.bss', type: 8, size: 4096 },
      {
        name: '.symtab',
        type: 2,
        entsize: 24,
        link: 4,
        data:
          patch?.symbols ??
          symbolRows(
            [
              {},
              { name: 1, info: 0x12, shndx: 1, value: 8n, size: 24n },
              { name: 6, info: 0x21, other: 2, shndx: 2 },
            ],
            little,
          ),
      },
      { name: '.strtab', type: 3, data: text.encode('\0prog\0counts\0') },
      {
        name: '.relxdp',
        type: 9,
        entsize: 16,
        link: 3,
        info: 1,
        data: patch?.rel ?? relocationRows([{ offset: 8n, symbol: 2, type: 1 }], little),
      },
    ],
    { little },
  )
}

describe.each([
  ['little', true],
  ['big', false],
] as const)('a %s-endian file', (_, little) => {
  it('is read whole', () => {
    const { bytes } = sample(little)
    const elf = parseElf(bytes)
    expect(elf).toMatchObject({ littleEndian: little, type: 1, machine: 247 })
    expect(elf.sections.map((section) => section.name)).toEqual([
      '',
      'xdp',
      '.bss',
      '.symtab',
      '.strtab',
      '.relxdp',
      '.shstrtab',
    ])
    const xdp = elf.section('xdp')
    expect(xdp).toMatchObject({ index: 1, type: 1, flags: 6n, size: 32, addralign: 1n })
    expect(xdp?.data).toEqual(new Uint8Array(32).fill(7))
    expect(elf.section('.bss')).toMatchObject({ type: 8, size: 4096, data: new Uint8Array(0) })
    expect(elf.section('nothing')).toBeUndefined()
    expect(elf.symbols).toEqual([
      { index: 0, name: '', type: 0, binding: 'local', visibility: 0, section: 0, value: 0n, size: 0 },
      { index: 1, name: 'prog', type: 2, binding: 'global', visibility: 0, section: 1, value: 8n, size: 24 },
      { index: 2, name: 'counts', type: 1, binding: 'weak', visibility: 2, section: 2, value: 0n, size: 0 },
    ])
    expect(elf.relocations(elf.sections[1]!)).toEqual([{ offset: 8, symbol: 2, type: 1 }])
    expect(elf.relocations(elf.sections[2]!)).toEqual([])
  })

  it('is read with RELA rows', () => {
    const rows = [
      { offset: 0n, symbol: 1, type: 2, addend: -5n },
      { offset: 31n, symbol: 0, type: 3, addend: 9n },
    ]
    const { bytes } = makeElf(
      [
        { name: 'a', type: 1, data: new Uint8Array(32) },
        { name: '.rela', type: 4, entsize: 24, link: 3, info: 1, data: relocationRows(rows, little) },
        { name: '.symtab', type: 2, entsize: 24, link: 4, data: symbolRows([{}, {}], little) },
        { name: '.strtab', type: 3, data: new Uint8Array(1) },
      ],
      { little },
    )
    const elf = parseElf(bytes)
    expect(elf.relocations(elf.sections[1]!)).toEqual([
      { offset: 0, symbol: 1, type: 2, addend: -5n },
      { offset: 31, symbol: 0, type: 3, addend: 9n },
    ])
  })

  it('is read with extended numbering', () => {
    const { bytes } = makeElf(
      [
        { name: '.symtab', type: 2, entsize: 24, link: 2, data: symbolRows([{}, { shndx: 0xffff }], little) },
        { name: '.strtab', type: 3, data: new Uint8Array(1) },
        {
          name: '.symtab_shndx',
          type: 18,
          entsize: 4,
          link: 1,
          data: little ? Uint8Array.of(0, 0, 0, 0, 2, 0, 0, 0) : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2),
        },
      ],
      { little, extended: true },
    )
    const elf = parseElf(bytes)
    expect(elf.sections.map((section) => section.name)).toEqual([
      '',
      '.symtab',
      '.strtab',
      '.symtab_shndx',
      '.shstrtab',
    ])
    expect(elf.symbols[1]?.section).toBe(2)
  })
})

it('aliases its input and keeps what it has read', () => {
  const { bytes, dataOf } = sample()
  const elf = parseElf(bytes)
  const data = elf.section('xdp')!.data
  bytes[dataOf(1)] = 0xaa
  expect(data[0]).toBe(0xaa)
  expect(elf.section('xdp')!.data).toBe(data)
  expect(elf.symbols).toBe(elf.symbols)
  expect(elf.relocations(elf.sections[1]!)).toBe(elf.relocations(elf.sections[1]!))
})

it('reads a view in the middle of a buffer', () => {
  const { bytes } = sample()
  const shifted = new Uint8Array(bytes.length + 7)
  shifted.set(bytes, 3)
  const elf = parseElf(shifted.subarray(3, 3 + bytes.length))
  expect(elf.symbols.map((symbol) => symbol.name)).toEqual(['', 'prog', 'counts'])
})

it('gives plain views of a subclass, such as a Buffer', () => {
  class Special extends Uint8Array {}
  const elf = parseElf(new Special(sample().bytes))
  expect(elf.section('xdp')!.data.constructor).toBe(Uint8Array)
  expect(elf.bytes.constructor).toBe(Uint8Array)
})

it('reads a file without sections', () => {
  const { bytes, view } = sample()
  view.setBigUint64(40, 0n, true)
  const elf = parseElf(bytes)
  expect([elf.sections, elf.symbols]).toEqual([[], []])
})

it('keeps symbol types, bindings and visibilities that have no name here', () => {
  const { bytes } = sample(true, { symbols: symbolRows([{}, { info: 0xad, other: 0xff, shndx: 0xfff1 }]) })
  expect(parseElf(bytes).symbols[1]).toMatchObject({
    type: 13,
    binding: 'other',
    visibility: 3,
    section: 0xfff1,
  })
})

describe('an error', () => {
  it('names ELF32 by its name', () => {
    const { bytes } = sample()
    bytes[4] = 1
    expect(failure(() => parseElf(bytes)).message).toBe(
      'elf: e_ident[EI_CLASS] at byte 4: expected 2 (ELF64), got 1 (ELF32)',
    )
  })

  it('is caught at the absolute offset of the field', () => {
    const made = sample()
    made.put(64, made.field(1, 'size'), 1n << 53n)
    expect(failure(() => parseElf(made.bytes)).context['offset']).toBe(made.field(1, 'size'))
  })
})

describe('a file that multiplies itself', () => {
  it('by headers that all mean the same bytes is refused', () => {
    const data = new Uint8Array(4096)
    const made = makeElf([
      { name: '', type: 1, data },
      ...Array.from({ length: 100 }, () => ({ name: '', type: 1 })),
    ])
    for (let i = 2; i <= 101; i++) {
      made.put(64, made.field(i, 'offset'), 64n)
      made.put(64, made.field(i, 'size'), 4096n)
    }
    expect(failure(() => parseElf(made.bytes)).code).toBe('ELF_OVERLAP')
  })

  it('by names that are tails of one another is refused', () => {
    const table = text.encode(`\0${'a'.repeat(60_000)}\0`)
    const rows = symbolRows(Array.from({ length: 1000 }, (_, i) => ({ name: i + 1 })))
    const made = makeElf([
      { name: '.symtab', type: 2, entsize: 24, link: 2, data: rows },
      { name: '.strtab', type: 3, data: table },
    ])
    expect(failure(() => parseElf(made.bytes).symbols).code).toBe('ELF_STRING')
  })
})
