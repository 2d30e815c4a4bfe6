import { byteOrderOf, checkVersion, readHeader } from '../header.ts'
import { errors } from '../errors.ts'

/** Options of {@link swapBtf}. */
export interface SwapBtfOptions {
  /** Whether the data is `.BTF` that is split from a base, which is not needed; false unless given. */
  readonly split?: boolean
  /** Name of the data, for messages; `BTF` unless given. */
  readonly name?: string
}

function swapWords(view: DataView, from: number, to: number): void {
  for (let at = from; at + 4 <= to; at += 4) view.setUint32(at, view.getUint32(at, true), false)
}

/**
 * A copy of `.BTF` data in the other byte order; the input's is told by its magic number. Strings stay, everything else
 * is words of 32 bits. Swapped twice it is the input again, byte for byte. Throws as the header's part of `parseBtf`.
 *
 * @example
 * ```ts
 * import { encodeBtf, parseBtf, swapBtf } from '@tsbpf/btf'
 * const little = encodeBtf([{ kind: 'int', name: 'int', size: 4, signed: true }])
 * console.log(parseBtf(swapBtf(little)).littleEndian) // false
 * ```
 */
export function swapBtf(data: Uint8Array, options: SwapBtfOptions = {}): Uint8Array {
  const { name: file = 'BTF', split = false } = options
  const bytes = new Uint8Array(data)
  const { typesAt, typesSize, littleEndian } = readHeader(bytes, file, split)
  const view = new DataView(bytes.buffer)
  const headerSize = view.getUint32(4, littleEndian)
  swapLayout(view, headerSize, littleEndian)
  view.setUint16(0, view.getUint16(0, true), false)
  swapWords(view, 4, headerSize)
  swapWords(view, typesAt, typesAt + typesSize)
  return bytes
}

/** Bytes of a header with `layout_off` and `layout_len` (Linux 7.0), and where those are. */
const layoutHeader = { size: 32, off: 24, len: 28 } as const

/** The header's layout section: for each kind two sizes of a byte and 16 bits of flags (`struct btf_layout`). */
function swapLayout(view: DataView, headerSize: number, littleEndian: boolean): void {
  if (headerSize < layoutHeader.size) return
  const start = headerSize + view.getUint32(layoutHeader.off, littleEndian)
  const end = Math.min(start + view.getUint32(layoutHeader.len, littleEndian), view.byteLength)
  for (let at = start; at + 4 <= end; at += 4) view.setUint16(at + 2, view.getUint16(at + 2, true), false)
}

/**
 * A copy of `.BTF.ext` data in the other byte order: all of it is words of 32 bits. Swapped twice it is the input again.
 * Throws `BTF_NOT_BTF`, `BTF_VERSION`, `BTF_TRUNCATED`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseElf } from '@tsbpf/elf'
 * import { swapBtfExt } from '@tsbpf/btf'
 * const elf = parseElf(await readFile('app.bpf.o'))
 * const swapped = swapBtfExt(elf.section('.BTF.ext')?.data ?? new Uint8Array())
 * ```
 */
export function swapBtfExt(data: Uint8Array, options: { readonly name?: string } = {}): Uint8Array {
  const { name: file = '.BTF.ext' } = options
  const bytes = new Uint8Array(data)
  byteOrderOf(bytes, file)
  if (bytes.length < 8) {
    const actual = `${bytes.length} bytes`
    throw errors.BTF_TRUNCATED({ file, path: 'header', offset: bytes.length, expected: '8 bytes', actual })
  }
  checkVersion({ version: bytes[2] ?? 0, flags: bytes[3] ?? 0 }, file)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, view.getUint16(0, true), false)
  swapWords(view, 4, bytes.length)
  return bytes
}
