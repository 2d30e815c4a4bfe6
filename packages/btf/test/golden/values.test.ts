import { describe, expect, it } from 'vitest'
import { codec, parseBtf } from '../../src/index.ts'
import { golden, sectionsOf } from './sections.ts'

/** What `value` of values.bpf.c is, read off its source. */
const value = {
  byte: 200,
  small: -100,
  letter: 'x'.charCodeAt(0),
  yes: true,
  no: false,
  half: 60000,
  negative_half: -30000,
  word: 4000000000,
  negative_word: -2000000000,
  big: 0xfedcba9876543210n,
  negative_big: -0x123456789abcdefn,
  huge: (0xfedcba9876543210n << 64n) | 0x0123456789abcdefn,
  negative_huge: -5n,
  real: 1.5,
  precise: -0.1,
  colour: 'BLUE',
  unknown: 77,
  sign: 'MINUS',
  wide: 'FAR',
  tiny: 'TINY',
  text: 'text',
  full: 'full',
  raw: Uint8Array.of(1, 2, 3, 4, 255),
  deltas: [-1, 0, 1],
  points: [
    { x: 1, y: -1 },
    { x: 2, y: -2 },
  ],
  grid: [
    [1, 2, 3],
    [4, 5, 6],
  ],
  lines: ['ab', 'cd'],
  bits: {
    a: 1,
    b: 100,
    c: -8000000,
    d: 0xabcdef0123n,
    e: true,
    f: 'GREEN',
    g: -0x1ffffffffffffn,
    h: 5,
    i: 17,
  },
  either: 0x3fc00000,
  other: 1.5,
  deep: 7,
  deeper: 8,
  nothing: 0n,
  qualified: 9,
  empty: {},
  rest: [],
}

describe.each(['el', 'eb'])('what clang lays out in %s', (order) => {
  const sections = sectionsOf(golden(`values.clang-19.${order}.o`))
  const btf = parseBtf(sections.get('.BTF')!)
  const bytes = sections.get('.data.value')!
  const everything = codec(btf, btf.idsByName('everything', 'struct')[0]!)

  it('is decoded', () => {
    const little = order === 'el'
    const number = {
      word: 0x01020304,
      bytes: little ? Uint8Array.of(4, 3, 2, 1) : Uint8Array.of(1, 2, 3, 4),
      first: little ? 0x0304 : 0x0102,
      second: little ? 0x0102 : 0x0304,
    }
    expect(everything.size).toBe(bytes.length)
    expect(everything.decode(bytes)).toEqual({ ...value, number })
  })

  it('is encoded to the same bytes', () => {
    expect(everything.encode(everything.decode(bytes))).toEqual(new Uint8Array(bytes))
    const { other, ...rest } = value
    expect(other).toBe(1.5)
    expect(everything.encode({ ...rest, number: { word: 0x01020304 } })).toEqual(new Uint8Array(bytes))
  })

  it('has the sizes and alignments that it says', () => {
    const measures = codec(btf, btf.find('measures', 'var')!.type).decode(sections.get('.rodata.measures')!) as number[]
    const types = [
      'struct point',
      'struct bits',
      'union number',
      'struct everything',
      'struct packed',
      'struct half_packed',
      'struct nested',
      'enum colour',
      'enum64 wide',
      'enum tiny',
    ]
    const found = types.map((name) => {
      const [kind, rest] = name.split(' ') as ['struct' | 'union' | 'enum' | 'enum64', string]
      const id = btf.idsByName(rest, kind)[0]!
      return [name, btf.sizeOf(id), btf.alignOf(id)]
    })
    const said = types.map((name, i) => [name, measures[i * 2], measures[i * 2 + 1]])
    // BTF does not record alignment: libbpf's rule, which is ours, knows no 128-bit alignment and no partial packing.
    const unknowable: Readonly<Record<string, number>> = { 'struct everything': 8, 'struct half_packed': 1 }
    expect(found).toEqual(said.map(([name, size, align]) => [name, size, unknowable[name as string] ?? align]))
  })
})
