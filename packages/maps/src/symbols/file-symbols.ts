import { isTsbpfError } from '@tsbpf/base'
import { buildId } from '@tsbpf/elf'
import type { ElfFile } from '@tsbpf/elf'
import { errors } from '../errors.ts'
import { nameOverlap } from '../limits.ts'
import { codeSpans } from './code-spans.ts'
import type { CodeSpans } from './code-spans.ts'
import { nameAt, namePool } from './name-pool.ts'

/** Functions of an executable or a shared library, by their place in the file. */
export interface FileSymbols {
  /** Hexadecimal digits; `undefined` where the file has none. */
  readonly buildId: string | undefined
  /** Bytes that the index takes. */
  readonly byteLength: number
  /** The function at an offset of the file; `undefined` between functions. */
  find(fileOffset: number): { readonly name: string; readonly offset: number } | undefined
}

/** Owner of the places between functions. */
const none = 0xffff_ffff

/**
 * Indexes the functions of a file: `.symtab` and `.dynsym`, and those of `debug`, the file that was split off it with
 * the same addresses. Nothing of the files is kept. Throws SYMBOLS_TOO_MANY, SYMBOLS_FILE.
 */
export function fileSymbols(elf: ElfFile, debug?: ElfFile): FileSymbols {
  const spans = codeSpans(elf, debug)
  const { start } = spans
  const { places, owners } = innermost(spans)
  const { names, offsets } = copyNames(spans, elf.name)
  return {
    buildId: buildIdOf(elf),
    byteLength: names.byteLength + (places.length + start.length) * 8,
    find(fileOffset) {
      let from = 0
      let to = places.length
      while (from < to) {
        const middle = (from + to) >>> 1
        if ((places[middle] ?? 0) <= fileOffset) from = middle + 1
        else to = middle
      }
      const row = from === 0 ? none : (owners[from - 1] ?? none)
      if (row === none) return undefined
      return { name: nameAt(names, offsets[row] ?? 0), offset: fileOffset - (start[row] ?? 0) }
    },
  }
}

/** The build id; a damaged note does not take a file its symbols. */
export function buildIdOf(elf: ElfFile): string | undefined {
  try {
    return buildId(elf)
  } catch (error) {
    if (isTsbpfError(error)) return undefined
    throw error
  }
}

/** Copies the names out of the file. Names may share their ends, but not without measure. */
function copyNames({ count, table, name, tables }: CodeSpans, file: string) {
  const pool = namePool()
  const offsets = new Uint32Array(count)
  let budget = tables.reduce((sum, { length }) => sum + length, 4096) * nameOverlap
  for (let row = 0; row < count; row++) {
    const source = tables[table[row] ?? 0] ?? new Uint8Array(0)
    const from = name[row] ?? 0
    const end = source.indexOf(0, from)
    const to = end < 0 ? source.length : end
    budget -= to - from
    if (budget < 0) throw errors.SYMBOLS_FILE({ path: file, reason: 'its names overlap without measure' })
    offsets[row] = pool.add(source, from, to)
  }
  return { names: pool.finish(), offsets }
}

/** Cuts spans, which may overlap, into places that each belong to the span that began last. */
export function innermost({ count, start, end }: Pick<CodeSpans, 'count' | 'start' | 'end'>) {
  const places: number[] = []
  const owners: number[] = []
  const open: { readonly end: number; readonly row: number }[] = []
  const mark = (place: number, owner: number): void => {
    if (places.at(-1) === place) owners[owners.length - 1] = owner
    else if (owners.at(-1) !== owner) owners[places.push(place) - 1] = owner
  }
  /** Gives what lies behind spans that end before `place` to those around them. */
  const closeBefore = (place: number): void => {
    for (let top = open.at(-1); top !== undefined && top.end <= place; top = open.at(-1)) {
      while ((open.at(-1)?.end ?? Infinity) <= top.end) open.pop()
      mark(top.end, open.at(-1)?.row ?? none)
    }
  }
  for (let row = 0; row < count; row++) {
    const from = start[row] ?? 0
    const to = end[row] ?? 0
    closeBefore(from)
    mark(from, row)
    open.push({ end: to, row })
  }
  closeBefore(none)
  return { places: Uint32Array.from(places), owners: Uint32Array.from(owners) }
}
