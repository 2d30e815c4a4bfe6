import { readFileSync } from 'node:fs'
import { isTsbpfError } from '@tsbpf/base'
import { parseElf } from '@tsbpf/elf'
import { fakeSys } from '@tsbpf/sys'
import { mutations } from '@tsbpf/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kernelSymbols } from '../../src/index.ts'
import { fileSymbols, innermost } from '../../src/symbols/file-symbols.ts'
import { parseKallsyms } from '../../src/symbols/kallsyms.ts'
import { mappingAt, parseProcessMaps } from '../../src/symbols/process-maps.ts'

const name = fc.stringMatching(/^[A-Za-z_.][A-Za-z0-9_.]{0,20}$/)
const base = 0xffff_ffff_8000_0000n
/** Close together, so that symbols share addresses and words; some far away, at both ends of the kernel's half. */
const address = fc.oneof(
  fc.bigInt(0n, 4000n).map((offset) => base + offset),
  fc.bigInt(0n, 4000n).map((offset) => 0xffff_fffe_ffff_f800n + offset),
  fc.bigInt(1n << 63n, (1n << 64n) - 1n),
)
const symbol = fc.record({
  address,
  type: fc.constantFrom('T', 't', 'D', 'A', 'a', 'U', 'w'),
  name,
  module: fc.option(name, { nil: undefined }),
})
const textOf = (symbols: readonly (typeof symbol extends fc.Arbitrary<infer T> ? T : never)[]): string =>
  symbols
    .map(
      ({ address: at, type, name: label, module }) =>
        `${at.toString(16).padStart(16, '0')} ${type} ${label}${module === undefined ? '' : `\t[${module}]`}\n`,
    )
    .join('')

describe('kernel symbols', () => {
  it('are those of a naive search, for any text of /proc/kallsyms', () => {
    fc.assert(
      fc.property(
        fc.array(symbol, { maxLength: 60 }),
        fc.array(address, { minLength: 1 }),
        (symbols, others) => {
          const sys = fakeSys({ files: { '/proc/kallsyms': textOf(symbols) } })
          const shown = symbols.filter(({ type }) => !'AaU'.includes(type))
          if (symbols.length > 0 && shown.length === 0) {
            expect(() => kernelSymbols(sys)).toThrow('shows no addresses')
            return
          }
          const index = kernelSymbols(sys)
          const asked = [...others, ...symbols.flatMap(({ address: at }) => [at - 1n, at, at + 1n])]
          for (const at of asked.filter((one) => one < 1n << 64n)) {
            // The kernel's own go before what was loaded at the same address, then the first in the file.
            let best: (typeof shown)[number] | undefined
            for (const module of [false, true]) {
              for (const one of shown) {
                if ((one.module !== undefined) !== module || one.address > at) continue
                if (best === undefined || one.address > best.address) best = one
              }
            }
            const far = best !== undefined && at - best.address >= 1n << 24n
            expect(index.find(at)).toEqual(
              best === undefined || far
                ? undefined
                : { name: best.name, offset: Number(at - best.address), module: best.module },
            )
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  it('do not depend on the pieces that the text comes in', () => {
    fc.assert(
      fc.property(fc.array(symbol, { maxLength: 30 }), fc.integer({ min: 1, max: 50 }), (symbols, size) => {
        const bytes = new TextEncoder().encode(textOf(symbols))
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.slice(i * size, (i + 1) * size),
        )
        expect(parseKallsyms(pieces, { own: true })).toEqual(parseKallsyms([bytes], { own: true }))
      }),
    )
  })

  it('any bytes give symbols or an error with a code', () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.array(symbol, { maxLength: 5 }), fc.nat(), fc.nat(255)).map(([symbols, place, byte]) => {
        const bytes = new TextEncoder().encode(textOf(symbols))
        if (bytes.length > 0) bytes[place % bytes.length] = byte
        return bytes
      }),
    )
    fc.assert(
      fc.property(text, (bytes) => {
        try {
          parseKallsyms([bytes], { own: true })
        } catch (error) {
          expect(isTsbpfError(error, 'SYMBOLS_MALFORMED')).toBe(true)
        }
      }),
    )
  })
})

describe('user symbols', () => {
  it('an offset belongs to the span that began last of those that hold it', () => {
    const spans = fc.uniqueArray(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 40 })), {
      selector: ([start]) => start,
      maxLength: 20,
    })
    fc.assert(
      fc.property(spans, (unordered) => {
        const all = unordered.toSorted(([a], [b]) => a - b)
        const { places, owners } = innermost({
          count: all.length,
          start: Uint32Array.from(all, ([start]) => start),
          end: Uint32Array.from(all, ([start, size]) => start + size),
        })
        for (let at = 0; at < 110; at++) {
          const expected = all.findLastIndex(([start, size]) => at >= start && at < start + size)
          const place = places.findLastIndex((one) => one <= at)
          const owner = place < 0 ? 0xffff_ffff : owners[place]
          expect(owner).toBe(expected < 0 ? 0xffff_ffff : expected)
        }
        expect(places).toEqual(places.toSorted())
      }),
    )
  })

  it('mappings are found as a naive search does, and any line gives a mapping or an error with a code', () => {
    const mapping = fc.tuple(fc.bigInt(1n, 50n), fc.bigInt(0n, 5n), fc.constantFrom('r-xp', 'r--p', 'rwxs'))
    fc.assert(
      fc.property(fc.array(mapping, { maxLength: 20 }), (list) => {
        let at = 0x5000_0000_0000n
        const rows = list.map(([size, gap, mode], i) => {
          const start = at + gap * 4096n
          at = start + size * 4096n
          return { start, end: at, mode, path: `/lib/${i}` }
        })
        const text = rows
          .map(
            (row, i) =>
              `${row.start.toString(16)}-${row.end.toString(16)} ${row.mode} 00001000 fe:00 ${i + 7}  ${row.path}`,
          )
          .join('\n')
        const parsed = parseProcessMaps(new TextEncoder().encode(text), 'maps')
        for (const place of rows.flatMap(({ start, end }) => [start - 1n, start, end - 1n, end])) {
          const expected = rows.find((row) => row.mode.includes('x') && place >= row.start && place < row.end)
          expect(mappingAt(parsed, place)?.path).toBe(expected?.path)
        }
      }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.stringMatching(/^[0-9a-f r-xp:/\n-]{0,80}$/)), (text) => {
        const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
        try {
          parseProcessMaps(bytes, 'maps')
        } catch (error) {
          expect(isTsbpfError(error, 'SYMBOLS_MALFORMED')).toBe(true)
        }
      }),
    )
  })

  it('a damaged library gives symbols or an error with a code', () => {
    const golden = new URL('../../../elf/test/golden/probes.gcc.x86_64.so', import.meta.url)
    const library = new Uint8Array(readFileSync(golden))
    expect(fileSymbols(parseElf(library)).byteLength).toBeGreaterThan(0)
    for (const { bytes } of mutations(library, 6, 1000)) {
      try {
        const symbols = fileSymbols(parseElf(bytes))
        for (const at of [0, 0x1000, 0x1100, bytes.length]) symbols.find(at)
      } catch (error) {
        if (!isTsbpfError(error)) throw error
      }
    }
  })
})
