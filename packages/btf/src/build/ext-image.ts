import { Cursor, struct, u16, u32, u8 } from '@tsbpf/base'
import type { ReadFailure, TsbpfError } from '@tsbpf/base'
import type { Btf } from '../btf-type.ts'
import { errors } from '../errors.ts'
import { parseBtfExt } from '../parse-btf-ext.ts'

/** `struct btf_ext_header` of libbpf, whole. */
export const ExtHeader = struct('btf_ext_header', {
  magic: u16,
  version: u8,
  flags: u8,
  hdr_len: u32,
  func_info_off: u32,
  func_info_len: u32,
  line_info_off: u32,
  line_info_len: u32,
  core_relo_off: u32,
  core_relo_len: u32,
})

/** The tables in their order, and where in a record ids and string offsets stand, in bytes. */
const tables = [
  { at: 'func_info', ids: [4], strings: [] },
  { at: 'line_info', ids: [], strings: [4, 8] },
  { at: 'core_relo', ids: [4], strings: [8] },
] as const

/** How ids and string offsets of a `.BTF` change. */
export interface ExtChange {
  readonly type: (id: number) => number
  readonly string: (offset: number) => number
}

/**
 * A copy of `.BTF.ext` data that fits a `.BTF` whose ids and strings have changed from those of `btf`. Nothing else
 * changes, longer records included. Strings are asked for in the order in which they stand.
 */
export function moveExt(
  data: Uint8Array,
  btf: Btf,
  file: string,
  change: ExtChange,
): Uint8Array<ArrayBuffer> {
  // Checks everything that is read below.
  parseBtfExt(data, btf, { name: file })
  const littleEndian = data[0] === 0x9f
  const bytes = new Uint8Array(data)
  const fail = (failure: ReadFailure): TsbpfError => errors.BTF_TRUNCATED({ file, ...failure })
  const cursor = new Cursor(bytes, { littleEndian, path: '', fail })
  const { view } = cursor
  const word = (at: number): number => view.getUint32(at, littleEndian)
  const headerSize = word(4)
  for (const { at: name, ids, strings } of tables) {
    const place = ExtHeader.offsets[`${name}_off`]
    if (place + 8 > headerSize) continue
    const length = word(place + 4)
    if (length === 0) continue
    const start = headerSize + word(place)
    const size = word(start)
    const put = (at: number, value: number): void => {
      view.setUint32(at, value, littleEndian)
    }
    for (let at = start + 4; at < start + length;) {
      const end = at + 8 + word(at + 4) * size
      put(at, change.string(word(at)))
      for (let record = at + 8; record < end; record += size) {
        for (const id of ids) put(record + id, change.type(word(record + id)))
        for (const string of strings) put(record + string, change.string(word(record + string)))
      }
      at = end
    }
  }
  return bytes
}
