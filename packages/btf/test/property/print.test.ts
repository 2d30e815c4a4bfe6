import { isTsbpfError } from '@tsbpf/base'
import { bundledFile } from '@tsbpf/testkit/bundled-file'
import { mutations } from '@tsbpf/testkit/mutations'
import fc from 'fast-check'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import {
  encodeBtf,
  joinChunks,
  parseBtf,
  printC,
  printJson,
  printRaw,
  printTypeScript,
} from '../../src/index.ts'
import type { Btf, BtfTypeInput } from '../../src/index.ts'
import { sectionsOf } from '../elf-sections.ts'
import typesBig from '../golden/print/traps.clang-19.eb.o?inline'
import typesLittle from '../golden/print/traps.clang-22.el.o?inline'
import { anyType } from '../type-graphs.ts'

/** Text, or an error of this package, soon. */
function print(run: () => Iterable<string>): string {
  const start = cpuTime()
  let text = ''
  try {
    text = joinChunks(run())
  } catch (error) {
    if (!isTsbpfError(error) || !error.code.startsWith('BTF_') || error.hint === undefined) throw error
    text = error.code
  }
  const took = cpuTime() - start
  // Tens of thousands of times: an expectation takes as long as printing.
  if (took >= 4000) expect(took).toBeLessThan(4000)
  return text
}

/**
 * Prints all types, and by themselves those from an id on, each so many. It ends where a text is too long: most of what
 * is left would take as long, and end the same.
 */
function printAll(btf: Btf, first: number, each: number): void {
  print(() => printRaw(btf))
  const json = print(() => printJson(btf, { values: 'exact' }))
  if (!json.startsWith('BTF_')) expect(() => JSON.parse(json) as unknown).not.toThrow()
  if (print(() => printC(btf)) === 'BTF_PRINT') return
  if (print(() => printC(btf, { order: 'id' })) === 'BTF_PRINT') return
  for (let id = first; id < Math.min(btf.endId, 300); id += each) {
    print(() => printTypeScript(btf, [id]))
    if (print(() => printC(btf, { roots: [id] })) === 'BTF_PRINT') return
  }
}

const open = (types: readonly BtfTypeInput[]): Btf => parseBtf(encodeBtf(types, { rules: 'none' }))
const int: BtfTypeInput = { kind: 'int', name: 'int', size: 4, signed: true }
const record = (name: string, size: number, ...types: number[]): BtfTypeInput => ({
  kind: 'struct',
  name,
  size,
  members: types.map((type, i) => ({ name: `m${i}`, type, offsetBits: 0 })),
})
const c = (types: readonly BtfTypeInput[]): string => print(() => printC(open(types)))

describe('any BTF gives text or an error, in bounded time', () => {
  it.each([
    ['little', typesLittle],
    ['big', typesBig],
  ])(
    'damaged objects, %s endian',
    (_, file) => {
      const whole = sectionsOf(bundledFile(file)).get('.BTF') ?? new Uint8Array()
      let first = 0
      for (const { bytes } of mutations(whole, 7, 60)) {
        let btf: Btf
        try {
          btf = parseBtf(bytes)
        } catch (error) {
          if (!isTsbpfError(error)) throw error
          continue
        }
        // A copy's damage is in few types; four copies together have all of them printed.
        printAll(btf, 1 + (first++ % 4), 4)
      }
    },
    60_000,
  )

  it('random graphs of types', () => {
    const graph = fc
      .integer({ min: 1, max: 12 })
      .chain((count) => fc.array(anyType(count), { minLength: count, maxLength: count }))
    fc.assert(
      fc.property(graph, (types) => {
        printAll(open(types), 1, 1)
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  it('breaking off ends the work', () => {
    const types = Array.from({ length: 5000 }, (_, i) => record(`s${i}`, 4, 1))
    const chunks = printC(open([int, ...types]))
    expect(chunks.next().value?.length).toBeLessThan(200_000)
    expect(chunks.return().done).toBe(true)
  })
})

describe('types that C has not', () => {
  it.each<[string, readonly BtfTypeInput[]]>([
    ['a struct within itself', [int, record('a', 4, 2)]],
    ['structs within each other', [int, record('a', 4, 3), record('b', 4, 2)]],
    [
      'an anonymous struct that points to itself',
      [int, record('', 8, 3), { kind: 'ptr', type: 2 }, record('a', 8, 3)],
    ],
    ['a typedef of itself', [int, { kind: 'typedef', name: 't', type: 2 }, record('a', 4, 2)]],
    ['a constant of itself', [int, { kind: 'const', type: 2 }, record('a', 4, 2)]],
    ['an array of itself', [int, { kind: 'array', type: 2, indexType: 1, length: 1 }, record('a', 4, 2)]],
    ['a pointer to itself', [int, { kind: 'ptr', type: 2 }, record('a', 8, 2)]],
  ])('%s', (_, types) => {
    expect(c(types)).toMatch(/^BTF_(CYCLE|PRINT)$/)
  })

  it.each<[string, (id: number) => BtfTypeInput, string]>([
    ['structs within structs', (id) => record(`s${id}`, 4, id - 1), 'struct s2 m0;'],
    ['anonymous structs within each other', (id) => record('', 4, id - 1), '#endif'],
    ['pointers to pointers', () => ({ kind: 'ptr', type: 1 }), '#endif'],
    ['typedefs of typedefs', (id) => ({ kind: 'typedef', name: `t${id}`, type: id - 1 }), 'typedef t2 t3;'],
  ])(
    '%s, forty thousand deep',
    (_, type, expected) => {
      expect(c([int, ...Array.from({ length: 40_000 }, (_unused, i) => type(i + 2))])).toContain(expected)
    },
    20_000,
  )

  it('what is nested too deep to be written', () => {
    const deep = Array.from({ length: 1000 }, (_, i) => record('', 4, i + 1))
    expect(c([int, ...deep, record('holder', 4, 1001)])).toBe('BTF_CYCLE')
    const pointers = Array.from({ length: 100_000 }, (_, i): BtfTypeInput => ({ kind: 'ptr', type: i + 1 }))
    const stars = c([int, ...pointers, record('holder', 8, 100_001)])
    expect(stars).toContain(`\tint ${'*'.repeat(100_000)}m0;`)
  })

  it.each<[string, (id: number) => BtfTypeInput]>([
    [
      'functions of two functions each',
      (id) => ({ kind: 'func_proto', returnType: id - 1, params: [{ name: '', type: id - 1 }] }),
    ],
    ['anonymous structs of two each', (id) => record('', 4, id - 1, id - 1)],
  ])('%s, whose text doubles with every type', (_, type) => {
    const chain = Array.from({ length: 60 }, (_unused, i) => type(i + 2))
    expect(c([int, ...chain, record('holder', 4, 61)])).toBe('BTF_PRINT')
    expect(print(() => printTypeScript(open([int, ...chain]), [61]))).toMatch(/^BTF_(PRINT|NO_SIZE)$/)
  })

  it('gaps and names that have no measure', () => {
    expect(c([record('vast', 0xffff_ffff)])).toBe('BTF_PRINT')
    const name = 'n'.repeat(60_000)
    const many = open(Array.from({ length: 5000 }, (): BtfTypeInput => ({ kind: 'fwd', name })))
    for (const run of [() => printRaw(many), () => printJson(many), () => printC(many)]) {
      expect(print(run)).toBe('BTF_PRINT')
    }
  })

  it('a function where a value should be', () => {
    const types: BtfTypeInput[] = [
      int,
      { kind: 'func_proto', returnType: 0, params: [] },
      { kind: 'func', name: 'f', type: 2, linkage: 'static' },
      record('a', 4, 3),
    ]
    expect(c(types)).toBe('BTF_LAYOUT')
  })

  it('references and names that are not there', () => {
    const bytes = encodeBtf([int, { kind: 'ptr', type: 1 }])
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    view.setUint32(24 + 16 + 8, 77, true)
    view.setUint32(24, 9999, true)
    const btf = parseBtf(bytes)
    expect(joinChunks(printRaw(btf))).toBe(
      "[1] INT '(invalid)' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n[2] PTR '(anon)' type_id=77\n",
    )
    expect(() => joinChunks(printC(btf))).toThrow(/types\[2].*expected an id below 3, got 77/)
  })
})
