import { isTsbpfError } from '@tsbpf/base'
import { bundledFile } from '@tsbpf/testkit/bundled-file'
import { mutations } from '@tsbpf/testkit/mutations'
import fc from 'fast-check'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import {
  btfBuilder,
  dedupBtf,
  distillBase,
  mergeBtf,
  parseBtf,
  relocateBtf,
  sanitizeBtf,
  swapBtf,
  swapBtfExt,
} from '../../src/index.ts'
import type { Btf } from '../../src/index.ts'
import typesBig from '../golden/types.clang-19.eb.o?inline'
import typesLittle from '../golden/types.clang-19.el.o?inline'
import { sectionsOf } from '../elf-sections.ts'
import { made, makeBtf } from '../make-btf.ts'
import { anyGraph } from '../type-graphs.ts'

/** A value or a TsbpfError of this package. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    expect(error.code).toMatch(/^BTF_/)
    expect(error.hint).toBeTypeOf('string')
    return undefined
  }
}

/** Everything that is done with a whole BTF, twice over. */
function writeAll(btf: Btf, ext?: Uint8Array): void {
  attempt(() => swapBtf(btf.bytes, { split: btf.base !== undefined }))
  attempt(() => mergeBtf([btf, btf]))
  attempt(() => sanitizeBtf(btf, () => false))
  attempt(() => dedupBtf(btf, ext === undefined ? {} : { ext }))
  attempt(() => dedupBtf(mergeBtf([btf, btf]).btf))
  const split = attempt(() => {
    const builder = btfBuilder({ base: btf, rules: 'none' })
    builder.addBtf(mergeBtf([btf]).btf)
    return builder.open()
  })
  if (split === undefined) return
  const small = attempt(() => dedupBtf(split).btf) ?? split
  const distilled = attempt(() => distillBase(small))
  if (distilled !== undefined) attempt(() => relocateBtf(distilled.btf, btf))
}

function law(bytes: Uint8Array, ext?: Uint8Array, limit = 5000): void {
  const start = cpuTime()
  if (ext !== undefined) attempt(() => swapBtfExt(ext))
  const btf = attempt(() => parseBtf(bytes))
  if (btf !== undefined) writeAll(btf, ext)
  expect(cpuTime() - start).toBeLessThan(limit)
}

const files = Object.entries({ typesLittle, typesBig }).map(([name, file]) => {
  const sections = sectionsOf(bundledFile(file))
  return { name, btf: sections.get('.BTF')!, ext: sections.get('.BTF.ext')! }
})

describe('writing what was read', { timeout: 60_000 }, () => {
  it.each(files)('damaged: $name', ({ btf, ext }) => {
    for (const { bytes } of mutations(btf, 7, 400)) law(bytes, ext)
    for (const { bytes } of mutations(ext, 7, 200)) law(btf, bytes)
  })

  it('any types, in circles and out of order', () => {
    fc.assert(
      fc.property(anyGraph, (types) => {
        const builder = btfBuilder({ rules: 'none' })
        for (const type of types) builder.add(type)
        writeAll(builder.open())
      }),
    )
  })
})

describe('types made to take forever', { timeout: 60_000 }, () => {
  const code = (run: () => unknown): string | undefined => {
    try {
      run()
    } catch (error) {
      return isTsbpfError(error) ? error.code : String(error)
    }
    return undefined
  }
  const within = (limit: number, run: () => void): void => {
    const start = cpuTime()
    run()
    expect(cpuTime() - start).toBeLessThan(limit)
  }

  /** Structs that are alike, each with a chain of its own to an int of its own. */
  const chains = (count: number): Btf => {
    const types = Array.from({ length: count }, (_, i) => [
      made.struct('s', 8, [['a', i * 3 + 2, 0]]),
      made.ptr(i * 3 + 3),
      made.int(`i${i}`, 4),
    ]).flat()
    return parseBtf(makeBtf(types))
  }

  it('structs that differ only far away', () => {
    within(5000, () => expect(dedupBtf(chains(1500)).btf.endId).toBe(4501))
    within(20_000, () => expect(code(() => dedupBtf(chains(6_000)))).toBe('BTF_DEDUP'))
  })

  it('structs that lead to each other, all alike', () => {
    const count = 1000
    const members = (i: number) =>
      Array.from({ length: 8 }, (_, m) => [`m${m}`, count + 1 + ((i * 7 + m * 13) % count), m * 64] as const)
    const types = [
      ...Array.from({ length: count }, (_, i) => made.struct('s', 64, members(i))),
      ...Array.from({ length: count }, (_, i) => made.ptr(1 + ((i * 31) % count))),
    ]
    within(20_000, () => {
      const found = code(() => dedupBtf(parseBtf(makeBtf(types))))
      expect([undefined, 'BTF_DEDUP']).toContain(found)
    })
  })

  it('a chain of a hundred thousand pointers, and a circle of them', () => {
    const count = 100_000
    const chain = Array.from({ length: count }, (_, i) => made.ptr((i + 2) % (count + 1)))
    within(5000, () => expect(dedupBtf(parseBtf(makeBtf(chain))).btf.endId).toBe(count + 1))
    const circle = [...chain.slice(0, -1), made.ptr(1)]
    within(5000, () => expect(code(() => dedupBtf(parseBtf(makeBtf(circle))))).toBe('BTF_CYCLE'))
  })

  it('a struct that contains itself', () => {
    const inner = (id: number) => made.struct('s', 8, [['a', id, 0]])
    const btf = parseBtf(makeBtf([inner(1), inner(2), inner(1), inner(3)]))
    expect(dedupBtf(btf).btf.endId).toBeLessThanOrEqual(5)
  })

  it('names that are tails of one string', () => {
    const long = 'x'.repeat(30_000)
    const bytes = makeBtf([made.fwd(long), ...Array.from({ length: 20_000 }, () => made.fwd('y'))])
    const view = new DataView(bytes.buffer)
    for (let i = 1; i <= 20_000; i++) view.setUint32(24 + i * 12, 1 + i, true)
    const btf = parseBtf(bytes)
    expect(code(() => dedupBtf(btf))).toBe('BTF_STRING')
    expect(code(() => mergeBtf([btf]))).toBe('BTF_STRING')
  })
})
