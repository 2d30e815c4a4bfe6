import type { TypeId } from '@tsbpf/base'
import type { Btf } from '@tsbpf/btf'
import type { ElfSection, ElfSymbol } from '@tsbpf/elf'
import { symbolTypes } from '@tsbpf/elf'
import { mapTypes } from '@tsbpf/uapi'
import type { DeclaredMaps } from './btf-maps.ts'
import { kernelMapName } from './map-name.ts'
import type { ObjectFile } from './object-file.ts'
import type { MapSpec } from './object-spec.ts'

/** Fields of `struct bpf_map_def`, of 32 bits each; the flags came later. */
const fields = { least: 4, known: 5 }

/** Prefix of the struct by which `BPF_ANNOTATE_KV_PAIR` tells the types of a map's key and value. */
const annotation = '____btf_map_'

function annotatedTypes(
  btf: Btf | undefined,
  name: string,
  keySize: number,
  valueSize: number,
): { readonly keyType: TypeId | undefined; readonly valueType: TypeId | undefined } {
  const [key, value, ...more] = btf?.find(`${annotation}${name}`, 'struct')?.members ?? []
  const fit =
    btf !== undefined &&
    key?.name === 'key' &&
    value?.name === 'value' &&
    more.length === 0 &&
    btf.sizeOf(key.type) === keySize &&
    btf.sizeOf(value.type) === valueSize
  return { keyType: fit ? key.type : undefined, valueType: fit ? value.type : undefined }
}

function definition(file: ObjectFile, section: ElfSection, symbol: ElfSymbol, size: number): MapSpec {
  const { name } = symbol
  const path = `map ${name === '' ? '(no name)' : name}`
  const at = Number(symbol.value)
  const fail = (expected: string, actual: string) =>
    file.fail('OBJECT_LEGACY_MAPS', { path, section, at, expected, actual })
  if (name === '') throw fail('a variable with a name', 'none')
  if (size < fields.least * 4 || size % 4 !== 0) {
    throw fail(`a struct bpf_map_def of at least ${fields.least * 4} bytes`, `${size} bytes`)
  }
  if (size > section.data.length - at) {
    throw fail(`an end at or before ${section.data.length}`, String(at + size))
  }
  const view = new DataView(section.data.buffer, section.data.byteOffset + at, size)
  const numbers = Array.from({ length: fields.known }, (_, i) =>
    i * 4 < size ? view.getUint32(i * 4, file.elf.littleEndian) : 0,
  )
  for (let i = fields.known * 4; i < size; i++) {
    if (view.getUint8(i) === 0) continue
    throw fail(`zeroes after the ${fields.known} fields of struct bpf_map_def`, `something in byte ${i}`)
  }
  const [typeValue = 0, keySize = 0, valueSize = 0, maxEntries = 0, flags = 0] = numbers
  return {
    name,
    kernelName: kernelMapName(name),
    type: mapTypes.format(typeValue),
    typeValue,
    keySize,
    valueSize,
    maxEntries,
    flags,
    extra: 0n,
    numaNode: undefined,
    pinning: 'none',
    ...annotatedTypes(file.btf, name, keySize, valueSize),
    inner: undefined,
    values: [],
    data: undefined,
    ...(symbol.binding === 'weak' ? { weak: true } : {}),
  }
}

/**
 * Reads the maps of a section `maps`: one `struct bpf_map_def` for each symbol, as libbpf before 1.0 did
 * (`bpf_object__init_user_maps`). A symbol without a size ends where the next one starts. What follows the fields of
 * that struct must be zero: other loaders' fields (pinning and inner maps of iproute2) would be lost otherwise.
 */
export function legacyMaps(file: ObjectFile, section: ElfSection): DeclaredMaps {
  const maps: MapSpec[] = []
  const byOffset = new Map<number, MapSpec>()
  if (file.isCode(section.index)) return { maps, at: () => undefined }
  const { notype, object } = { notype: symbolTypes.value('notype'), object: symbolTypes.value('object') }
  const symbols = file.elf.symbols
    .filter((one) => one.section === section.index && (one.type === object || one.type === notype))
    .filter((one) => one.binding !== 'local' || one.type === object)
    .sort((a, b) => (a.value < b.value ? -1 : 1))
  if (symbols.length === 0 && section.size > 0) {
    throw file.fail('OBJECT_LEGACY_MAPS', {
      path: 'section maps',
      section,
      expected: 'a symbol for each map',
      actual: 'none',
    })
  }
  for (const [i, symbol] of symbols.entries()) {
    const start = Number(symbol.value)
    const end = Number(symbols[i + 1]?.value ?? section.size)
    const size = symbol.size === 0 ? end - start : symbol.size
    if (start + size > end) {
      const expected = `an end at or before ${end}`
      const path = `map ${symbol.name}`
      throw file.fail('OBJECT_LEGACY_MAPS', {
        path,
        section,
        at: start,
        expected,
        actual: String(start + size),
      })
    }
    const map = definition(file, section, symbol, size)
    maps.push(map)
    byOffset.set(start, map)
  }
  return { maps, at: (index, offset) => (index === section.index ? byOffset.get(offset) : undefined) }
}
