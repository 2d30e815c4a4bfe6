import { btfBuilder } from '@tsbpf/btf'
import type { BtfBuilder } from '@tsbpf/btf'
import type { CType, ExternDeclaration } from './extern-directives.ts'
import type { ElementType, MapDeclaration } from './map-directive.ts'

/** Bits of a pointer in an object, whatever the host. */
const pointerBits = 64

/** C's names of integers, as clang writes them into BTF. */
const integerNames: Readonly<Record<string, string>> = {
  u1: 'unsigned char',
  u2: 'unsigned short',
  u4: 'unsigned int',
  u8: 'unsigned long long',
  s1: 'signed char',
  s2: 'short',
  s4: 'int',
  s8: 'long long',
}

/** Types that are asked for again are the same ones. */
interface Types {
  readonly builder: BtfBuilder
  readonly known: Map<string, number>
}

function once(types: Types, key: string, make: () => number): number {
  let id = types.known.get(key)
  if (id === undefined) types.known.set(key, (id = make()))
  return id
}

function integer(types: Types, signed: boolean, size: number): number {
  const key = `${signed ? 's' : 'u'}${size}`
  return once(types, key, () =>
    types.builder.add({ kind: 'int', name: integerNames[key] ?? key, size, signed }),
  )
}

function element(types: Types, { signed, size, length }: ElementType): number {
  const type = integer(types, signed, size)
  if (length === undefined) return type
  const indexType = integer(types, false, 4)
  return types.builder.add({ kind: 'array', type, indexType, length })
}

const pointer = (types: Types, type: number): number =>
  once(types, `*${type}`, () => types.builder.add({ kind: 'ptr', type }))

/** A number as libbpf's `__uint` says it: a pointer to an array that long; `__ulong` where it needs 64 bits. */
function numberType(types: Types, field: string, value: bigint, map: string): number {
  if (value > 0xffff_ffffn) {
    return types.builder.add({
      kind: 'enum64',
      name: '',
      size: 8,
      values: [{ name: `${map}_${field}`, value }],
    })
  }
  const type = integer(types, true, 4)
  const indexType = integer(types, false, 4)
  const array = once(types, `[${value}]`, () =>
    types.builder.add({ kind: 'array', type, indexType, length: Number(value) }),
  )
  return pointer(types, array)
}

/** The struct of a map, member for member as libbpf's macros make it (tools/lib/bpf/bpf_helpers.h). */
function mapStruct(types: Types, map: MapDeclaration, structs: ReadonlyMap<string, number>): number {
  const members: { name: string; type: number; offsetBits: number }[] = []
  const add = (name: string, type: number): void => {
    members.push({ name, type, offsetBits: members.length * pointerBits })
  }
  for (const [field, value] of map.numbers) add(field, numberType(types, field, value, map.name))
  if (map.key !== undefined) add('key', pointer(types, element(types, map.key)))
  if (map.value !== undefined) add('value', pointer(types, element(types, map.value)))
  const size = members.length * (pointerBits / 8)
  if (map.entries !== undefined) {
    const to =
      map.entries.kind === 'map'
        ? (structs.get(map.entries.like) ?? 0)
        : once(types, 'program', () =>
            types.builder.add({ kind: 'func_proto', returnType: integer(types, true, 4), params: [] }),
          )
    const type = pointer(types, to)
    add('values', types.builder.add({ kind: 'array', type, indexType: integer(types, false, 4), length: 0 }))
  }
  return types.builder.add({ kind: 'struct', name: '', size, members })
}

function cType(types: Types, type: CType): number {
  const { kind, name, signed, size, pointers } = type
  let id = 0
  if (kind === 'int') {
    id = once(types, `int ${name}`, () =>
      types.builder.add({ kind: 'int', name, size, signed, bool: name === 'bool', char: false }),
    )
  } else if (kind === 'struct' || kind === 'union') {
    id = once(types, `${kind} ${name}`, () => types.builder.add({ kind, name, size: 0, members: [] }))
  } else if (kind === 'enum') {
    id = once(types, `enum ${name}`, () => types.builder.add({ kind: 'enum', name, size: 4, values: [] }))
  }
  for (let i = 0; i < pointers; i++) id = pointer(types, id)
  return id
}

function externType(types: Types, { name, prototype }: ExternDeclaration): number {
  const { builder } = types
  if (prototype === undefined) {
    const type = once(types, 'const void', () => builder.add({ kind: 'const', type: 0 }))
    return builder.add({ kind: 'var', name, type, linkage: 'extern' })
  }
  const params = prototype.params.map((param, index) => ({
    name: `arg${index + 1}`,
    type: cType(types, param),
  }))
  const type = builder.add({ kind: 'func_proto', returnType: cType(types, prototype.returns), params })
  return builder.add({ kind: 'func', name, type, linkage: 'extern' })
}

/** BTF that describes the maps and externs of a text: what libbpf needs of them and no more. */
export function declaredBtf(
  maps: readonly MapDeclaration[],
  externs: Iterable<ExternDeclaration>,
  littleEndian: boolean,
): Uint8Array | undefined {
  const types: Types = { builder: btfBuilder({ name: 'BTF of the text' }), known: new Map() }
  const { builder } = types
  const structs = new Map<string, number>()
  // A map that others are like comes before them.
  const ordered = [...maps].sort(
    (a, b) => Number(a.entries?.kind === 'map') - Number(b.entries?.kind === 'map'),
  )
  for (const map of ordered) structs.set(map.name, mapStruct(types, map, structs))
  const vars = maps.map(({ name, offset, size }) => {
    const type = builder.add({ kind: 'var', name, type: structs.get(name) ?? 0, linkage: 'global' })
    return { type, offset, size }
  })
  const last = maps.at(-1)
  if (last !== undefined) builder.add({ kind: 'datasec', name: '.maps', size: last.offset + last.size, vars })
  const ksyms = [...externs].map((row) => ({ type: externType(types, row), offset: 0, size: 0 }))
  if (ksyms.length > 0) builder.add({ kind: 'datasec', name: '.ksyms', size: 0, vars: ksyms })
  return builder.endId === builder.firstId ? undefined : builder.build({ littleEndian })
}
