import type { TypeId } from '@tsbpf/base'
import type { Btf } from './btf-type.ts'
import { makeCodec } from './make-codec.ts'
import { valueNodes } from './value-tree.ts'

/** Decodes and encodes values of one type; see {@link codec}. */
export interface Codec {
  /** C spelling of the type. */
  readonly type: string
  /** Bytes of a value. */
  readonly size: number
  /** Whether values are decoded by code that was made for the type by now, not by its interpreted twin. */
  readonly compiled: boolean
  /** The value at `offset` of `bytes`; nothing of it aliases `bytes`. Throws `BTF_VALUE` where bytes are missing. */
  decode(bytes: Uint8Array | DataView, offset?: number): unknown
  /**
   * A function that decodes without looking whether all bytes are there, of code made for the type where that may be:
   * for loops that have looked. Where bytes are missing after all, it throws `RangeError` or decodes what is beside.
   */
  reader(): (view: DataView, offset: number) => unknown
  /**
   * Many values that stand behind each other, as of a batch of map elements or an array: faster than as many calls.
   * Throws `BTF_VALUE` where bytes are missing.
   */
  decodeMany(bytes: Uint8Array | DataView, options?: DecodeManyOptions): unknown[]
  /** New bytes of the value, padding zero. Throws `BTF_VALUE` with the path of what does not fit. */
  encode(value: unknown): Uint8Array
  /** As `encode`, into `bytes` at `offset`; where it throws, `bytes` are unchanged. */
  encodeInto(value: unknown, bytes: Uint8Array, offset?: number): void
}

/** Options of {@link Codec.decodeMany}. */
export interface DecodeManyOptions {
  /** Where the first value is, in bytes; 0 unless given. */
  readonly offset?: number
  /** Bytes from one value to the next, the values' size unless given: the kernel rounds per-CPU values up to 8. */
  readonly stride?: number
  /** How many values; as many as the bytes hold unless given. */
  readonly count?: number
}

/** Options of {@link codec}. */
export interface CodecOptions {
  /**
   * Whether code is made for the type: `hot`, unless given, once it has been used often enough to pay; `now` at the
   * first use; `never`, for pages whose content security policy reports each try.
   */
  readonly compile?: 'hot' | 'now' | 'never'
}

/**
 * The codec of a type: between bytes, in the byte order of the BTF, and values of JavaScript.
 *
 * | C | decoded | encoded from |
 * |---|---|---|
 * | int of up to 32 bits, `char` | `number` | `number` or `bigint` in range |
 * | int of 64 and 128 bits, pointer | `bigint` | `bigint`, or `number` up to 2^53 |
 * | `bool` | `boolean` | `boolean` |
 * | `float`, `double` | `number` | `number` |
 * | enum | name of the first enumerator with that value; `number` for any other (`bigint` for 64 bits) | name, `number` or `bigint` |
 * | array of `char` | `string` up to the first NUL; a byte that is not UTF-8 is U+DC80 to U+DCFF | `string` or `Uint8Array` that fits; the rest is zero |
 * | array of `unsigned char` (`u8`) | `Uint8Array`, a copy | `Uint8Array` or array of that length |
 * | other array | array | array of that length |
 * | struct, union, DATASEC | plain object; members of anonymous members are its own | object; a missing member is zero, an unknown one is an error |
 *
 * A bitfield has the value of its declared type. A decoded union has all its members; encoded, it takes one of them,
 * or several that agree. An array without a length, at the end of a struct, has no elements. Typedefs and modifiers do
 * not matter. A float of another size is its bytes.
 *
 * What was encoded is decoded to the same value; of any bytes, the decoded value is encoded to bytes with the same
 * value, in which padding and what is behind a text's NUL are zero, and every `true` is 1.
 * Codecs are kept for each type of each BTF.
 *
 * A codec that is used often compiles itself: it makes straight-line code of the layout, in which names stand only as
 * escaped literals. Where code may not be made of text (a content security policy without `unsafe-eval`, Node with
 * `--disallow-code-generation-from-strings`), and for types too large to be worth it, it goes on interpreting; values
 * and errors are the same.
 *
 * Throws `BTF_NO_SIZE`, `BTF_SIZE`, `BTF_CYCLE` and `BTF_LAYOUT` for types that have no values or impossible ones.
 *
 * @example
 * ```ts
 * import { codec, parseBtf } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const [id] = kernel.idsByName('list_head', 'struct')
 * const list = codec(kernel, id ?? 0)
 * console.log(list.decode(list.encode({ next: 1n }))) // { next: 1n, prev: 0n }
 * ```
 */
export function codec(btf: Btf, id: TypeId | number, options: CodecOptions = {}): Codec {
  const { compile = 'hot' } = options
  const known = codecsOf(btf)[compile]
  let found = known.get(id)
  if (found === undefined) {
    found = makeCodec(btf, id, valueNodes(btf).node(id), compile)
    known.set(id, found)
  }
  return found
}

type Codecs = Readonly<Record<NonNullable<CodecOptions['compile']>, Map<number, Codec>>>
const codecs = new WeakMap<Btf, Codecs>()

function codecsOf(btf: Btf): Codecs {
  let known = codecs.get(btf)
  if (known === undefined) {
    known = { hot: new Map(), now: new Map(), never: new Map() }
    codecs.set(btf, known)
  }
  return known
}
