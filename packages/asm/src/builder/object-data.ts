import { isTsbpfError } from '@tsbpf/base'
import type { TypeId } from '@tsbpf/base'
import { codec } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import { kernelDataName } from '@tsbpf/object'
import type { MapSpec, VariableSpec } from '@tsbpf/object'
import { mapFlags, mapTypes } from '@tsbpf/uapi'
import { builderErrors } from '../errors.ts'
import { placeOf } from './call-site.ts'
import { alignOf, alignUp, sizeOf } from './c-type.ts'
import type { Global } from './definitions.ts'
import { addDatasec, addVar } from './object-types.ts'
import type { ObjectTypes } from './object-types.ts'

type DataKind = 'rodata' | 'data' | 'bss'

/** A data section: its variables in their places. */
export interface DataSection {
  readonly name: string
  readonly kind: DataKind
  readonly size: number
  readonly datasec: TypeId
  readonly variables: readonly (VariableSpec & { readonly type: TypeId; readonly global: Global })[]
}

function kindOf(variable: Global): DataKind {
  const { section, name, value, type, trace } = variable
  const refuse = (expected: string, actual: string): Error =>
    builderErrors.ASM_DEFINITION({ place: placeOf(trace), what: 'global variable', name, expected, actual })
  const kind = /^\.(rodata|data|bss)(\.|$)/.exec(section)?.[1] as DataKind | undefined
  if (kind === undefined) throw refuse('a section .data, .rodata or .bss', section)
  if (kind === 'bss' && value !== undefined) throw refuse('no value in .bss', 'one')
  if (sizeOf(type) === 0) throw refuse('a type that has a size', type.kind)
  return kind
}

/** Lays variables out in their sections, in order, and adds these to the BTF. */
export function placeGlobals(types: ObjectTypes, globals: readonly Global[]): readonly DataSection[] {
  const sections = new Map<string, Global[]>()
  for (const one of globals) {
    const known = sections.get(one.section)
    if (known === undefined) sections.set(one.section, [one])
    else known.push(one)
  }
  return [...sections].map(([name, members]) => {
    let end = 0
    const variables = members.map((variable) => {
      const kind = kindOf(variable)
      const offset = alignUp(end, alignOf(variable.type))
      const size = sizeOf(variable.type)
      end = offset + size
      return {
        name: variable.name,
        section: name,
        offset,
        size,
        type: types.idOf(variable.type),
        kind,
        global: variable,
      }
    })
    const vars = variables.map(({ name: one, type, offset, size }) => ({
      type: addVar(types, one, type),
      offset,
      size,
    }))
    const datasec = addDatasec(types, name, vars)
    return { name, kind: variables[0]?.kind ?? 'data', size: end, datasec, variables }
  })
}

function contents(section: DataSection, btf: Btf): Uint8Array {
  const bytes = new Uint8Array(section.size)
  for (const { offset, type, global: variable } of section.variables) {
    if (variable.value === undefined) continue
    try {
      codec(btf, type).encodeInto(variable.value, bytes, offset)
    } catch (cause) {
      if (!isTsbpfError(cause)) throw cause
      const { name, trace } = variable
      const context = {
        what: 'global variable',
        name,
        expected: 'a value of its type',
        actual: cause.message,
      }
      throw builderErrors.ASM_DEFINITION({ place: placeOf(trace), ...context }, { cause })
    }
  }
  return bytes
}

/** The map that holds a data section. */
export function dataMap(section: DataSection, btf: Btf, object: string): MapSpec {
  const { name, kind, size, datasec } = section
  return {
    name,
    kernelName: kernelDataName(name, object),
    type: 'array',
    typeValue: mapTypes.value('array'),
    keySize: 4,
    valueSize: size,
    maxEntries: 1,
    flags: mapFlags.value('mmapable') | (kind === 'rodata' ? mapFlags.value('rdonly_prog') : 0),
    extra: 0n,
    numaNode: undefined,
    pinning: 'none',
    keyType: undefined,
    valueType: datasec,
    inner: undefined,
    values: [],
    data: { section: kind, bytes: contents(section, btf) },
  }
}
