import type { Btf } from '@tsbpf/btf'
import type { ElfSection } from '@tsbpf/elf'
import { mapFlags, mapTypes } from '@tsbpf/uapi'
import { layoutKconfig } from './externs.ts'
import { limits } from './limits.ts'
import { kernelDataName, kernelMapName } from './map-name.ts'
import { names } from './object-file.ts'
import type { DataKind, ObjectFile } from './object-file.ts'
import type { ExternSpec, MapSpec } from './object-spec.ts'

/** User space may map a section only where it can see a variable of it (libbpf: `map_is_mmapable`). */
function hasVisibleVariable(btf: Btf, section: string): boolean {
  const datasec = btf.find(section, 'datasec')
  return (
    datasec?.vars.some(({ type }) => {
      const variable = btf.type(type)
      return variable.kind === 'var' && variable.linkage !== 'static'
    }) ?? false
  )
}

/** Zeroes that take memory when somebody looks at them. */
function zeroes(section: 'bss' | 'kconfig', size: number, align: number): NonNullable<MapSpec['data']> {
  let bytes: Uint8Array | undefined
  return {
    section,
    align,
    get bytes() {
      return (bytes ??= new Uint8Array(size))
    },
  }
}

function dataMap(
  name: string,
  kernelName: string,
  size: number,
  btf: Btf | undefined,
  data: NonNullable<MapSpec['data']>,
): MapSpec {
  const readOnly = data.section === 'rodata' || data.section === 'kconfig'
  const visible = btf !== undefined && hasVisibleVariable(btf, name)
  return {
    name,
    kernelName,
    type: 'array',
    typeValue: mapTypes.value('array'),
    keySize: 4,
    valueSize: size,
    maxEntries: 1,
    flags: (readOnly ? mapFlags.value('rdonly_prog') : 0) | (visible ? mapFlags.value('mmapable') : 0),
    extra: 0n,
    numaNode: undefined,
    pinning: 'none',
    keyType: undefined,
    valueType: btf?.find(name, 'datasec')?.id,
    inner: undefined,
    values: [],
    data,
  }
}

function contents(file: ObjectFile, section: ElfSection, kind: DataKind): NonNullable<MapSpec['data']> {
  if (section.size > limits.dataSize) {
    const path = `section ${section.name}`
    const expected = `at most ${limits.dataSize} bytes`
    throw file.fail('OBJECT_DATA_SIZE', { path, section, expected, actual: `${section.size} bytes` })
  }
  const align = Number(section.addralign)
  return kind === 'bss' ? zeroes(kind, section.size, align) : { section: kind, bytes: section.data, align }
}

/**
 * Makes the maps that hold global data: one for each data section, in file order, and `.kconfig` last
 * (libbpf: `bpf_object__init_global_data_maps`, `bpf_object__init_kconfig_map`). `btf` is the completed BTF.
 */
export function dataMaps(
  file: ObjectFile,
  btf: Btf | undefined,
  externs: readonly ExternSpec[],
  object: string,
): MapSpec[] {
  const maps: MapSpec[] = []
  for (const [index, kind] of file.data) {
    const section = file.elf.sections[index]
    if (section === undefined) continue
    const kernelName = kernelDataName(section.name, object)
    maps.push(dataMap(section.name, kernelName, section.size, btf, contents(file, section, kind)))
  }
  const kconfig = btf === undefined ? 0 : layoutKconfig(externs, btf).size
  if (kconfig > 0) {
    if (kconfig > limits.dataSize) {
      const expected = `at most ${limits.dataSize} bytes`
      throw file.fail('OBJECT_DATA_SIZE', { path: names.kconfig, expected, actual: `${kconfig} bytes` })
    }
    const kernelName = kernelDataName(names.kconfig, object)
    maps.push(dataMap(names.kconfig, kernelName, kconfig, btf, zeroes('kconfig', kconfig, 8)))
  }
  return maps
}

const structOpsSections = new Map([
  ['.struct_ops', 0],
  ['.struct_ops.link', mapFlags.value('link')],
])

/** Makes a map of each variable of `.struct_ops` and `.struct_ops.link` (libbpf: `init_struct_ops_maps`). */
export function structOpsMaps(file: ObjectFile, btf: Btf | undefined): MapSpec[] {
  const maps: MapSpec[] = []
  for (const section of file.elf.sections) {
    const flags = structOpsSections.get(section.name.replace(/^\?/, ''))
    if (flags === undefined || section.data.length === 0) continue
    // BTF knows sections by name only: of two with one name, it means the first.
    if (file.elf.section(section.name) !== section) continue
    const path = `section ${section.name}`
    const datasec = btf?.find(section.name, 'datasec')
    if (btf === undefined || datasec === undefined) {
      throw file.fail('OBJECT_NO_BTF', { path, section, expected: 'BTF that describes it', actual: 'none' })
    }
    for (const row of datasec.vars) {
      const variable = btf.type(row.type)
      const struct = variable.kind === 'var' ? btf.resolve(variable.type) : variable
      if (variable.kind !== 'var' || struct.kind !== 'struct' || struct.name === '') {
        throw file.fail('OBJECT_STRUCT_OPS', {
          path,
          section,
          expected: 'a named struct',
          actual: struct.kind,
        })
      }
      if (row.offset + struct.size > section.size) {
        const expected = `an end at or before ${section.size}`
        const actual = String(row.offset + struct.size)
        throw file.fail('OBJECT_STRUCT_OPS', { path: `${path}: ${variable.name}`, section, expected, actual })
      }
      maps.push({
        name: variable.name,
        kernelName: kernelMapName(variable.name),
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
      })
    }
  }
  return maps
}
