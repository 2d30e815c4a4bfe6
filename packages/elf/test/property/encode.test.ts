import { isTsbpfError } from '@tsbpf/base'
import { bundledFile } from '@tsbpf/testkit/bundled-file'
import { mutations } from '@tsbpf/testkit/mutations'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { elfSpecOf, encodeElf, parseElf } from '../../src/index.ts'
import type { ElfRelocation, ElfSectionSpec, ElfSpec, ElfSymbolSpec } from '../../src/index.ts'
import host from '../golden/host.x86_64.o?inline'
import big from '../golden/program.clang-19.eb.o?inline'
import little from '../golden/program.clang-19.el.o?inline'

const name = fc
  .oneof(
    fc.constantFrom('', '.text', '.maps', '__proto__', 'é\u{1f600}', '\ufeffname'),
    fc.string({ maxLength: 12 }),
  )
  .filter((text) => !text.includes('\0') && !/[\ud800-\udfff]/u.test(text))
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const u32 = fc.nat(0xffff_ffff)

/** Leaves out what `encodeElf` takes where nothing is given: the form in which `elfSpecOf` gives a spec. */
function lean<T extends object>(value: T, defaults: Partial<Record<keyof T, unknown>>): T {
  const entries = Object.entries(value).filter(([key, field]) => field !== defaults[key as keyof T])
  return Object.fromEntries(entries) as T
}

const relocations = (length: number, symbols: number): fc.Arbitrary<readonly ElfRelocation[]> => {
  const row = { offset: fc.nat(length - 1), symbol: fc.nat(symbols), type: u32 }
  return fc.oneof(
    fc.array(fc.record(row), { maxLength: 4 }),
    fc.array(fc.record({ ...row, addend: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }) }), {
      maxLength: 4,
    }),
  )
}

const section = (count: number, symbols: number): fc.Arbitrary<ElfSectionSpec> =>
  fc
    .record({
      name,
      type: fc.constantFrom(1, 7, 8, 0x6fff_4c03, 0x7000_0001),
      // Neither compressed, which would say what its data are, nor with an info that is a section's number.
      flags: u64.map((flags) => flags & ~0x840n),
      addr: u64,
      addralign: fc.constantFrom(0n, 1n, 2n, 8n, 4096n),
      entsize: fc.nat(),
      link: fc.oneof(fc.nat(count), fc.constant('symtab' as const)),
      info: u32,
      data: fc.uint8Array({ maxLength: 40 }),
      size: fc.nat(),
    })
    .chain(({ data, size, ...rest }) => {
      const length = rest.type === 8 ? size : data.length
      return (length === 0 ? fc.constant([]) : relocations(length, symbols)).map((rows) => {
        const made = { ...rest, ...(rest.type === 8 ? { size } : { data }) }
        const defaults = { type: 1, flags: 0n, addr: 0n, addralign: 1n, entsize: 0, link: 0, info: 0 }
        return { ...lean(made, defaults), ...(rows.length === 0 ? {} : { relocations: rows }) }
      })
    })

const symbol = (count: number): fc.Arbitrary<ElfSymbolSpec> =>
  fc
    .record({
      name,
      type: fc.nat(15),
      binding: fc.constantFrom('local' as const, 'global' as const, 'weak' as const),
      visibility: fc.nat(3),
      section: fc.oneof(fc.nat(count), fc.constantFrom(0xfff1, 0xfff2)),
      value: u64,
      size: fc.maxSafeNat(),
    })
    .map((made) => lean(made, { type: 0, binding: 'local', visibility: 0, section: 0, value: 0n, size: 0 }))

const spec: fc.Arbitrary<ElfSpec> = fc
  .record({ count: fc.nat(6), symbols: fc.nat(6) })
  .chain(({ count, symbols }) =>
    fc.record({
      littleEndian: fc.boolean(),
      machine: fc.constantFrom(247, 62, 0xffff),
      flags: u32,
      sections: fc.array(section(count, symbols), { minLength: count, maxLength: count }),
      symbols: fc
        .array(symbol(count), { minLength: symbols, maxLength: symbols })
        .map((rows) => rows.toSorted((a, b) => Number('binding' in a) - Number('binding' in b))),
    }),
  )
  .map(({ symbols, ...rest }) => ({
    ...lean(rest, { littleEndian: true, machine: 247, flags: 0 }),
    ...(symbols.length === 0 ? {} : { symbols }),
  }))

it('parse∘encode = id', () => {
  fc.assert(
    fc.property(spec, (made) => {
      expect(elfSpecOf(parseElf(encodeElf(made)))).toEqual(made)
    }),
    { numRuns: 1000 },
  )
})

it('the same spec gives the same bytes', () => {
  fc.assert(
    fc.property(spec, (made) => {
      expect(encodeElf(structuredClone(made))).toEqual(encodeElf(made))
    }),
  )
})

it('symbols in any order mean the same', () => {
  fc.assert(
    fc.property(spec, fc.array(fc.nat()), (made, order) => {
      const symbols = made.symbols ?? []
      const shuffled = symbols.map((_, i) => i).toSorted((a, b) => (order[a] ?? a) - (order[b] ?? b))
      const numbers = new Map(shuffled.map((old, i) => [old + 1, i + 1]))
      const turned = {
        ...made,
        symbols: shuffled.map((old) => symbols[old]!),
        sections: made.sections.map(({ relocations: rows, ...rest }) => ({
          ...rest,
          ...(rows === undefined
            ? {}
            : { relocations: rows.map((row) => ({ ...row, symbol: numbers.get(row.symbol) ?? 0 })) }),
        })),
      }
      const meant = (bytes: Uint8Array) => {
        const elf = parseElf(bytes)
        const rows = elf.symbols.map((row) => ({ ...row, index: 0 }))
        return elf.sections.map((each) =>
          elf.relocations(each).map((row) => ({ ...row, symbol: rows[row.symbol] })),
        )
      }
      expect(meant(encodeElf(turned))).toEqual(meant(encodeElf(made)))
    }),
  )
})

it.each(Object.entries({ little, big, host }))('a damaged file is encoded, or refused: %s', (_, file) => {
  for (const { bytes } of mutations(bundledFile(file), 3, 1000)) {
    try {
      const made = elfSpecOf(parseElf(bytes))
      const again = encodeElf(made)
      const twice = encodeElf(elfSpecOf(parseElf(again)))
      // Element by element, an assertion on a thousand files would take a minute.
      expect([twice.length, twice.findIndex((byte, at) => byte !== again[at])]).toEqual([again.length, -1])
    } catch (error) {
      if (!isTsbpfError(error)) throw error
    }
  }
})
