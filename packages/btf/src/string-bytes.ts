import type { Btf } from './btf-type.ts'
import { readHeader } from './header.ts'
import type { BtfSections } from './header.ts'

/** The bytes of a BTF's strings, those of its bases included, for comparing names without decoding them. */
export interface StringBytes {
  /** Offset of the first own string; those below are the base's. */
  readonly start: number
  readonly bytes: Uint8Array
  readonly view: DataView
  /**
   * The first four bytes of the string at an offset as a little-endian number, zero after its end;
   * 0 for an offset that is out of range. Equal names have equal prefixes.
   */
  prefix(offset: number): number
  /** How the string at an offset begins: with `wanted` and its end, with `wanted` and what starts a flavour, or otherwise. */
  compare(offset: number, wanted: Uint8Array): 'equal' | 'flavour' | 'other'
}

const underscore = 0x5f

/** The strings of a BTF split from `base`, or of one that stands alone. */
export function stringBytes(data: Uint8Array, sections: BtfSections, base: Btf | undefined): StringBytes {
  const bytes = data.subarray(sections.stringsAt, sections.stringsAt + sections.stringsSize)
  const start = base?.endString ?? 0
  let inner: StringBytes | undefined
  const below = (): StringBytes | undefined => {
    if (base === undefined) return undefined
    return (inner ??= stringBytes(
      base.bytes,
      readHeader(base.bytes, 'base', base.base !== undefined),
      base.base,
    ))
  }
  return {
    start,
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    prefix(offset) {
      if (offset < start) return below()?.prefix(offset) ?? 0
      return prefixAt(bytes, offset - start)
    },
    compare(offset, wanted) {
      if (offset < start) return below()?.compare(offset, wanted) ?? 'other'
      const from = offset - start
      for (let i = 0; i < wanted.length; i++) if (bytes[from + i] !== wanted[i]) return 'other'
      const end = from + wanted.length
      if (bytes[end] === 0) return 'equal'
      return bytes[end] === underscore && bytes[end + 1] === underscore && bytes[end + 2] === underscore
        ? 'flavour'
        : 'other'
    },
  }
}

/** The first four bytes up to a NUL, lowest first. */
export function prefixAt(bytes: Uint8Array, from: number): number {
  let prefix = 0
  for (let i = 0; i < 4; i++) {
    const byte = bytes[from + i] ?? 0
    if (byte === 0) break
    prefix |= byte << (i * 8)
  }
  return prefix >>> 0
}
