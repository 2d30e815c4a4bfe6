import { tablesOf } from '../btf-tables.ts'
import type { Btf } from '../btf-type.ts'

/**
 * A BTF with its bases as flat tables by type id, for printers that go through all of it: decoding each type to an
 * object would cost them several times what printing does.
 */
export interface FlatBtf {
  readonly btf: Btf
  /** First id that is the BTF's own, and one more than the last. */
  readonly firstId: number
  readonly endId: number
  readonly words: Uint32Array
  /** By id: index in `words`; that of void means nothing. */
  readonly starts: Uint32Array
  /** Strings of the bases and of the BTF, by their offsets; the last byte is NUL. */
  readonly strings: Uint8Array
}

/** Tables of a BTF; words and strings of one that stands alone alias its bytes. */
export function flatBtf(btf: Btf): FlatBtf {
  const layers: Btf[] = []
  for (let layer: Btf | undefined = btf; layer !== undefined; layer = layer.base) layers.unshift(layer)
  const starts = new Uint32Array(btf.endId)
  const wordParts: Uint32Array[] = []
  const stringParts: Uint8Array[] = []
  let before = 0
  for (const layer of layers) {
    const { index, strings } = tablesOf(layer)
    starts.set(index.starts.subarray(0, index.count), layer.firstId)
    if (before > 0)
      for (let id = layer.firstId; id < layer.endId; id++) starts[id] = before + (starts[id] ?? 0)
    before += index.words.length
    wordParts.push(index.words)
    stringParts.push(strings.bytes)
  }
  return {
    btf,
    firstId: btf.firstId,
    endId: btf.endId,
    words: joined(wordParts, (length) => new Uint32Array(length)),
    starts,
    strings: joined(stringParts, (length) => new Uint8Array(length)),
  }
}

function joined<T extends Uint8Array | Uint32Array>(parts: readonly T[], make: (length: number) => T): T {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const whole = make(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Whether the string at an offset is this ASCII text. */
export function isNamed(strings: Uint8Array, offset: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (strings[offset + i] !== text.charCodeAt(i)) return false
  return strings[offset + text.length] === 0
}
