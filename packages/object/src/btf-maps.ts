import type { Btf, BtfTypeOf } from '@tsbpf/btf'
import type { ElfSection } from '@tsbpf/elf'
import { mapTypes } from '@tsbpf/uapi'
import type { FunctionTable } from './functions.ts'
import { isMapOfMaps, readDefinition } from './map-definition.ts'
import type { MapDefinition } from './map-definition.ts'
import { kernelMapName } from './map-name.ts'
import { names } from './object-file.ts'
import type { ObjectFile } from './object-file.ts'
import type { MapSpec } from './object-spec.ts'

/** Maps that an object declares, and where. */
export interface DeclaredMaps {
  readonly maps: readonly MapSpec[]
  /** The map that starts at an offset of a section. */
  at(section: number, offset: number): MapSpec | undefined
}

/** A variable of `.maps` and its place. */
interface Declaration {
  readonly name: string
  readonly offset: number
  readonly size: number
  readonly definition: MapDefinition
}

const arenaType = mapTypes.value('arena')

/** Bytes of a pointer in an object, whatever the host. */
const pointerSize = 8

function declarations(
  file: ObjectFile,
  section: ElfSection,
  btf: Btf,
  datasec: BtfTypeOf<'datasec'>,
): Declaration[] {
  const found: Declaration[] = []
  const known = new Set<string>()
  for (const row of datasec.vars) {
    const variable = btf.type(row.type)
    const name = variable.kind === 'var' ? variable.name : ''
    const path = `map ${name === '' ? '(no name)' : name}`
    const at = { path, section }
    if (variable.kind !== 'var' || name === '') {
      throw file.fail('OBJECT_MAP', { ...at, expected: 'a variable with a name', actual: variable.kind })
    }
    // A map of another object, in one that is to be linked.
    if (variable.linkage === 'extern' && file.partial) continue
    if (variable.linkage !== 'global') {
      throw file.fail('OBJECT_MAP', {
        ...at,
        expected: 'a global variable',
        actual: `a ${variable.linkage} one`,
      })
    }
    if (known.has(name)) {
      throw file.fail('OBJECT_DUPLICATE_NAME', { ...at, expected: 'a name of its own', actual: 'two of it' })
    }
    known.add(name)
    const { offset } = row
    if (offset + row.size > section.data.length) {
      const expected = `an end at or before ${section.data.length}`
      throw file.fail('OBJECT_MAP', { ...at, expected, actual: String(offset + row.size) })
    }
    const struct = btf.resolve(variable.type)
    if (struct.kind !== 'struct') {
      throw file.fail('OBJECT_MAP', { ...at, expected: 'a struct', actual: struct.kind })
    }
    if (struct.size > row.size) {
      const expected = `a struct of at most ${row.size} bytes`
      throw file.fail('OBJECT_MAP', { ...at, expected, actual: `${struct.size} bytes` })
    }
    const definition = readDefinition(
      {
        btf,
        fail: (field, expected, actual) =>
          file.fail('OBJECT_MAP', { path: `${path}.${field}`, section, at: offset, expected, actual }),
      },
      struct,
    )
    if (definition.pinning === 'by_name' && (/[/\0]/.test(name) || name === '.' || name === '..')) {
      const expected = 'a name without / that is neither . nor ..'
      throw file.fail('OBJECT_PIN_NAME', {
        path,
        section,
        at: offset,
        expected,
        actual: JSON.stringify(name),
      })
    }
    found.push({ name, offset, size: row.size, definition })
  }
  return found
}

function specOf(name: string, definition: MapDefinition, values: MapSpec['values']): MapSpec {
  const { typeValue, keySize, valueSize, maxEntries, flags, extra, numaNode } = definition
  const { pinning, keyType, valueType, inner } = definition
  return {
    name,
    kernelName: kernelMapName(name),
    type: mapTypes.format(typeValue),
    typeValue,
    keySize,
    valueSize,
    maxEntries,
    flags,
    extra,
    numaNode,
    pinning,
    keyType,
    valueType,
    inner: inner === undefined ? undefined : specOf(`${name}.inner`, inner, []),
    values,
    data: undefined,
  }
}

/**
 * The map that holds the variables of the section `.addr_space.1`: the only arena. Whether they fit its pages is for
 * the loader, which knows how large these are.
 */
function arenaOf(file: ObjectFile, maps: readonly Declaration[]): string | undefined {
  const [first, second] = maps.filter(({ definition }) => definition.typeValue === arenaType)
  if (second !== undefined) {
    const path = `map ${second.name}`
    const { maps: section } = file
    throw file.fail('OBJECT_MAP', {
      path,
      section,
      expected: 'one arena',
      actual: `${first?.name ?? ''} too`,
    })
  }
  return file.arena === undefined ? undefined : first?.name
}

/** Initial entries by map: relocations of `.maps` (libbpf: `bpf_object__collect_map_relos`). */
function initialValues(
  file: ObjectFile,
  section: ElfSection,
  maps: readonly Declaration[],
  functions: FunctionTable,
): ReadonlyMap<string, ReadonlyMap<number, string>> {
  const values = new Map<string, Map<number, string>>()
  const byOffset = new Map<number, Declaration>()
  for (const map of maps) byOffset.set(map.offset, map)
  for (const row of file.elf.relocations(section)) {
    let low = 0
    let high = maps.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((maps[middle]?.offset ?? 0) <= row.offset) low = middle + 1
      else high = middle
    }
    const map = maps[low - 1]
    const start = map === undefined ? undefined : map.definition.valuesOffset
    const fail = (expected: string, actual: string) =>
      file.fail('OBJECT_MAP_VALUES', {
        path: map === undefined ? 'relocation of .maps' : `map ${map.name}.values`,
        section,
        at: row.offset,
        expected,
        actual,
      })
    if (map === undefined || start === undefined || row.offset + pointerSize > map.offset + map.size) {
      throw fail('a relocation in the entries of a map', `one at ${row.offset}`)
    }
    const within = row.offset - map.offset - start
    if (within < 0 || within % pointerSize !== 0) throw fail('a whole entry', `byte ${within} of the entries`)
    const symbol = file.elf.symbols[row.symbol]
    const offset = Number(symbol?.value ?? 0n)
    let target: string | undefined
    if (isMapOfMaps(map.definition.typeValue)) {
      if (map.definition.typeValue === mapTypes.value('hash_of_maps') && map.definition.keySize !== 4) {
        throw fail('a hash_of_maps with keys of 4 bytes', `keys of ${map.definition.keySize}`)
      }
      target = symbol?.section === section.index ? byOffset.get(offset)?.name : undefined
      if (target === undefined) throw fail('a map of .maps', `symbol ${symbol?.name ?? ''}`)
    } else {
      const fn = symbol === undefined ? undefined : functions.at(symbol.section, offset)
      // Of two programs at one place, the one that was named.
      const named = fn?.section === undefined ? [] : functions.of(fn.section)
      const same = named.find((one) => one.offset === offset && one.symbol.index === symbol?.index) ?? fn
      if (same?.program !== true) throw fail('a program', `symbol ${symbol?.name ?? ''}`)
      target = same.name
    }
    const index = within / pointerSize
    const entries = values.get(map.name)
    if (entries === undefined) values.set(map.name, new Map([[index, target]]))
    else entries.set(index, target)
  }
  return values
}

/** Reads the maps that the object declares in `.maps`, in the order in which they stand there, which is libbpf's. */
export function declaredMaps(file: ObjectFile, section: ElfSection, functions: FunctionTable): DeclaredMaps {
  const { btf } = file
  const path = `section ${names.maps}`
  if (btf === undefined) {
    throw file.fail('OBJECT_NO_BTF', {
      path,
      section,
      expected: 'BTF that describes it',
      actual: 'no section .BTF',
    })
  }
  const datasec = btf.find(names.maps, 'datasec')
  if (datasec === undefined) {
    throw file.fail('OBJECT_MAP', { path, section, expected: 'a datasec .maps in BTF', actual: 'none' })
  }
  const declared = declarations(file, section, btf, datasec)
  const arena = arenaOf(file, declared)
  const values = initialValues(file, section, declared, functions)
  const weak = new Set<string>()
  for (const symbol of file.elf.symbols) {
    if (symbol.section === section.index && symbol.binding === 'weak') weak.add(symbol.name)
  }
  const maps: MapSpec[] = []
  const byOffset = new Map<number, MapSpec>()
  for (const { name, offset, definition } of declared) {
    const entries = [...(values.get(name) ?? [])].map(([index, target]) => ({ index, name: target }))
    const sorted = entries.sort((a, b) => a.index - b.index)
    const made = specOf(name, definition, sorted)
    const spec = {
      ...made,
      ...(weak.has(name) ? { weak: true } : {}),
      ...(name === arena ? { arena: file.arena?.data } : {}),
    }
    maps.push(spec)
    if (!byOffset.has(offset)) byOffset.set(offset, spec)
  }
  return { maps, at: (index, offset) => (index === section.index ? byOffset.get(offset) : undefined) }
}
