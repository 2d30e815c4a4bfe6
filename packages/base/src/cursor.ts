import { TsbpfError } from './error.ts'

/** Where and why a read failed; every parse error of @tsbpf carries these facts. */
export interface ReadFailure {
  /** Path of the field that was being read, such as `sections[3].sh_size`. */
  readonly path: string
  /** Offset in bytes from the start of the whole input. */
  readonly offset: number
  readonly expected: string
  readonly actual: string
}

/** Options of {@link Cursor}. */
export interface CursorOptions {
  readonly littleEndian: boolean
  /** Path of the thing that the bytes hold; fields read are named below it. */
  readonly path: string
  /** Offset of the first byte within the whole input; 0 unless given. */
  readonly base?: number
  /** Makes the error that a failed read throws; one with the code `BASE_TRUNCATED` unless given. */
  readonly fail?: (failure: ReadFailure) => TsbpfError
}

function truncated(failure: ReadFailure): TsbpfError {
  const { path, offset, expected, actual } = failure
  return new TsbpfError('BASE_TRUNCATED', `${path} at byte ${offset}: expected ${expected}, got ${actual}`, {
    context: { ...failure },
    hint: 'the input is cut short or damaged: make it again or copy it again',
  })
}

/**
 * Reads a `Uint8Array` front to back with every access checked; what it returns as bytes aliases the input.
 *
 * A read past the end throws the error made by `fail`, with the path of the field and its absolute offset.
 *
 * @example
 * ```ts
 * import { Cursor } from '@tsbpf/base'
 * const cursor = new Cursor(new Uint8Array([1, 2, 0, 0]), { littleEndian: true, path: 'demo' })
 * console.log(cursor.u16('magic')) // 513
 * ```
 */
export class Cursor {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly littleEndian: boolean
  readonly path: string
  readonly base: number
  readonly fail: (failure: ReadFailure) => TsbpfError
  /** Offset of the next byte to read, from the start of this cursor's bytes. */
  position = 0

  constructor(bytes: Uint8Array, options: CursorOptions) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.littleEndian = options.littleEndian
    this.path = options.path
    this.base = options.base ?? 0
    this.fail = options.fail ?? truncated
  }

  /** Bytes that are left. */
  get remaining(): number {
    return this.bytes.length - this.position
  }

  /** Steps over `size` bytes and returns where they start. */
  take(size: number, field: string): number {
    const at = this.position
    if (!(size >= 0 && size <= this.bytes.length - at)) {
      throw this.error(field, at, `${size} bytes`, `${this.bytes.length - at} bytes`)
    }
    this.position = at + size
    return at
  }

  u8(field: string): number {
    return this.view.getUint8(this.take(1, field))
  }

  u16(field: string): number {
    return this.view.getUint16(this.take(2, field), this.littleEndian)
  }

  u32(field: string): number {
    return this.view.getUint32(this.take(4, field), this.littleEndian)
  }

  i32(field: string): number {
    return this.view.getInt32(this.take(4, field), this.littleEndian)
  }

  u64(field: string): bigint {
    return this.view.getBigUint64(this.take(8, field), this.littleEndian)
  }

  /** A view of the next `size` bytes; it aliases the input. */
  slice(size: number, field: string): Uint8Array {
    const at = this.take(size, field)
    return this.bytes.subarray(at, at + size)
  }

  /** A cursor over the next `size` bytes that knows its path and its place in the whole input. */
  child(size: number, field: string): Cursor {
    const at = this.take(size, field)
    return new Cursor(this.bytes.subarray(at, at + size), {
      littleEndian: this.littleEndian,
      path: this.pathOf(field),
      base: this.base + at,
      fail: this.fail,
    })
  }

  /** Throws if bytes are left over. */
  end(): void {
    if (this.remaining > 0) {
      throw this.error('end', this.position, 'no more bytes', `${this.remaining} bytes left`)
    }
  }

  /** The error for a field of this cursor's bytes, made by `fail`; `at` counts from their start. */
  error(field: string, at: number, expected: string, actual: string): TsbpfError {
    return this.fail({ path: this.pathOf(field), offset: this.base + at, expected, actual })
  }

  private pathOf(field: string): string {
    return this.path === '' ? field : field.startsWith('[') ? this.path + field : `${this.path}.${field}`
  }
}
