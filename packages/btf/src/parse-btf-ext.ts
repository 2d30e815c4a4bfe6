import { Cursor, struct, u16, u32, u8 } from '@tsbpf/base'
import type { ReadFailure, TsbpfError, TypeId } from '@tsbpf/base'
import type { BtfCoreRelocation, BtfExt, BtfExtSection, BtfFuncInfo, BtfLineInfo } from './btf-ext.ts'
import type { Btf } from './btf-type.ts'
import { errors } from './errors.ts'
import { byteOrderOf, checkVersion } from './header.ts'

/** Options of {@link parseBtfExt}. */
export interface ParseBtfExtOptions {
  /** Name of the data, for messages; `.BTF.ext` unless given. */
  readonly name?: string
}

/** `struct btf_ext_header` (libbpf) as far as every one of them has it. */
const ExtHeader = struct('btf_ext_header', {
  magic: u16,
  version: u8,
  flags: u8,
  hdr_len: u32,
  func_info_off: u32,
  func_info_len: u32,
  line_info_off: u32,
  line_info_len: u32,
})

/** The part of the header that came with CO-RE; there where `hdr_len` says so. */
const CoreHeader = struct('btf_ext_header', { core_relo_off: u32, core_relo_len: u32 })

/** `struct btf_ext_info_sec`. */
const InfoSection = struct('btf_ext_info_sec', { sec_name_off: u32, num_info: u32 })

/** `struct bpf_func_info`, `struct bpf_line_info` and `struct bpf_core_relo` (include/uapi/linux/bpf.h). */
const FuncInfo = struct('bpf_func_info', { insn_off: u32, type_id: u32 })
const LineInfo = struct('bpf_line_info', { insn_off: u32, file_name_off: u32, line_off: u32, line_col: u32 })
const CoreRelo = struct('bpf_core_relo', { insn_off: u32, type_id: u32, access_str_off: u32, kind: u32 })

/** Spells the path of a field of the row at hand. */
type PathOf = (field: string) => string

interface Draft {
  readonly name: string
  readonly funcInfo: BtfFuncInfo[]
  readonly lineInfo: BtfLineInfo[]
  readonly coreRelocations: BtfCoreRelocation[]
}

/**
 * Parses `.BTF.ext`: function info, line info and CO-RE relocations of each section of code (RFC 9669 has none of it;
 * Documentation/bpf/btf.rst, "The .BTF.ext section"). `btf` is the `.BTF` of the same object: strings and ids are its.
 *
 * Records longer than known are read as far as they are known. Line numbers are `line_col >> 10`, columns the rest.
 * Everything is read at once and copied out: nothing aliases `bytes`. Throws `BTF_NOT_BTF`, `BTF_VERSION`,
 * `BTF_TRUNCATED`, `BTF_EXT`, `BTF_STRING`, `BTF_REFERENCE`, each with `{file, path, offset, expected, actual}`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseElf } from '@tsbpf/elf'
 * import { parseBtf, parseBtfExt } from '@tsbpf/btf'
 * const elf = parseElf(await readFile('app.bpf.o'))
 * const btf = parseBtf(elf.section('.BTF')?.data ?? new Uint8Array())
 * const ext = parseBtfExt(elf.section('.BTF.ext')?.data ?? new Uint8Array(), btf)
 * for (const [section, { coreRelocations }] of ext) console.log(section, coreRelocations.length)
 * ```
 */
export function parseBtfExt(bytes: Uint8Array, btf: Btf, options: ParseBtfExtOptions = {}): BtfExt {
  const file = options.name ?? '.BTF.ext'
  const littleEndian = byteOrderOf(bytes, file)
  const truncated = (failure: ReadFailure): TsbpfError => errors.BTF_TRUNCATED({ file, ...failure })
  const cursor = new Cursor(bytes, { littleEndian, path: '', fail: truncated })
  const header = ExtHeader.read(cursor, 'header')
  checkVersion(header, file)
  const headerSize = header.hdr_len
  if (headerSize < ExtHeader.size || headerSize > bytes.length) {
    const expected = `${ExtHeader.size} to ${bytes.length}`
    throw errors.BTF_TRUNCATED({ file, path: 'hdr_len', offset: 4, expected, actual: String(headerSize) })
  }
  const core =
    headerSize >= ExtHeader.size + CoreHeader.size
      ? CoreHeader.read(cursor, 'header')
      : { core_relo_off: 0, core_relo_len: 0 }

  const sections = new Map<string, Draft>()
  const sectionOf = (name: string): Draft => {
    let section = sections.get(name)
    if (section === undefined) {
      section = { name, funcInfo: [], lineInfo: [], coreRelocations: [] }
      sections.set(name, section)
    }
    return section
  }
  // Paths are spelt for errors only: there are thousands of rows.
  const string = (offset: number, pathOf: PathOf, field: string, at: number): string => {
    if (offset < btf.endString) return btf.string(offset)
    const expected = `a string offset below ${btf.endString}`
    throw errors.BTF_STRING({ file, path: pathOf(field), offset: at, expected, actual: String(offset) })
  }
  const type = (id: number, pathOf: PathOf, field: string, at: number): TypeId => {
    if (id < btf.endId) return id as TypeId
    throw errors.BTF_REFERENCE({
      file,
      path: pathOf(field),
      offset: at,
      expected: `an id below ${btf.endId}`,
      actual: String(id),
    })
  }

  /** Walks one table: its record size, then for each section of code a header and its records. */
  const walk = (
    path: string,
    off: number,
    len: number,
    minimum: number,
    record: (section: Draft, at: number, pathOf: PathOf) => void,
  ): void => {
    if (len === 0) return
    if (off % 4 !== 0) {
      const actual = String(off)
      throw errors.BTF_EXT({ file, path: `${path}_off`, offset: 8, expected: 'a multiple of 4', actual })
    }
    const room = bytes.length - headerSize
    if (off > room || len > room - off) {
      const expected = `a table within ${room} bytes`
      throw errors.BTF_TRUNCATED({
        file,
        path,
        offset: headerSize + off,
        expected,
        actual: `${off} + ${len}`,
      })
    }
    const start = headerSize + off
    const table = new Cursor(bytes.subarray(start, start + len), {
      littleEndian,
      path,
      base: start,
      fail: truncated,
    })
    const size = table.u32('rec_size')
    if (size < minimum || size % 4 !== 0) {
      const expected = `a multiple of 4, at least ${minimum}`
      throw errors.BTF_EXT({ file, path: `${path}.rec_size`, offset: start, expected, actual: String(size) })
    }
    for (let index = 0; table.remaining > 0; index++) {
      const at = start + table.position
      const where = `${path}[${index}]`
      const row = InfoSection.read(table, `[${index}]`)
      if (row.num_info === 0) {
        const place = { path: `${where}.num_info`, offset: at + InfoSection.offsets.num_info }
        throw errors.BTF_EXT({ file, ...place, expected: 'at least 1', actual: '0' })
      }
      const first = start + table.take(row.num_info * size, `[${index}].num_info`)
      const section = sectionOf(string(row.sec_name_off, (field) => `${where}.${field}`, 'sec_name_off', at))
      let i = 0
      const pathOf: PathOf = (field) => `${where}[${i}].${field}`
      for (; i < row.num_info; i++) record(section, first + i * size, pathOf)
    }
  }

  // Many instructions share a line: its text is trimmed once.
  const texts = new Map<number, string>()
  const textOf = (offset: number, pathOf: PathOf, field: string, at: number): string => {
    const known = texts.get(offset)
    if (known !== undefined) return known
    const text = string(offset, pathOf, field, at).trim()
    texts.set(offset, text)
    return text
  }
  // Read field by field: a layout's reader makes an object of each row, and there are thousands.
  const { view } = cursor
  walk('func_info', header.func_info_off, header.func_info_len, FuncInfo.size, (section, at, pathOf) => {
    section.funcInfo.push({
      offset: view.getUint32(at, littleEndian),
      type: type(view.getUint32(at + 4, littleEndian), pathOf, 'type_id', at + 4),
    })
  })
  walk('line_info', header.line_info_off, header.line_info_len, LineInfo.size, (section, at, pathOf) => {
    const fileOffset = view.getUint32(at + 4, littleEndian)
    const textOffset = view.getUint32(at + 8, littleEndian)
    const lineAndColumn = view.getUint32(at + 12, littleEndian)
    section.lineInfo.push({
      offset: view.getUint32(at, littleEndian),
      file: string(fileOffset, pathOf, 'file_name_off', at + 4),
      line: lineAndColumn >>> 10,
      column: lineAndColumn & 0x3ff,
      text: textOf(textOffset, pathOf, 'line_off', at + 8),
      fileOffset,
      textOffset,
    })
  })
  walk('core_relo', core.core_relo_off, core.core_relo_len, CoreRelo.size, (section, at, pathOf) => {
    section.coreRelocations.push({
      offset: view.getUint32(at, littleEndian),
      type: type(view.getUint32(at + 4, littleEndian), pathOf, 'type_id', at + 4),
      access: string(view.getUint32(at + 8, littleEndian), pathOf, 'access_str_off', at + 8),
      kind: view.getUint32(at + 12, littleEndian),
    })
  })
  return sections satisfies ReadonlyMap<string, BtfExtSection>
}
