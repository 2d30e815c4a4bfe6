import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  buildId,
  compressionOf,
  debugLink,
  fileOffsetOf,
  findSymbols,
  notes,
  parseElf,
  sectionContents,
  symbolFileOffset,
  usdtProbes,
} from '../../src/index.ts'
import type { ElfFile, ElfSymbol } from '../../src/index.ts'

type Numbers = Readonly<Record<string, number | string>>

interface Golden {
  readonly machine: number
  readonly count: number
  readonly sections: readonly Numbers[]
  readonly symbols: readonly Numbers[]
  readonly dynamicSymbols: readonly Numbers[]
  readonly segments: readonly Numbers[]
  readonly notes: readonly {
    readonly section: string
    readonly offset: number
    readonly notes: readonly { readonly name: string; readonly size: number; readonly buildId?: string }[]
  }[]
  readonly probes: readonly Readonly<Record<string, string>>[]
  readonly contents: readonly { readonly name: string; readonly size: number; readonly sha256: string }[]
  readonly relocations: readonly { readonly table: number; readonly rows: readonly Numbers[] }[]
}

const read = (name: string): Buffer => readFileSync(join(import.meta.dirname, name))
const objects = JSON.parse(read('objects.json').toString()) as {
  readonly judge: string
  readonly seconds: readonly string[]
  readonly objects: Readonly<Record<string, { readonly compiler: string }>>
}
const bindings = ['local', 'global', 'weak', 'other']

const symbolNumbers = (symbols: readonly ElfSymbol[]) =>
  symbols.map((symbol) => ({
    name: symbol.name,
    type: symbol.type,
    binding: bindings.indexOf(symbol.binding),
    visibility: symbol.visibility,
    section: symbol.section,
    value: Number(symbol.value),
    size: symbol.size,
  }))

const hex = (value: bigint) => `0x${value.toString(16).padStart(16, '0')}`

/** Our view in the numbers of the golden, but for what compressed sections hold. */
function brief(elf: ElfFile): Omit<Golden, 'contents'> {
  const tables = elf.sections.filter((section) => section.type === 4 || section.type === 9)
  return {
    machine: elf.machine,
    count: elf.sections.length,
    sections: elf.sections.map((section) => ({
      index: section.index,
      name: section.name,
      type: section.type,
      flags: Number(section.flags),
      addr: Number(section.addr),
      offset: section.offset,
      size: section.size,
      link: section.link,
      info: section.info,
      addralign: Number(section.addralign),
      entsize: section.entsize,
    })),
    symbols: symbolNumbers(elf.symbols),
    dynamicSymbols: symbolNumbers(elf.dynamicSymbols),
    segments: elf.segments.map((segment) => ({
      type: segment.type,
      flags: segment.flags,
      offset: segment.offset,
      vaddr: Number(segment.vaddr),
      paddr: Number(segment.paddr),
      filesz: segment.filesz,
      memsz: Number(segment.memsz),
      align: Number(segment.align),
    })),
    notes: elf.sections
      .filter((section) => section.type === 7)
      .map((section) => ({
        section: section.name,
        offset: section.offset,
        notes: [...notes(elf)]
          .filter((note) => note.path.startsWith(`sections[${section.index}].`))
          .map(({ name, desc }) => {
            const id = section.name === '.note.gnu.build-id' ? { buildId: buildId(elf)! } : {}
            return { name, size: desc.length, ...id }
          }),
      })),
    probes: usdtProbes(elf).map(({ provider, name, location, base, semaphore, argumentText }) => ({
      provider,
      name,
      location: hex(location),
      base: hex(base),
      semaphore: hex(semaphore ?? 0n),
      argumentText,
    })),
    relocations: tables.map((table) => ({
      table: table.index,
      rows: elf.relocations(elf.sections[table.info]!).map(({ offset, symbol, type, addend }) => ({
        offset,
        symbol,
        type,
        ...(addend === undefined ? {} : { addend: String(addend) }),
      })),
    })),
  }
}

/** Addends as text with a sign; readelf gives them without one. */
function signed(golden: Golden): Golden {
  const rows = (table: Golden['relocations'][number]) =>
    table.rows.map((row) =>
      row['addend'] === undefined
        ? row
        : { ...row, addend: String(BigInt.asIntN(64, BigInt(row['addend']))) },
    )
  return { ...golden, relocations: golden.relocations.map((table) => ({ ...table, rows: rows(table) })) }
}

describe(`as ${objects.judge}, ${objects.seconds.join(', ')} read it`, () => {
  it.each(Object.entries(objects.objects))('%s', (name, { compiler }) => {
    const golden = signed(JSON.parse(read(`${name}.readelf.json`).toString()) as Golden)
    const elf = parseElf(read(name), { name })
    const found = brief(elf)
    // Two tables of a linked file may apply to one section; the golden has them apart.
    if (name.endsWith('.so')) {
      const rows = (all: Pick<Golden, 'relocations'>) => all.relocations.flatMap((table) => table.rows)
      expect(rows(found)).toEqual(expect.arrayContaining([...rows(golden)]))
    } else {
      expect(found.relocations).toEqual(golden.relocations)
    }
    const { relocations: _, contents, ...rest } = golden
    expect({ ...found, relocations: undefined, compiler }).toEqual({
      ...rest,
      relocations: undefined,
      compiler,
    })

    const compressed = elf.sections.filter((section) => compressionOf(elf, section) !== undefined)
    expect(
      compressed.map((section) => ({ name: section.name, size: compressionOf(elf, section)!.size })),
    ).toEqual(contents.map(({ name: section, size }) => ({ name: section, size })))
  })
})

describe('compressed sections', () => {
  const zstd = (zlib as { zstdDecompressSync?: (data: Uint8Array) => Uint8Array }).zstdDecompressSync
  const hashes = (name: string, inflate: (data: Uint8Array, size: number) => Uint8Array) => {
    const elf = parseElf(read(name), { name })
    const { contents } = JSON.parse(read(`${name}.readelf.json`).toString()) as Golden
    expect(contents.length).toBeGreaterThan(3)
    return contents.map(({ name: section, size, sha256 }) => {
      const bytes = sectionContents(elf, elf.section(section)!, (data, { size: room }) => inflate(data, room))
      const hash = createHash('sha256').update(bytes).digest('hex')
      return [
        { section, size: bytes.length, hash },
        { section, size, hash: sha256 },
      ]
    })
  }

  it('by zlib', () => {
    const found = hashes('debug.zlib.o', (data, size) => zlib.inflateSync(data, { maxOutputLength: size }))
    for (const [ours, golden] of found) expect(ours).toEqual(golden)
  })

  it.skipIf(zstd === undefined)(
    `by zstd${zstd === undefined ? ' [not run: this Node has no zstd]' : ''}`,
    () => {
      for (const [ours, golden] of hashes('debug.zstd.o', (data) => zstd!(data))) expect(ours).toEqual(golden)
    },
  )

  it('by zstd say so', () => {
    const elf = parseElf(read('debug.zstd.o'))
    const found = compressionOf(elf, elf.section('.debug_info')!)!
    expect(found).toMatchObject({ algorithm: 'zstd', addralign: 1n })
    expect([...found.data.subarray(0, 4)]).toEqual([0x28, 0xb5, 0x2f, 0xfd])
    expect(compressionOf(elf, elf.section('.text')!)).toBeUndefined()
  })
})

describe('places in the file', () => {
  const nops: Readonly<Record<number, string>> = { 62: '90', 183: '1f2003d5' }

  it.each(Object.keys(objects.objects).filter((name) => name.startsWith('probes')))(
    '%s: probes are at a nop',
    (name) => {
      const elf = parseElf(read(name), { name })
      const nop = nops[elf.machine]!
      const probes = usdtProbes(elf)
      expect(probes.length).toBeGreaterThan(4)
      for (const { offset, semaphore, semaphoreOffset } of probes) {
        expect(Buffer.from(elf.bytes.subarray(offset, offset! + nop.length / 2)).toString('hex')).toBe(nop)
        if (semaphore === undefined) expect(semaphoreOffset).toBeUndefined()
        else expect(semaphoreOffset).toBe(elf.section('.probes')!.offset)
      }
    },
  )

  it.each(Object.keys(objects.objects))('%s: symbols are where their section is', (name) => {
    const elf = parseElf(read(name), { name })
    for (const symbol of [...elf.symbols, ...elf.dynamicSymbols]) {
      const section = elf.sections[symbol.section]
      const none = section === undefined || section.index === 0 || section.type === 8 || symbol.type === 6
      const relative = elf.type === 1 ? symbol.value : symbol.value - (section?.addr ?? 0n)
      const past = relative >= BigInt(section?.size ?? 0)
      const expected = none || past ? undefined : section.offset + Number(relative)
      expect([symbol.name, symbolFileOffset(elf, symbol)]).toEqual([symbol.name, expected])
      if (symbol.name !== '') expect(findSymbols(elf, symbol.name)).toContainEqual(symbol)
    }
    expect(findSymbols(elf, 'no such symbol')).toEqual([])
  })

  it('are not where no segment is, nor in .bss', () => {
    const elf = parseElf(read('probes.gcc.x86_64.exe'))
    const bss = elf.section('.bss')!
    expect([fileOffsetOf(elf, 0n), fileOffsetOf(elf, bss.addr)]).toEqual([undefined, undefined])
    expect(fileOffsetOf(elf, elf.entry)).toBe(symbolFileOffset(elf, findSymbols(elf, 'caller')[0]!))
  })
})

it('a debug link names a file and its checksum', () => {
  // The file that was linked to stands in for debug information.
  expect(debugLink(parseElf(read('probes.gcc.x86_64.exe')))).toEqual({
    file: 'host.c',
    crc: zlib.crc32(read('host.c')),
  })
  expect(debugLink(parseElf(read('host.x86_64.so')))).toBeUndefined()
})

it.each(Object.keys(objects.objects).filter((name) => name.startsWith('probes')))(
  '%s: the arguments of every probe are understood',
  (name) => {
    for (const probe of usdtProbes(parseElf(read(name), { name }))) {
      expect(probe.arguments.map(({ text }) => text).join(' ')).toBe(probe.argumentText)
    }
  },
)
