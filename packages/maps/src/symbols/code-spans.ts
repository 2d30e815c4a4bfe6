import { fileTypes, sectionFlags, sectionTypes, segmentTypes, SymbolRow, symbolTypes } from '@tsbpf/elf'
import type { ElfFile, ElfSection } from '@tsbpf/elf'
import { errors } from '../errors.ts'
import { maxFileSymbols } from '../limits.ts'

/** Functions of a file as columns, by their place in the file. */
export interface CodeSpans {
  readonly count: number
  readonly start: Uint32Array
  /** Place behind the last byte; a symbol without a size reaches to the next one, or to the end of its section. */
  readonly end: Uint32Array
  /** String table and place in it of each name, which ends with NUL. */
  readonly table: Uint8Array
  readonly name: Uint32Array
  readonly tables: readonly Uint8Array[]
}

const at = SymbolRow.offsets
const rowSize = SymbolRow.size
const [notype, func] = [symbolTypes.value('notype'), symbolTypes.value('func')]
/** `STT_GNU_IFUNC`: a function that chooses its implementation when it is loaded (GNU gABI supplement). */
const indirectFunction = 10
const [local, global, weak] = [0, 1, 2]
const underscore = 95
const withoutSize = 32

/** A segment with code, as numbers. */
interface Segment {
  readonly vaddr: number
  readonly end: number
  readonly offset: number
}

/** Where the code of an executable or a library is loaded, and where it is in the file. */
function codeSegments(elf: ElfFile): readonly Segment[] {
  if (elf.type === fileTypes.value('relocatable')) return []
  return elf.segments
    .filter(
      ({ type, flags, filesz }) => type === segmentTypes.value('load') && (flags & 1) !== 0 && filesz > 0,
    )
    .map(({ vaddr, filesz, offset }) => ({ vaddr: Number(vaddr), end: Number(vaddr) + filesz, offset }))
}

/** A row that is kept while its place is sorted. */
interface Rows {
  start: Uint32Array
  end: Uint32Array
  rank: Uint8Array
  table: Uint8Array
  name: Uint32Array
  count: number
}

/**
 * Which of several names for one place is shown, the lowest: one with a size before one without, a global before a weak
 * before a local one, then the one with fewer underscores.
 */
function rankOf(names: Uint8Array, name: number, binding: number, size: number): number {
  let underscores = 0
  while (underscores < 7 && names[name + underscores] === underscore) underscores++
  const bindings = binding === global ? 0 : binding === weak ? 1 : 2
  return (size === 0 ? withoutSize : 0) + bindings * 8 + underscores
}

function rowsFor(count: number): Rows {
  return {
    start: new Uint32Array(count),
    end: new Uint32Array(count),
    rank: new Uint8Array(count),
    table: new Uint8Array(count),
    name: new Uint32Array(count),
    count: 0,
  }
}

/** Adds the functions of one symbol table. Mapping symbols of arm64 (`$x`) and other labels name none. */
function collect(
  elf: ElfFile,
  table: ElfSection,
  names: Uint8Array,
  segments: readonly Segment[],
  rows: Rows,
  tag: number,
): void {
  const { data } = table
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const little = elf.littleEndian
  const sectionEnds = elf.sections.map(({ addr, size }) => Number(addr) + size)
  const executable = elf.sections.map(({ flags }) => (flags & BigInt(sectionFlags.value('execinstr'))) !== 0n)
  const wide = (place: number): number => {
    const [first, second] = [view.getUint32(place, little), view.getUint32(place + 4, little)]
    return little ? second * 0x1_0000_0000 + first : first * 0x1_0000_0000 + second
  }
  for (let row = 0; row + rowSize <= data.length; row += rowSize) {
    const info = view.getUint8(row + at.st_info)
    const type = info & 15
    const binding = info >> 4
    const section = view.getUint16(row + at.st_shndx, little)
    const label = type === notype && binding !== local && executable[section] === true
    if (section === 0 || !(type === func || type === indirectFunction || label)) continue
    const name = view.getUint32(row + at.st_name, little)
    if (name >= names.length || names[name] === 0) continue
    const value = wide(row + at.st_value)
    const segment = segments.find(({ vaddr, end }) => value >= vaddr && value < end)
    if (segment === undefined || value === 0) continue
    const size = wide(row + at.st_size)
    const { count } = rows
    rows.start[count] = segment.offset + value - segment.vaddr
    const end = size > 0 ? value + size : (sectionEnds[section] ?? segment.end)
    rows.end[count] = segment.offset + Math.min(end, segment.end) - segment.vaddr
    rows.rank[count] = rankOf(names, name, binding, size)
    rows.table[count] = tag
    rows.name[count] = name
    rows.count++
  }
}

/**
 * The functions of `elf`, and of `debug`, the file that was split off it with the same addresses; rising, one for each
 * place. Rows of the tables are read where they stand, and no object is made of them. Throws SYMBOLS_TOO_MANY.
 */
export function codeSpans(elf: ElfFile, debug?: ElfFile): CodeSpans {
  const segments = codeSegments(elf)
  const files = debug === undefined ? [elf] : [elf, debug]
  const types = [sectionTypes.value('symtab'), sectionTypes.value('dynsym')]
  const sources = files.flatMap((file) =>
    types.flatMap((type) => {
      const table = file.sections.find((section) => section.type === type)
      return table === undefined
        ? []
        : [{ file, table, names: file.sections[table.link]?.data ?? new Uint8Array(0) }]
    }),
  )
  const most = sources.reduce((sum, { table }) => sum + Math.floor(table.data.length / rowSize), 0)
  if (most > maxFileSymbols) {
    throw errors.SYMBOLS_TOO_MANY({ what: `symbols in ${elf.name}`, limit: maxFileSymbols })
  }
  const rows = rowsFor(most)
  for (const [tag, { file, table, names }] of sources.entries())
    collect(file, table, names, segments, rows, tag)
  return inOrder(
    rows,
    sources.map(({ names }) => names),
  )
}

/** Places are below 2^29 and rows below 2^23: both fit a number, and numbers sort without a function. */
function inOrder({ start, end, rank, table, name, count }: Rows, tables: readonly Uint8Array[]): CodeSpans {
  const keys = Float64Array.from(
    { length: count },
    (_, row) => (start[row] ?? 0) * maxFileSymbols + row,
  ).sort()
  const order = new Uint32Array(count)
  let kept = 0
  for (const key of keys) {
    const row = key % maxFileSymbols
    const before = order[kept - 1] ?? 0
    if (kept === 0 || start[row] !== start[before]) order[kept++] = row
    else if ((rank[row] ?? 0) < (rank[before] ?? 0)) order[kept - 1] = row
  }
  const pick = order.subarray(0, kept)
  const word = (column: Uint32Array): Uint32Array => Uint32Array.from(pick, (row) => column[row] ?? 0)
  const starts = word(start)
  const ends = word(end)
  for (const [i, row] of pick.entries()) {
    if ((rank[row] ?? 0) >= withoutSize) ends[i] = Math.min(ends[i] ?? 0, starts[i + 1] ?? Infinity)
  }
  return {
    count: kept,
    start: starts,
    end: ends,
    table: Uint8Array.from(pick, (row) => table[row] ?? 0),
    name: word(name),
    tables,
  }
}
