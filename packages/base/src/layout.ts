import type { Cursor } from './cursor.ts'

/** A field's type: how many bytes it takes, how it is aligned in C, and how it is read and written. */
export interface FieldType<T> {
  readonly name: string
  readonly size: number
  readonly align: number
  read(view: DataView, at: number, littleEndian: boolean): T
  write(view: DataView, at: number, value: T, littleEndian: boolean): void
}

function field<T>(
  name: string,
  size: number,
  read: FieldType<T>['read'],
  write: FieldType<T>['write'],
  align = size,
): FieldType<T> {
  return { name, size, align, read, write }
}

/** Unsigned 8-bit field. */
export const u8: FieldType<number> = field(
  'u8',
  1,
  (v, at) => v.getUint8(at),
  (v, at, x) => {
    v.setUint8(at, x)
  },
)
/** Unsigned 16-bit field. */
export const u16: FieldType<number> = field(
  'u16',
  2,
  (v, at, le) => v.getUint16(at, le),
  (v, at, x, le) => {
    v.setUint16(at, x, le)
  },
)
/** Unsigned 32-bit field. */
export const u32: FieldType<number> = field(
  'u32',
  4,
  (v, at, le) => v.getUint32(at, le),
  (v, at, x, le) => {
    v.setUint32(at, x, le)
  },
)
/** Signed 32-bit field. */
export const i32: FieldType<number> = field(
  'i32',
  4,
  (v, at, le) => v.getInt32(at, le),
  (v, at, x, le) => {
    v.setInt32(at, x, le)
  },
)
/** Unsigned 64-bit field. */
export const u64: FieldType<bigint> = field(
  'u64',
  8,
  (v, at, le) => v.getBigUint64(at, le),
  (v, at, x, le) => {
    v.setBigUint64(at, x, le)
  },
)

/**
 * A fixed number of bytes. Read, it is a view that aliases the input; written, the rest is zero.
 * A longer value is a mistake of the caller: `RangeError`.
 */
export function bytes(size: number): FieldType<Uint8Array> {
  return field(
    `u8[${size}]`,
    size,
    (v, at) => new Uint8Array(v.buffer, v.byteOffset + at, size),
    (v, at, x) => {
      const target = new Uint8Array(v.buffer, v.byteOffset + at, size)
      target.fill(0)
      target.set(x)
    },
    1,
  )
}

type Fields = Readonly<Record<string, FieldType<unknown>>>

/** The value that a layout reads and writes. */
export type ValueOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends FieldType<infer T> ? T : never
}

/** One declarative structure: its size, the place of each field, a reader and a writer. */
export interface Layout<F extends Fields> {
  readonly name: string
  readonly size: number
  readonly fields: F
  readonly offsets: { readonly [K in keyof F]: number }
  /** Reads the structure at the cursor and steps over it. */
  read(cursor: Cursor, field: string): ValueOf<F>
  /** Reads the structure from a view whose bounds the caller has checked. */
  readAt(view: DataView, at: number, littleEndian: boolean): ValueOf<F>
  /** Writes the given fields and zeroes for the others; padding is zero. */
  write(view: DataView, at: number, value: Partial<ValueOf<F>>, littleEndian: boolean): void
  /** New bytes with the given fields and zeroes elsewhere. */
  encode(value: Partial<ValueOf<F>>, littleEndian: boolean): Uint8Array
}

/**
 * A structure whose fields stand where they are said to stand: for generated layouts and unions.
 *
 * @example
 * ```ts
 * import { layoutAt, u32, u64 } from '@tsbpf/base'
 * const MapElem = layoutAt('map_elem', 32, { map_fd: u32, key: u64 }, { map_fd: 0, key: 8 })
 * console.log(MapElem.encode({ map_fd: 3 }, true).length) // 32
 * ```
 */
export function layoutAt<const F extends Fields>(
  name: string,
  size: number,
  fields: F,
  offsets: { readonly [K in keyof F]: number },
): Layout<F> {
  const rows = Object.entries(fields).map(([key, type]) => ({ key, type, at: offsets[key] ?? 0 }))
  const readAt = (view: DataView, at: number, littleEndian: boolean): ValueOf<F> => {
    const value: Record<string, unknown> = {}
    for (const row of rows) value[row.key] = row.type.read(view, at + row.at, littleEndian)
    return value as ValueOf<F>
  }
  const write = (view: DataView, at: number, value: Partial<ValueOf<F>>, littleEndian: boolean): void => {
    new Uint8Array(view.buffer, view.byteOffset + at, size).fill(0)
    for (const row of rows) {
      const given = value[row.key]
      if (given !== undefined) row.type.write(view, at + row.at, given, littleEndian)
    }
  }
  return {
    name,
    size,
    fields,
    offsets,
    readAt,
    read: (cursor, fieldName) => readAt(cursor.view, cursor.take(size, fieldName), cursor.littleEndian),
    write,
    encode(value, littleEndian) {
      const out = new Uint8Array(size)
      write(new DataView(out.buffer), 0, value, littleEndian)
      return out
    },
  }
}

/**
 * A C structure: each field at its natural alignment, in the order given, the size rounded up to the largest.
 *
 * @example
 * ```ts
 * import { struct, u8, u32 } from '@tsbpf/base'
 * const Pair = struct('pair', { a: u8, b: u32 })
 * console.log(Pair.size, Pair.offsets.b) // 8 4
 * ```
 */
export function struct<const F extends Fields>(name: string, fields: F): Layout<F> {
  const offsets: Record<string, number> = {}
  let at = 0
  let align = 1
  for (const [key, type] of Object.entries(fields)) {
    at = Math.ceil(at / type.align) * type.align
    offsets[key] = at
    at += type.size
    align = Math.max(align, type.align)
  }
  return layoutAt(name, Math.ceil(at / align) * align, fields, offsets as { readonly [K in keyof F]: number })
}
