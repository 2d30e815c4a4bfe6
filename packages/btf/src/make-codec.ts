import type { Btf } from './btf-type.ts'
import type { Codec, CodecOptions } from './codec.ts'
import type { CompiledDecoder } from './compile-decode.ts'
import { compileDecoder, compileEncoder } from './compiled.ts'
import { errors } from './errors.ts'
import { formatType } from './format-type.ts'
import { limits } from './limits.ts'
import { BadValue, startEncoding } from './value-node.ts'
import type { ValueNode } from './value-node.ts'

/** The codec of a node; `id` is its type, for messages. */
export function makeCodec(
  btf: Btf,
  id: number,
  node: ValueNode,
  compile: NonNullable<CodecOptions['compile']>,
): Codec {
  const { size } = node
  const type = formatType(btf, id)
  const fault = (error: unknown): unknown => {
    if (!(error instanceof BadValue)) return error
    let path = 'value'
    for (const step of error.trail) path += typeof step === 'number' ? `[${step}]` : `.${step}`
    return errors.BTF_VALUE({ path, expected: error.expected, actual: error.actual, type, hint: error.hint })
  }
  const short = (length: number, bytes: number, offset: number): unknown => {
    const expected = `${bytes} bytes at offset ${offset} for ${type}`
    const hint = 'the map, or the record, has another type than the BTF says'
    return errors.BTF_VALUE({ path: 'bytes', expected, actual: `${length} bytes in all`, type, hint })
  }
  const room = (length: number, offset: number): void => {
    if (!(offset >= 0 && length - offset >= size)) throw short(length, size, offset)
  }
  const decoder = whenHot(compile, () => compileDecoder(node, btf.littleEndian))
  const encoder = whenHot(compile, () => compileEncoder(node, btf.littleEndian))
  const interpreted: CompiledDecoder = {
    read: (view, at) => node.read(view, at),
    readMany(view, at, count, stride) {
      const list: unknown[] = []
      for (let i = 0; i < count; i++) list.push(node.read(view, at + i * stride))
      return list
    },
  }

  /** Writes into bytes that are zero. */
  const write = ({ view, bytes }: Scratch, value: unknown): void => {
    const fast = encoder(1)
    if (fast !== undefined) {
      startEncoding()
      try {
        if (fast(view, 0, value)) return
      } catch {
        // The twin knows what is wrong, if anything is.
      }
      bytes.fill(0)
    }
    startEncoding()
    try {
      node.write(view, 0, value)
    } catch (error) {
      throw fault(error)
    }
  }
  let kept: Scratch | undefined
  /** Encodes, and gives the bytes to `use`; they are not to be kept. */
  const encoded = <T>(value: unknown, use: (bytes: Uint8Array) => T): T => {
    const scratch = kept ?? makeScratch(size)
    // A getter of the value may encode another one with this codec.
    kept = undefined
    try {
      write(scratch, value)
      return use(scratch.bytes)
    } finally {
      if (size <= keptScratch) {
        scratch.bytes.fill(0)
        kept = scratch
      }
    }
  }

  return {
    type,
    size,
    get compiled() {
      return decoder(0) !== undefined
    },
    decode(bytes, offset = 0) {
      room(bytes.byteLength, offset)
      return (decoder(1) ?? interpreted).read(viewOf(bytes), offset)
    },
    reader: () => (decoder(limits.usesBeforeCompiling) ?? interpreted).read,
    decodeMany(bytes, { offset = 0, stride = size, count } = {}) {
      const length = bytes.byteLength
      if (!(Number.isSafeInteger(stride) && stride >= 0))
        throw fault(new BadValue('a stride in bytes', stride))
      const fits =
        stride === 0 || length - offset < size ? 0 : Math.floor((length - offset - size) / stride) + 1
      const wanted = count ?? fits
      if (wanted === 0) return []
      if (!(Number.isSafeInteger(wanted) && wanted > 0)) throw fault(new BadValue('a count', wanted))
      const last = offset + (wanted - 1) * stride
      if (!(offset >= 0 && length - last >= size)) throw short(length, (wanted - 1) * stride + size, offset)
      return (decoder(wanted) ?? interpreted).readMany(viewOf(bytes), offset, wanted, stride)
    },
    encode(value) {
      if (size > limits.valueSize) throw errors.BTF_SIZE({ file: 'value', id, type })
      return encoded(value, (bytes) => (size <= keptScratch ? bytes.slice() : bytes))
    },
    encodeInto(value, bytes, offset = 0) {
      room(bytes.length, offset)
      encoded(value, (whole) => {
        bytes.set(whole, offset)
      })
    },
  }
}

/** Zeroes to encode into, before the caller's bytes are touched. */
interface Scratch {
  readonly bytes: Uint8Array
  readonly view: DataView
}

function makeScratch(size: number): Scratch {
  const bytes = new Uint8Array(size)
  return { bytes, view: new DataView(bytes.buffer) }
}

/** Bytes of the largest value for which memory is kept. */
const keptScratch = 4096

/** What `make` makes, once there have been so many uses that it pays; `undefined` before, and where it makes none. */
function whenHot<T>(
  when: NonNullable<CodecOptions['compile']>,
  make: () => T | undefined,
): (uses: number) => T | undefined {
  const hot = limits.usesBeforeCompiling
  let uses = { hot: 0, now: hot - 1, never: -Infinity }[when]
  let made: T | undefined
  return (more) => {
    if (made !== undefined) return made
    uses += more
    if (uses < hot) return undefined
    uses = -Infinity
    made = make()
    return made
  }
}

/** Bytes from which more than one value is likely to be read: a page or more. */
const many = 4096
const views = new WeakMap<Uint8Array, DataView>()

/**
 * A view that starts with the bytes, kept for large ones: making one costs as much as reading a record of ten numbers,
 * but to remember one costs more than that.
 */
function viewOf(bytes: Uint8Array | DataView): DataView {
  if (bytes instanceof DataView) return bytes
  if (bytes.byteLength < many) return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let view = views.get(bytes)
  if (view === undefined) {
    view = new DataView(bytes.buffer, bytes.byteOffset)
    views.set(bytes, view)
  }
  return view
}
