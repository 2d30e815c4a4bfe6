import type { Btf } from '@tsbpf/btf'
import type { ElfSection } from '@tsbpf/elf'
import { mapFlags, mapTypes } from '@tsbpf/uapi'
import { layoutKconfig } from './externs.ts'
import { limits } from './limits.ts'
import { kernelDataName } from './map-name.ts'
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
