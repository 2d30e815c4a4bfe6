/** Makes small BTF for tests, without the code under test: every number is written by hand. */

/** One type: its first three words, its name, and the words behind them; a string stands for its offset. */
export interface MadeType {
  readonly kind: number
  readonly name?: string
  readonly vlen?: number
  readonly flag?: boolean
  /** The third word: size or type. */
  readonly third?: number
  readonly tail?: readonly (number | string)[]
}

/** Options of {@link makeBtf}. */
export interface MakeOptions {
  readonly little?: boolean
  /** Bytes of the header; more than 24 leaves zeroes behind the known fields. */
  readonly headerSize?: number
  /** String offset of the first own string; that of a split BTF is its base's end. */
  readonly firstString?: number
  /** Strings of a base that names may refer to, by their offset. */
  readonly baseStrings?: ReadonlyMap<string, number>
}

/** The data of a BTF with these types, ids from 1 (or from behind the base's last). */
export function makeBtf(types: readonly MadeType[], options: MakeOptions = {}): Uint8Array {
  const { little = true, headerSize = 24, firstString = 0, baseStrings } = options
  const strings = firstString === 0 ? [''] : []
  const offsets = new Map<string, number>(firstString === 0 ? [['', 0]] : [])
  let stringsSize = firstString === 0 ? 1 : 0
  const offsetOf = (text: string): number => {
    const known = text === '' ? 0 : (baseStrings?.get(text) ?? offsets.get(text))
    if (known !== undefined) return known
    const offset = firstString + stringsSize
    offsets.set(text, offset)
    strings.push(text)
    stringsSize += new TextEncoder().encode(text).length + 1
    return offset
  }
  const words: number[] = []
  for (const { kind, name = '', vlen = 0, flag = false, third = 0, tail = [] } of types) {
    words.push(offsetOf(name), ((flag ? 0x8000_0000 : 0) | (kind << 24) | vlen) >>> 0, third)
    for (const word of tail) words.push(typeof word === 'string' ? offsetOf(word) : word >>> 0)
  }
  const text = new TextEncoder().encode(strings.map((string) => `${string}\0`).join(''))
  const bytes = new Uint8Array(headerSize + words.length * 4 + text.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0xeb9f, little)
  view.setUint8(2, 1)
  view.setUint32(4, headerSize, little)
  view.setUint32(8, 0, little)
  view.setUint32(12, words.length * 4, little)
  view.setUint32(16, words.length * 4, little)
  view.setUint32(20, text.length, little)
  words.forEach((word, i) => {
    view.setUint32(headerSize + i * 4, word, little)
  })
  bytes.set(text, headerSize + words.length * 4)
  return bytes
}

/** Members of a struct or union: name, type, offset in bits and, for a bitfield, its size in bits. */
type MadeMembers = readonly (readonly [name: string, type: number, bits: number, bitfield?: number])[]

function composite(kind: number, name: string, size: number, members: MadeMembers): MadeType {
  const flag = members.some((member) => member[3] !== undefined)
  const rows = members.flatMap(([member, type, bits, bitfield = 0]) => [
    member,
    type,
    (bitfield << 24) | bits,
  ])
  return { kind, name, vlen: members.length, flag, third: size, tail: rows }
}

/** Types by kind, in the words of the kernel's uapi/linux/btf.h. */
export const made = {
  int: (name: string, size: number, encoding = 0, bits = size * 8, offset = 0): MadeType => ({
    kind: 1,
    name,
    third: size,
    tail: [(encoding << 24) | (offset << 16) | bits],
  }),
  ptr: (type: number): MadeType => ({ kind: 2, third: type }),
  array: (type: number, length: number, index = 1): MadeType => ({ kind: 3, tail: [type, index, length] }),
  struct: (name: string, size: number, members: MadeMembers): MadeType => composite(4, name, size, members),
  union: (name: string, size: number, members: MadeMembers): MadeType => composite(5, name, size, members),
  enum: (
    name: string,
    values: readonly (readonly [string, number])[],
    signed = false,
    size = 4,
  ): MadeType => ({
    kind: 6,
    name,
    vlen: values.length,
    flag: signed,
    third: size,
    tail: values.flat(),
  }),
  fwd: (name: string, union = false): MadeType => ({ kind: 7, name, flag: union }),
  typedef: (name: string, type: number): MadeType => ({ kind: 8, name, third: type }),
  volatile: (type: number): MadeType => ({ kind: 9, third: type }),
  const: (type: number): MadeType => ({ kind: 10, third: type }),
  restrict: (type: number): MadeType => ({ kind: 11, third: type }),
  func: (name: string, proto: number, linkage = 1): MadeType => ({
    kind: 12,
    name,
    vlen: linkage,
    third: proto,
  }),
  proto: (result: number, params: readonly (readonly [string, number])[]): MadeType => ({
    kind: 13,
    vlen: params.length,
    third: result,
    tail: params.flat(),
  }),
  var: (name: string, type: number, linkage = 1): MadeType => ({
    kind: 14,
    name,
    third: type,
    tail: [linkage],
  }),
  datasec: (
    name: string,
    size: number,
    vars: readonly (readonly [type: number, offset: number, size: number])[],
  ): MadeType => ({ kind: 15, name, vlen: vars.length, third: size, tail: vars.flat() }),
  float: (name: string, size: number): MadeType => ({ kind: 16, name, third: size }),
  declTag: (name: string, type: number, component = -1, flag = false): MadeType => ({
    kind: 17,
    name,
    flag,
    third: type,
    tail: [component],
  }),
  typeTag: (name: string, type: number, flag = false): MadeType => ({ kind: 18, name, flag, third: type }),
  enum64: (name: string, values: readonly (readonly [string, bigint])[], signed = false): MadeType => ({
    kind: 19,
    name,
    vlen: values.length,
    flag: signed,
    third: 8,
    tail: values.flatMap(([value, number]) => [
      value,
      Number(BigInt.asUintN(32, number)),
      Number(BigInt.asUintN(32, number >> 32n)),
    ]),
  }),
}
