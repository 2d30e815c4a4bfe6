import { tablesOf } from './btf-tables.ts'
import type { Btf } from './btf-type.ts'
import { errors } from './errors.ts'
import { readHeader } from './header.ts'
import { kinds } from './kinds.ts'
import { parseBtf } from './parse-btf.ts'

/** What an object's symbol table says about one variable. */
export interface DataVariablePlace {
  /** Bytes from the start of the section. */
  readonly offset: number
  /** True for a symbol of hidden or internal visibility: its VAR becomes static. */
  readonly hidden?: boolean
}

/** What an object's section headers and symbol table say about one data section. */
export interface DataSectionPlaces {
  /** Bytes. */
  readonly size: number
  readonly vars: ReadonlyMap<string, DataVariablePlace>
}

/** Words of a DATASEC's size, of a VAR's linkage, and of a `btf_var_secinfo`. */
const sizeWord = 2
const linkageWord = 3
const firstVarWord = 3
const datasec = kinds.value('datasec')
/** `BTF_VAR_GLOBAL_ALLOCATED`. */
const globalLinkage = 1

/**
 * Completes the DATASECs of an object's BTF as libbpf does (`btf_fixup_datasec`), in a copy: compilers leave sizes and
 * the offsets of global variables zero. A DATASEC with a size keeps it and its offsets (a linker has completed it);
 * hidden variables become static; variables are sorted by offset. Static variables keep their offset, which compilers
 * do write. An extern variable stays as it is unless `sections` places it: then it becomes global, as libbpf does with
 * those of `.kconfig`. DATASECs that `sections` does not name are only sorted. Where nothing changes, `btf` itself is returned.
 *
 * `name` is for messages. Throws `BTF_DATA_SECTION` for a global variable that `sections` does not place.
 *
 * @example
 * ```ts
 * import { fixupDataSections, parseBtf } from '@tsbpf/btf'
 * import { parseElf } from '@tsbpf/elf'
 * import { readFile } from 'node:fs/promises'
 * const elf = parseElf(await readFile('app.bpf.o'))
 * const btf = parseBtf(elf.section('.BTF')?.data ?? new Uint8Array())
 * const data = elf.section('.data')
 * const vars = new Map(
 *   elf.symbols.filter((s) => s.section === data?.index).map((s) => [s.name, { offset: Number(s.value) }]),
 * )
 * const complete = fixupDataSections(btf, new Map([['.data', { size: data?.size ?? 0, vars }]]))
 * ```
 */
export function fixupDataSections(
  btf: Btf,
  sections: ReadonlyMap<string, DataSectionPlaces>,
  options: { readonly name?: string } = {},
): Btf {
  const file = options.name ?? 'BTF'
  const header = readHeader(btf.bytes, file, btf.base !== undefined)
  const { starts, kinds: kindsOf, count } = tablesOf(btf).index
  let copy: Uint8Array | undefined
  const write = (start: number, word: number, value: number): void => {
    copy ??= new Uint8Array(btf.bytes)
    const at = header.typesAt + (start + word) * 4
    new DataView(copy.buffer).setUint32(at, value, header.littleEndian)
  }
  const startOf = (id: number): number => starts[id - btf.firstId] ?? 0

  for (let at = kindsOf.indexOf(datasec); at >= 0 && at < count; at = kindsOf.indexOf(datasec, at + 1)) {
    const id = btf.firstId + at
    const type = btf.type(id)
    if (type.kind !== 'datasec') continue
    const start = startOf(id)
    const places = sections.get(type.name)
    const complete = type.size !== 0 || places === undefined
    if (!complete) {
      if (places.size === 0) {
        throw errors.BTF_DATA_SECTION({
          file,
          section: type.name,
          what: 'has variables, but the section is empty',
        })
      }
      write(start, sizeWord, places.size)
    }
    const rows = type.vars.map((row) => {
      const variable = btf.type(row.type)
      if (places === undefined || variable.kind !== 'var') return row
      if (variable.linkage === 'static') return row
      const place = places.vars.get(variable.name)
      if (variable.linkage === 'extern') {
        if (place === undefined) return row
        write(startOf(row.type), linkageWord, globalLinkage)
        return { ...row, offset: place.offset }
      }
      if (place === undefined) {
        throw errors.BTF_DATA_SECTION({ file, section: type.name, what: `${variable.name} has no symbol` })
      }
      if (place.hidden === true && row.type >= btf.firstId) write(startOf(row.type), linkageWord, 0)
      return complete ? row : { ...row, offset: place.offset }
    })
    const sorted = rows.toSorted((a, b) => a.offset - b.offset)
    sorted.forEach((row, index) => {
      const before = type.vars[index]
      if (before?.type === row.type && before.offset === row.offset && before.size === row.size) return
      const at = firstVarWord + index * 3
      write(start, at, row.type)
      write(start, at + 1, row.offset)
      write(start, at + 2, row.size)
    })
  }
  if (copy === undefined) return btf
  return parseBtf(copy, { name: file, ...(btf.base === undefined ? {} : { base: btf.base }) })
}
