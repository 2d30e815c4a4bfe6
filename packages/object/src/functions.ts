import type { ElfSection, ElfSymbol } from '@tsbpf/elf'
import { symbolTypes } from '@tsbpf/elf'
import { slotSize } from './insn-ops.ts'
import { names } from './object-file.ts'
import type { ObjectFile } from './object-file.ts'

/** A function of a section of code, before its references are resolved. */
export interface CodeFunction {
  /** Unique in the object: of two static functions with one name, the second is renamed. */
  readonly name: string
  readonly symbol: ElfSymbol
  readonly section: ElfSection
  /** Bytes from the start of the section. */
  readonly offset: number
  /** Bytes. */
  readonly size: number
  /** The kernel can enter it: it is not static, and not in `.text`. */
  readonly program: boolean
}

/** The functions of an object, in file order, and where they are. */
export interface FunctionTable {
  readonly all: readonly CodeFunction[]
  /** Those of one section, by offset. */
  of(section: ElfSection): readonly CodeFunction[]
  /** The function that starts at an offset of a section: the first of those that share it. */
  at(section: number, offset: number): CodeFunction | undefined
}

const func = symbolTypes.value('func')

function functionsOf(file: ObjectFile, section: ElfSection, symbols: readonly ElfSymbol[]): CodeFunction[] {
  const functions: CodeFunction[] = []
  for (const symbol of symbols) {
    const offset = Number(symbol.value)
    const { size } = symbol
    const path = `function ${symbol.name} in section ${section.name}`
    if (size === 0 || size % slotSize !== 0 || offset % slotSize !== 0) {
      const actual = `${size} bytes at ${offset}`
      throw file.fail('OBJECT_FUNCTION', { path, section, expected: 'whole instructions', actual })
    }
    if (offset > section.size || size > section.size - offset) {
      const expected = `an end at or before ${section.size}`
      const actual = String(symbol.value + BigInt(size))
      throw file.fail('OBJECT_FUNCTION', { path, section, expected, actual })
    }
    const program = section.name !== names.text && symbol.binding !== 'local'
    functions.push({ name: symbol.name, symbol, section, offset, size, program })
  }
  functions.sort((a, b) => a.offset - b.offset)
  for (const [index, next] of functions.entries()) {
    const previous = functions[index - 1]
    if (previous === undefined || previous.offset + previous.size <= next.offset) continue
    // Two names for one function are fine.
    if (previous.offset === next.offset && previous.size === next.size) continue
    throw file.fail('OBJECT_FUNCTION', {
      path: `function ${next.name} in section ${section.name}`,
      section,
      at: next.offset,
      expected: `a start at or after the end of ${previous.name}`,
      actual: String(next.offset),
    })
  }
  return functions
}

/** Programs keep their names; a static function that shares a name gets a number, as in LLVM's `name.1`. */
function unique(file: ObjectFile, all: readonly CodeFunction[]): CodeFunction[] {
  const taken = new Set<string>()
  for (const { program, name, section } of all) {
    if (!program) continue
    if (taken.has(name)) {
      const path = `program ${name} in section ${section.name}`
      throw file.fail('OBJECT_DUPLICATE_NAME', {
        path,
        section,
        expected: 'a name of its own',
        actual: 'two of it',
      })
    }
    taken.add(name)
  }
  // Then those that other objects can name, then static ones.
  const named = new Set<CodeFunction>()
  for (const fn of all) {
    if (fn.program || fn.symbol.binding === 'local' || taken.has(fn.name)) continue
    taken.add(fn.name)
    named.add(fn)
  }
  const counts = new Map<string, number>()
  return all.map((fn) => {
    if (fn.program || named.has(fn)) return fn
    let { name } = fn
    let count = counts.get(fn.name) ?? 0
    while (taken.has(name)) name = `${fn.name}.${++count}`
    counts.set(fn.name, count)
    taken.add(name)
    return name === fn.name ? fn : { ...fn, name }
  })
}

/** Finds the functions of all sections of code by their symbols (libbpf: `bpf_object__add_programs`). */
export function findFunctions(file: ObjectFile): FunctionTable {
  const symbols = new Map<number, ElfSymbol[]>()
  for (const section of file.code) symbols.set(section.index, [])
  for (const symbol of file.elf.symbols) {
    if (symbol.type === func) symbols.get(symbol.section)?.push(symbol)
  }
  const all = unique(
    file,
    file.code.flatMap((section) => functionsOf(file, section, symbols.get(section.index) ?? [])),
  )
  const sections = new Map<number, CodeFunction[]>()
  const starts = new Map<number, Map<number, CodeFunction>>()
  for (const fn of all) {
    const { index } = fn.section
    const list = sections.get(index)
    if (list === undefined) {
      sections.set(index, [fn])
      starts.set(index, new Map([[fn.offset, fn]]))
    } else {
      list.push(fn)
      const places = starts.get(index)
      if (places?.has(fn.offset) === false) places.set(fn.offset, fn)
    }
  }
  return {
    all,
    of: (section) => sections.get(section.index) ?? [],
    at: (section, offset) => starts.get(section)?.get(offset),
  }
}

/**
 * Deals rows about a section out to its functions, by the offset at which each function starts; rows that belong to no
 * function (linkers leave those of a weak function that another one has replaced) are dropped.
 */
export function byFunction<Row extends { readonly offset: number }>(
  functions: readonly CodeFunction[],
  rows: readonly Row[],
): ReadonlyMap<number, readonly Row[]> {
  const groups = new Map<number, Row[]>()
  for (const row of rows) {
    let low = 0
    let high = functions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((functions[middle]?.offset ?? 0) <= row.offset) low = middle + 1
      else high = middle
    }
    const fn = functions[low - 1]
    if (fn === undefined || row.offset >= fn.offset + fn.size) continue
    const group = groups.get(fn.offset)
    if (group === undefined) groups.set(fn.offset, [row])
    else group.push(row)
  }
  return groups
}
