import { struct, u16, u32, u8 } from '@tsbpf/base'
import type { TsbpfError, TypeId } from '@tsbpf/base'
import type { BtfCoreRelocation, BtfExt, BtfExtSection, BtfFuncInfo, BtfLineInfo } from './btf-ext.ts'
import type { Btf } from './btf-type.ts'
import { errors } from './errors.ts'
import { byteOrderOf, checkVersion, headerOf } from './header.ts'

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

/** The part of the header that came with CO-RE, behind the other; there where `hdr_len` says so. */
const CoreHeader = struct('btf_ext_header', { core_relo_off: u32, core_relo_len: u32 })

/** `struct btf_ext_info_sec`. */
const InfoSection = struct('btf_ext_info_sec', { sec_name_off: u32, num_info: u32 })

/** `struct bpf_func_info`, `struct bpf_line_info` and `struct bpf_core_relo` (include/uapi/linux/bpf.h). */
const FuncInfo = struct('bpf_func_info', { insn_off: u32, type_id: u32 })
const LineInfo = struct('bpf_line_info', { insn_off: u32, file_name_off: u32, line_off: u32, line_col: u32 })
const CoreRelo = struct('bpf_core_relo', { insn_off: u32, type_id: u32, access_str_off: u32, kind: u32 })

interface Draft {
  readonly name: string
  readonly funcInfo: BtfFuncInfo[]
  readonly lineInfo: BtfLineInfo[]
  readonly coreRelocations: BtfCoreRelocation[]
}

/** What all parts of the reader need. */
interface Source {
  /** For messages. */
  readonly file: string
  readonly btf: Btf
  readonly view: DataView
  readonly littleEndian: boolean
  readonly sections: Map<string, Draft>
}

/** The records of one table about one section of code. */
interface Run {
  readonly section: Draft
  /** For messages. */
  readonly path: string
  /** Byte of the first record. */
  readonly at: number
  readonly end: number
  /** Bytes of a record. */
  readonly size: number
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
  const header = headerOf(ExtHeader, bytes, littleEndian, file)
  checkVersion(header, file)
  const headerSize = header.hdr_len
  if (headerSize < ExtHeader.size || headerSize > bytes.length) {
    const expected = `${ExtHeader.size} to ${bytes.length}`
    throw errors.BTF_TRUNCATED({ file, path: 'hdr_len', offset: 4, expected, actual: String(headerSize) })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const sections = new Map<string, Draft>()
  const source: Source = { file, btf, view, littleEndian, sections }
  const { func_info_off, func_info_len, line_info_off, line_info_len } = header
  for (const run of runsOf(source, 'func_info', headerSize, func_info_off, func_info_len, FuncInfo.size)) {
    readFunctions(source, run)
  }
  // Many instructions share a line: its text is trimmed once.
  const texts = new Map<number, string>()
  for (const run of runsOf(source, 'line_info', headerSize, line_info_off, line_info_len, LineInfo.size)) {
    readLines(source, run, texts)
  }
  if (headerSize >= ExtHeader.size + CoreHeader.size) {
    const { core_relo_off, core_relo_len } = CoreHeader.readAt(view, ExtHeader.size, littleEndian)
    for (const run of runsOf(source, 'core_relo', headerSize, core_relo_off, core_relo_len, CoreRelo.size)) {
      readRelocations(source, run)
    }
  }
  return sections satisfies ReadonlyMap<string, BtfExtSection>
}

/** Walks one table: its record size, then for each section of code a header and its records. */
function runsOf(
  source: Source,
  path: string,
  headerSize: number,
  off: number,
  len: number,
  minimum: number,
): readonly Run[] {
  const { file, view, littleEndian, sections } = source
  const runs: Run[] = []
  if (len === 0) return runs
  if (off % 4 !== 0) {
    const actual = String(off)
    throw errors.BTF_EXT({ file, path: `${path}_off`, offset: 8, expected: 'a multiple of 4', actual })
  }
  const room = view.byteLength - headerSize
  const start = headerSize + off
  if (off > room || len > room - off) {
    const expected = `a table within ${room} bytes`
    throw errors.BTF_TRUNCATED({ file, path, offset: headerSize + off, expected, actual: `${off} + ${len}` })
  }
  const end = start + len
  if (len < 4) throw cutOff(file, `${path}.rec_size`, start, 4, len)
  const size = view.getUint32(start, littleEndian)
  if (size < minimum || size % 4 !== 0) {
    const expected = `a multiple of 4, at least ${minimum}`
    throw errors.BTF_EXT({ file, path: `${path}.rec_size`, offset: start, expected, actual: String(size) })
  }
  for (let at = start + 4, index = 0; at < end; index++) {
    const where = `${path}[${index}]`
    const first = at + InfoSection.size
    if (first > end) throw cutOff(file, where, at, InfoSection.size, end - at)
    const { sec_name_off, num_info } = InfoSection.readAt(view, at, littleEndian)
    if (num_info === 0) {
      const place = { path: `${where}.num_info`, offset: at + InfoSection.offsets.num_info }
      throw errors.BTF_EXT({ file, ...place, expected: 'at least 1', actual: '0' })
    }
    const last = first + num_info * size
    if (last > end) throw cutOff(file, `${where}.num_info`, first, num_info * size, end - first)
    if (sec_name_off >= source.btf.endString)
      throw badString(source, `${where}.sec_name_off`, at, sec_name_off)
    const name = source.btf.string(sec_name_off)
    let section = sections.get(name)
    if (section === undefined) {
      section = { name, funcInfo: [], lineInfo: [], coreRelocations: [] }
      sections.set(name, section)
    }
    runs.push({ section, path: where, at: first, end: last, size })
    at = last
  }
  return runs
}

// Records are read field by field: a layout's reader makes an object of each, and there are thousands.

function readFunctions(source: Source, run: Run): void {
  const { view, littleEndian, btf } = source
  for (let { at } = run; at < run.end; at += run.size) {
    const type = view.getUint32(at + 4, littleEndian)
    if (type >= btf.endId) throw badType(source, run, at, type)
    run.section.funcInfo.push({ offset: view.getUint32(at, littleEndian), type: type as TypeId })
  }
}

function readLines(source: Source, run: Run, texts: Map<number, string>): void {
  const { view, littleEndian, btf } = source
  const { endString } = btf
  for (let { at } = run; at < run.end; at += run.size) {
    const fileOffset = view.getUint32(at + 4, littleEndian)
    const textOffset = view.getUint32(at + 8, littleEndian)
    const lineAndColumn = view.getUint32(at + 12, littleEndian)
    if (fileOffset >= endString)
      throw badString(source, recordPath(run, at, 'file_name_off'), at + 4, fileOffset)
    if (textOffset >= endString) throw badString(source, recordPath(run, at, 'line_off'), at + 8, textOffset)
    let text = texts.get(textOffset)
    if (text === undefined) {
      text = btf.string(textOffset).trim()
      texts.set(textOffset, text)
    }
    run.section.lineInfo.push({
      offset: view.getUint32(at, littleEndian),
      file: btf.string(fileOffset),
      line: lineAndColumn >>> 10,
      column: lineAndColumn & 0x3ff,
      text,
      fileOffset,
      textOffset,
    })
  }
}

function readRelocations(source: Source, run: Run): void {
  const { view, littleEndian, btf } = source
  for (let { at } = run; at < run.end; at += run.size) {
    const type = view.getUint32(at + 4, littleEndian)
    const access = view.getUint32(at + 8, littleEndian)
    if (type >= btf.endId) throw badType(source, run, at, type)
    if (access >= btf.endString) {
      throw badString(source, recordPath(run, at, 'access_str_off'), at + 8, access)
    }
    run.section.coreRelocations.push({
      offset: view.getUint32(at, littleEndian),
      type: type as TypeId,
      access: btf.string(access),
      kind: view.getUint32(at + 12, littleEndian),
    })
  }
}

function recordPath({ path, at: first, size }: Run, at: number, field: string): string {
  return `${path}[${(at - first) / size}].${field}`
}

function cutOff(file: string, path: string, offset: number, wanted: number, left: number): TsbpfError {
  return errors.BTF_TRUNCATED({ file, path, offset, expected: `${wanted} bytes`, actual: `${left} bytes` })
}

function badString({ file, btf }: Source, path: string, offset: number, actual: number): TsbpfError {
  const expected = `a string offset below ${btf.endString}`
  return errors.BTF_STRING({ file, path, offset, expected, actual: String(actual) })
}

function badType({ file, btf }: Source, run: Run, at: number, actual: number): TsbpfError {
  const path = recordPath(run, at, 'type_id')
  const expected = `an id below ${btf.endId}`
  return errors.BTF_REFERENCE({ file, path, offset: at + 4, expected, actual: String(actual) })
}
