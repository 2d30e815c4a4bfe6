import { decodeText, encodeText } from './text-bytes.ts'
import { BadValue, within } from './value-node.ts'
import type { ValueNode } from './value-node.ts'

function window(view: DataView, at: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, size)
}

/** Text of ASCII up to so many bytes is put together faster than a decoder is called. */
const shortText = 24

/** Text up to the first NUL of some bytes. */
export function readText(view: DataView, at: number, size: number): string {
  const short = size < shortText ? size : shortText
  let text = ''
  for (let i = 0; i < short; i++) {
    const byte = view.getUint8(at + i)
    if (byte === 0) return text
    if (byte > 127) return decodeText(window(view, at, size))
    text += String.fromCharCode(byte)
  }
  return short === size ? text : decodeText(window(view, at, size))
}

/** A copy of some bytes. */
export function readBytes(view: DataView, at: number, size: number): Uint8Array {
  return window(view, at, size).slice()
}

/** `char[size]`: text up to the first NUL; a text may fill it without one, as in C. */
export function textNode(size: number): ValueNode {
  return {
    size,
    weight: 1,
    form: { kind: 'text' },
    read: (view, at) => readText(view, at, size),
    write(view, at, value) {
      // A string of more units than bytes cannot fit.
      const text = typeof value === 'string' && value.length <= size
      const bytes = text ? encodeText(value) : value
      if (!(bytes instanceof Uint8Array) || bytes.length > size) {
        throw new BadValue(`a string without NUL of at most ${size} bytes of UTF-8`, value)
      }
      window(view, at, size).set(bytes)
    },
  }
}

/** Raw bytes: `u8[size]`, and what has no better value. */
export function bytesNode(size: number): ValueNode {
  return {
    size,
    weight: 1,
    form: { kind: 'bytes' },
    read: (view, at) => readBytes(view, at, size),
    write(view, at, value) {
      const bytes =
        value instanceof Uint8Array ? value : Array.isArray(value) ? byteArray(value, size) : undefined
      if (bytes?.length !== size) throw new BadValue(`${size} bytes`, value)
      window(view, at, size).set(bytes)
    },
  }
}

function byteArray(values: readonly unknown[], size: number): Uint8Array | undefined {
  if (values.length !== size) return undefined
  return Uint8Array.from(values, (value, i) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255) return value
    const fault = new BadValue('an integer from 0 to 255', value)
    fault.trail.push(i)
    throw fault
  })
}

/** Any other array. */
export function arrayNode(element: ValueNode, length: number): ValueNode {
  return {
    size: element.size * length,
    weight: 1 + element.weight * length,
    form: { kind: 'array', element, length },
    read(view, at) {
      const values: unknown[] = []
      for (let i = 0; i < length; i++) values.push(element.read(view, at + i * element.size))
      return values
    },
    write(view, at, value) {
      const list =
        Array.isArray(value) || ArrayBuffer.isView(value) ? (value as ArrayLike<unknown>) : undefined
      if (list?.length !== length) throw new BadValue(`an array of ${length}`, value)
      for (let i = 0; i < length; i++) {
        within(i, () => {
          element.write(view, at + i * element.size, list[i])
        })
      }
    },
  }
}
