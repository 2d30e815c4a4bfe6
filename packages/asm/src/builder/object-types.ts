import type { TypeId } from '@tsbpf/base'
import { btfBuilder } from '@tsbpf/btf'
import type { BtfBuilder } from '@tsbpf/btf'
import type { CType } from './c-type.ts'
import { placeMembers, s32 } from './c-type.ts'
import type { Signature } from './definitions.ts'

/** The BTF of an object in the making. */
export interface ObjectTypes {
  readonly btf: BtfBuilder
  /** Id of a type, added where it is new. */
  readonly idOf: (type: CType) => TypeId
  /** `element[length]` of a type that is there already. */
  readonly arrayOf: (element: number, length: number) => TypeId
  /** Id of a func_proto. */
  readonly protoOf: (signature: Signature, byDefault: Signature) => TypeId
}

const byteBits = 8
/** Clang's name of the type that counts elements. */
const indexName = '__ARRAY_SIZE_TYPE__'

/** Starts the BTF of an object. */
export function objectTypes(): ObjectTypes {
  const btf = btfBuilder()
  const ids = new Map<CType, TypeId>()
  let index: TypeId | undefined
  const arrayOf = (element: number, length: number): TypeId => {
    index ??= btf.add({ kind: 'int', name: indexName, size: 4 })
    return btf.add({ kind: 'array', type: element, indexType: index, length })
  }
  const make = (type: CType): TypeId => {
    switch (type.kind) {
      case 'int':
      case 'fwd':
        return btf.add(type)
      case 'ptr':
        return btf.add({ kind: 'ptr', type: type.to === undefined ? 0 : idOf(type.to) })
      case 'array':
        return arrayOf(idOf(type.element), type.length)
      case 'struct':
      case 'union': {
        const { offsets, size } = placeMembers(type)
        const members = type.members.map(([name, member], i) => {
          return { name, type: idOf(member), offsetBits: (offsets[i] ?? 0) * byteBits }
        })
        return btf.add({ kind: type.kind, name: type.name, size, members })
      }
    }
  }
  const idOf = (type: CType): TypeId => {
    let id = ids.get(type)
    if (id === undefined) {
      id = make(type)
      ids.set(type, id)
    }
    return id
  }
  return {
    btf,
    idOf,
    arrayOf,
    protoOf({ params, returns }, byDefault) {
      const result = returns ?? byDefault.returns ?? s32
      const returnType = result === 'void' ? 0 : idOf(result)
      const rows = Object.entries(params ?? byDefault.params ?? {})
      return btf.add({
        kind: 'func_proto',
        returnType,
        params: rows.map(([name, type]) => ({ name, type: idOf(type) })),
      })
    },
  }
}

/** Adds a DATASEC of variables that stand behind each other, each in its place. */
export function addDatasec(
  { btf }: ObjectTypes,
  name: string,
  vars: readonly { readonly type: number; readonly offset: number; readonly size: number }[],
): TypeId {
  const last = vars.at(-1)
  return btf.add({ kind: 'datasec', name, size: last === undefined ? 0 : last.offset + last.size, vars })
}

/** Adds a global VAR. */
export function addVar({ btf }: ObjectTypes, name: string, type: number): TypeId {
  return btf.add({ kind: 'var', name, type, linkage: 'global' })
}
