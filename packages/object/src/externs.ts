import type { TypeId } from '@tsbpf/base'
import type { Btf } from '@tsbpf/btf'
import type { ElfSymbol } from '@tsbpf/elf'
import { isExtern, names } from './object-file.ts'
import type { ObjectFile } from './object-file.ts'
import type { ExternSpec } from './object-spec.ts'

/** The externs of an object in file order, and by the symbols that stand for them. */
export interface ExternTable {
  readonly externs: readonly ExternSpec[]
  readonly bySymbol: ReadonlyMap<number, ExternSpec>
}

/** The name of the data section that lists a type, by the type's id. */
function sectionNames(btf: Btf): ReadonlyMap<number, string> {
  const sections = new Map<number, string>()
  for (let id = btf.firstId; id < btf.endId; id++) {
    if (btf.kind(id) !== 'datasec') continue
    const type = btf.type(id)
    if (type.kind !== 'datasec') continue
    for (const row of type.vars) if (!sections.has(row.type)) sections.set(row.type, type.name)
  }
  return sections
}

/** A kconfig value is a bool, a tristate, an integer or text (libbpf: `find_kcfg_type`). */
function canBeKconfig(btf: Btf, id: TypeId): boolean {
  const type = btf.resolve(id)
  switch (type.kind) {
    case 'int':
      return type.bool ? type.size === 1 : [1, 2, 4, 8].includes(type.size)
    case 'enum':
      return type.size === 4 && type.name === 'libbpf_tristate'
    case 'enum64':
      return type.name === 'libbpf_tristate'
    case 'array': {
      const element = btf.resolve(type.type)
      return type.length > 0 && element.kind === 'int' && element.size === 1 && !element.bool
    }
    default:
      return false
  }
}

/**
 * Collects what the kernel or its configuration supplies (libbpf: `bpf_object__collect_externs`), and for a partial
 * object what others define.
 */
export function findExterns(file: ObjectFile): ExternTable {
  const symbols = file.elf.symbols.filter((symbol) => isExtern(symbol) && symbol.name !== '')
  return symbols.length === 0 ? none : externsOf(file, symbols)
}

const none: ExternTable = { externs: [], bySymbol: new Map() }

function externsOf({ btf, partial, fail }: ObjectFile, symbols: readonly ElfSymbol[]): ExternTable {
  const bySymbol = new Map<number, ExternSpec>()
  const byName = new Map<string, ExternSpec>()
  let sections: ReadonlyMap<number, string> | undefined
  for (const symbol of symbols) {
    const path = `extern ${symbol.name}`
    if (btf === undefined) {
      throw fail('OBJECT_NO_BTF', { path, expected: 'BTF that describes it', actual: 'no section .BTF' })
    }
    const known = byName.get(symbol.name)
    if (known !== undefined) {
      bySymbol.set(symbol.index, known)
      continue
    }
    const id = btf
      .idsByName(symbol.name)
      .find((type) => btf.kind(type) === 'var' || btf.kind(type) === 'func')
    const type = id === undefined ? undefined : btf.type(id)
    if (id === undefined || (type?.kind !== 'var' && type?.kind !== 'func') || type.linkage !== 'extern') {
      const actual = type === undefined ? 'none' : `${type.kind} ${symbol.name} with a definition`
      throw fail('OBJECT_EXTERN', { path, expected: 'BTF that describes an extern', actual })
    }
    sections ??= sectionNames(btf)
    const section = sections.get(id)
    let kind: ExternSpec['kind']
    if (section === names.ksyms) kind = type.kind === 'func' ? 'kfunc' : 'ksym'
    else if (section === names.kconfig && type.kind === 'var' && canBeKconfig(btf, type.type))
      kind = 'kconfig'
    else if (partial) kind = 'global'
    else {
      const expected = 'a ksym, a kfunc, or a kconfig value that is a number, a bool, a tristate or text'
      const actual = `${type.kind} in ${section === undefined ? 'no section' : `section ${section}`}`
      throw fail('OBJECT_EXTERN', { path, expected, actual })
    }
    const weak = symbol.binding === 'weak'
    const spec: ExternSpec = { name: symbol.name, kind, weak, type: type.kind === 'func' ? id : type.type }
    bySymbol.set(symbol.index, spec)
    byName.set(symbol.name, spec)
  }
  return { externs: [...byName.values()], bySymbol }
}

/** Where a kconfig value stands in the map `.kconfig`. */
export interface KconfigSlot {
  /** Bytes from the start of the map's value. */
  readonly offset: number
  /** Bytes. */
  readonly size: number
  readonly type: TypeId
}

/** The map `.kconfig` of an object. */
export interface KconfigLayout {
  /** Bytes of the map's value; 0 where the object has no kconfig extern. */
  readonly size: number
  readonly slots: ReadonlyMap<string, KconfigSlot>
}

/**
 * Lays the kconfig externs of an object out in the value of its map `.kconfig`, as libbpf does: by falling alignment,
 * rising size, then by name (tools/lib/bpf/libbpf.c, `cmp_externs`).
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { layoutKconfig, parseObject } from '@tsbpf/object'
 * const { externs, btf } = parseObject(await readFile('app.bpf.o'))
 * if (btf !== undefined) console.log(layoutKconfig(externs, btf).slots.get('CONFIG_HZ')?.offset)
 * ```
 */
export function layoutKconfig(externs: readonly ExternSpec[], btf: Btf): KconfigLayout {
  const rows: { name: string; type: TypeId; size: number; align: number }[] = []
  for (const { kind, name, type } of externs) {
    if (kind !== 'kconfig' || type === undefined) continue
    rows.push({ name, type, size: btf.sizeOf(type), align: btf.alignOf(type) })
  }
  rows.sort((a, b) => b.align - a.align || a.size - b.size || (a.name < b.name ? -1 : 1))
  const slots = new Map<string, KconfigSlot>()
  let size = 0
  for (const row of rows) {
    const offset = Math.ceil(size / row.align) * row.align
    slots.set(row.name, { offset, size: row.size, type: row.type })
    size = offset + row.size
  }
  return { size, slots }
}
