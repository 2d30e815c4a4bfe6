import { struct, u16, u32, u8 } from '@tsbpf/base'
import type { Layout, ValueOf } from '@tsbpf/base'
import { errors } from './errors.ts'

/** `struct btf_header` (include/uapi/linux/btf.h); a longer header's further fields are skipped. */
export const BtfHeader = struct('btf_header', {
  magic: u16,
  version: u8,
  flags: u8,
  hdr_len: u32,
  type_off: u32,
  type_len: u32,
  str_off: u32,
  str_len: u32,
})

/** `BTF_MAGIC`. */
export const btfMagic = 0xeb9f

/** Where the sections of a BTF are, in bytes from its start. */
export interface BtfSections {
  readonly littleEndian: boolean
  readonly typesAt: number
  readonly typesSize: number
  readonly stringsAt: number
  readonly stringsSize: number
}

/** Byte order by the magic number at the start; throws `BTF_NOT_BTF` where there is none. */
export function byteOrderOf(bytes: Uint8Array, file: string): boolean {
  const [first, second] = bytes
  if (first === 0x9f && second === 0xeb) return true
  if (first === 0xeb && second === 0x9f) return false
  const actual = [...bytes.subarray(0, 2)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  throw errors.BTF_NOT_BTF({
    file,
    path: 'magic',
    offset: 0,
    expected: '9f eb (little endian) or eb 9f (big endian)',
    actual: actual === '' ? 'no bytes' : actual,
  })
}

/** Checks version and flags, which `.BTF` and `.BTF.ext` have alike. */
export function checkVersion(
  header: { readonly version: number; readonly flags: number },
  file: string,
): void {
  if (header.version !== 1) {
    const actual = String(header.version)
    throw errors.BTF_VERSION({ file, path: 'version', offset: 2, expected: '1', actual })
  }
  if (header.flags !== 0) {
    throw errors.BTF_VERSION({ file, path: 'flags', offset: 3, expected: '0', actual: String(header.flags) })
  }
}

/** The header at the start; throws `BTF_TRUNCATED` where it does not fit. */
export function headerOf<F extends Parameters<typeof struct>[1]>(
  layout: Layout<F>,
  bytes: Uint8Array,
  littleEndian: boolean,
  file: string,
): ValueOf<F> {
  if (bytes.length < layout.size) {
    const [expected, actual] = [`${layout.size} bytes`, `${bytes.length} bytes`]
    throw errors.BTF_TRUNCATED({ file, path: 'header', offset: 0, expected, actual })
  }
  return layout.readAt(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, littleEndian)
}

/** Reads and checks the header as libbpf does (`btf_parse_hdr`), for both byte orders. */
export function readHeader(bytes: Uint8Array, file: string, split: boolean): BtfSections {
  const littleEndian = byteOrderOf(bytes, file)
  const header = headerOf(BtfHeader, bytes, littleEndian, file)
  checkVersion(header, file)
  const at = (field: keyof typeof BtfHeader.offsets, expected: string) => ({
    file,
    path: field,
    offset: BtfHeader.offsets[field],
    expected,
    actual: String(header[field]),
  })
  if (header.hdr_len < BtfHeader.size) throw errors.BTF_HEADER(at('hdr_len', `at least ${BtfHeader.size}`))
  if (header.hdr_len > bytes.length) throw errors.BTF_TRUNCATED(at('hdr_len', `at most ${bytes.length}`))
  const room = bytes.length - header.hdr_len
  if (header.str_off > room) throw errors.BTF_TRUNCATED(at('str_off', `at most ${room}`))
  if (header.str_len > room - header.str_off) {
    throw errors.BTF_TRUNCATED(at('str_len', `at most ${room - header.str_off}`))
  }
  if (header.type_off % 4 !== 0) throw errors.BTF_HEADER(at('type_off', 'a multiple of 4'))
  if (header.type_off + header.type_len > header.str_off) {
    throw errors.BTF_HEADER(at('type_len', `types that end before the strings at ${header.str_off}`))
  }
  const stringsAt = header.hdr_len + header.str_off
  // A split BTF may have no strings of its own; any other begins with the empty string.
  if (!(split && header.str_len === 0)) {
    if (header.str_len === 0) throw errors.BTF_HEADER(at('str_len', 'at least 1'))
    if (!split && bytes[stringsAt] !== 0) {
      const actual = String(bytes[stringsAt])
      throw errors.BTF_STRING({ file, path: 'strings[0]', offset: stringsAt, expected: 'NUL', actual })
    }
    const last = stringsAt + header.str_len - 1
    if (bytes[last] !== 0) {
      const path = `strings[${header.str_len - 1}]`
      throw errors.BTF_STRING({ file, path, offset: last, expected: 'NUL', actual: String(bytes[last]) })
    }
  }
  return {
    littleEndian,
    typesAt: header.hdr_len + header.type_off,
    typesSize: header.type_len,
    stringsAt,
    stringsSize: header.str_len,
  }
}
