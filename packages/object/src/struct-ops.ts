import type { Btf, BtfTypeOf } from '@tsbpf/btf'
import type { ElfSection } from '@tsbpf/elf'
import { mapFlags, mapTypes } from '@tsbpf/uapi'
import type { FunctionTable } from './functions.ts'
import { kernelMapName } from './map-name.ts'
import type { ObjectFile } from './object-file.ts'
import type { MapSpec, StructOpsSpec } from './object-spec.ts'
import { parseSectionName } from './section-name.ts'

const structOpsSections = new Map([
  ['.struct_ops', 0],
  ['.struct_ops.link', mapFlags.value('link')],
])

/** A variable of a section, with its struct. */
interface Variable {
  readonly name: string
  readonly offset: number
  readonly struct: BtfTypeOf<'struct' | 'union'>
  readonly programs: StructOpsSpec['programs'][number][]
}

function variablesOf(file: ObjectFile, section: ElfSection, btf: Btf | undefined): Variable[] {
  const path = `section ${section.name}`
  const datasec = btf?.find(section.name, 'datasec')
  if (btf === undefined || datasec === undefined) {
    throw file.fail('OBJECT_NO_BTF', { path, section, expected: 'BTF that describes it', actual: 'none' })
  }
  return datasec.vars.map((row) => {
    const variable = btf.type(row.type)
    const struct = variable.kind === 'var' ? btf.resolve(variable.type) : variable
    if (variable.kind !== 'var' || struct.kind !== 'struct' || struct.name === '') {
      const actual = struct.kind
      throw file.fail('OBJECT_STRUCT_OPS', { path, section, expected: 'a named struct', actual })
    }
    if (row.offset + struct.size > section.data.length) {
      const expected = `an end at or before ${section.data.length}`
      const actual = String(row.offset + struct.size)
      throw file.fail('OBJECT_STRUCT_OPS', { path: `${path}: ${variable.name}`, section, expected, actual })
    }
    return { name: variable.name, offset: row.offset, struct, programs: [] }
  })
}

/** Puts the programs that relocations name into their members (libbpf: `bpf_object__collect_st_ops_relos`). */
function findPrograms(
  file: ObjectFile,
  section: ElfSection,
  variables: readonly Variable[],
  btf: Btf,
  functions: FunctionTable,
): void {
  const rows = file.elf.relocations(section)
  if (rows.length === 0) return
  /** Every place of a pointer to a function, and whose it is. */
  const places = new Map<number, { variable: Variable; member: string; index: number }>()
  for (const variable of variables) {
    for (const [index, { name, type, offsetBits }] of variable.struct.members.entries()) {
      const pointer = btf.resolve(type)
      if (pointer.kind !== 'ptr' || btf.resolve(pointer.type).kind !== 'func_proto') continue
      places.set(variable.offset + offsetBits / 8, { variable, member: name, index })
    }
  }
  for (const row of rows) {
    const place = places.get(row.offset)
    const at = { section, at: row.offset }
    if (place === undefined) {
      const path = `relocation in section ${section.name}`
      const actual = `byte ${row.offset}`
      throw file.fail('OBJECT_STRUCT_OPS', { ...at, path, expected: 'a pointer to a function', actual })
    }
    const { variable, member, index } = place
    const symbol = file.elf.symbols[row.symbol]
    const fn = symbol === undefined ? undefined : functions.at(symbol.section, Number(symbol.value))
    const type = fn === undefined ? undefined : parseSectionName(fn.section.name).type
    if (fn?.program !== true || type !== 'struct_ops') {
      const path = `${variable.name}.${member}`
      const actual = fn === undefined ? `symbol ${symbol?.name ?? ''}` : `${fn.name} in ${fn.section.name}`
      throw file.fail('OBJECT_STRUCT_OPS', {
        ...at,
        path,
        expected: 'a program of SEC("struct_ops")',
        actual,
      })
    }
    variable.programs.push({ member, index, program: fn.name })
  }
}

/** Makes a map of each variable of `.struct_ops` and `.struct_ops.link` (libbpf: `init_struct_ops_maps`). */
export function structOpsMaps(file: ObjectFile, functions: FunctionTable): MapSpec[] {
  const { btf } = file
  const maps: MapSpec[] = []
  for (const section of file.elf.sections) {
    const { name: full } = section
    const flags = structOpsSections.get(full.startsWith('?') ? full.slice(1) : full)
    if (flags === undefined || section.data.length === 0) continue
    // BTF knows sections by name only: of two with one name, it means the first.
    if (file.elf.section(full) !== section) continue
    for (const map of mapsOf(file, section, btf, functions, flags)) maps.push(map)
  }
  return maps
}

function mapsOf(
  file: ObjectFile,
  section: ElfSection,
  btf: Btf | undefined,
  functions: FunctionTable,
  flags: number,
): MapSpec[] {
  const maps: MapSpec[] = []
  const variables = variablesOf(file, section, btf)
  if (btf !== undefined) findPrograms(file, section, variables, btf, functions)
  for (const { name, offset, struct, programs } of variables) {
    maps.push({
      name,
      kernelName: kernelMapName(name),
      type: 'struct_ops',
      typeValue: mapTypes.value('struct_ops'),
      keySize: 4,
      valueSize: struct.size,
      maxEntries: 1,
      flags,
      extra: 0n,
      numaNode: undefined,
      pinning: 'none',
      keyType: undefined,
      valueType: struct.id,
      inner: undefined,
      values: [],
      data: undefined,
      structOps: {
        autocreate: !section.name.startsWith('?'),
        bytes: section.data.subarray(offset, offset + struct.size),
        programs: programs.sort((a, b) => a.index - b.index),
      },
    })
  }
  return maps
}
