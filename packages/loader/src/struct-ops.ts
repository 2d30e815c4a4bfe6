import { isTsbpfError } from '@tsbpf/base'
import { codec, essentialName } from '@tsbpf/btf'
import type { Btf, BtfTypeOf } from '@tsbpf/btf'
import type { MapSpec, ObjectSpec } from '@tsbpf/object'
import type { AttachTarget } from './attach-target.ts'
import { errors } from './errors.ts'
import { findKernelType } from './find-kernel-type.ts'
import type { KernelType } from './find-kernel-type.ts'
import type { LazyKernelBtf } from './kernel-btf.ts'
import type { ModuleBtf } from './kernel-modules.ts'

/**
 * Values of members of struct_ops maps that go before the object's, by map name and member: what the member's type
 * encodes; for an operation the name of a program, or `null` for none. A map of a section with `?` is created only when
 * it is named here.
 */
export type StructOpsValues = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** A struct_ops map as the kernel wants it. */
export interface PlannedStructOps {
  /** Type id of `bpf_struct_ops_NAME`, which the map's value is. */
  readonly valueType: number
  readonly module: ModuleBtf | undefined
  /** The map's value, with zeroes where descriptors of programs will stand. */
  readonly value: Uint8Array
  /** The operations: where in the value the descriptor goes. */
  readonly programs: readonly {
    readonly program: string
    readonly at: number
    readonly target: AttachTarget
  }[]
}

type Struct = BtfTypeOf<'struct' | 'union'>

/** Plans the struct_ops maps that will be created, by name. Throws LOADER_UNKNOWN_MAP and LOADER_STRUCT_OPS. */
export function planStructOps(
  spec: ObjectSpec,
  values: StructOpsValues | undefined,
  kernel: LazyKernelBtf,
): ReadonlyMap<string, PlannedStructOps> {
  const given = new Map(Object.entries(values ?? {}))
  const maps = spec.maps.filter((map) => map.structOps !== undefined)
  const known = maps.map((map) => map.name)
  for (const name of given.keys()) {
    if (!known.includes(name)) throw errors.LOADER_UNKNOWN_MAP({ name, known })
  }
  const plans = new Map<string, PlannedStructOps>()
  for (const map of maps) {
    const shadow = given.get(map.name)
    if (shadow === undefined && map.structOps?.autocreate !== true) continue
    plans.set(map.name, planOne(spec, map, new Map(Object.entries(shadow ?? {})), kernel))
  }
  return plans
}

/** Lays the object's struct out as the kernel has it (libbpf's bpf_map__init_kern_struct_ops). */
function planOne(
  spec: ObjectSpec,
  map: MapSpec,
  shadow: Map<string, unknown>,
  kernel: LazyKernelBtf,
): PlannedStructOps {
  const fail = (member: string | undefined, problem: string): Error =>
    errors.LOADER_STRUCT_OPS({ map: map.name, member, problem })
  const { btf } = spec
  const local = btf === undefined || map.valueType === undefined ? undefined : btf.resolve(map.valueType)
  if (btf === undefined || local?.kind !== 'struct' || map.structOps === undefined) {
    throw fail(undefined, 'the object has no BTF of its struct')
  }
  const name = essentialName(local.name)
  const reason = `struct_ops map ${map.name}`
  const struct = findKernelType(kernel, { name, kind: 'struct', reason })
  if (struct === undefined) throw fail(undefined, `this kernel has no struct ${name}`)
  const { valueType, dataAt } = valueTypeOf(struct, name, fail)

  for (const member of shadow.keys()) {
    if (!local.members.some((one) => one.name === member)) {
      throw fail(member, `struct ${name} of the object has no such member`)
    }
  }
  const value = new Uint8Array(valueType.size)
  const programs: PlannedStructOps['programs'][number][] = []
  for (const [index, member] of local.members.entries()) {
    const own = map.structOps.programs.find((one) => one.index === index)?.program
    const fields = { spec, btf, map, member, value, own, struct, dataAt, fail }
    const placed = placeMember(
      fields,
      shadow.has(member.name) ? { value: shadow.get(member.name) } : undefined,
    )
    if (placed !== undefined) programs.push(placed)
  }
  return { valueType: valueType.id, module: struct.module, value, programs }
}

function valueTypeOf(
  struct: KernelType<'struct'>,
  name: string,
  fail: (member: undefined, problem: string) => Error,
): { readonly valueType: Struct; readonly dataAt: number } {
  const valueType = struct.btf.find(`bpf_struct_ops_${name}`, 'struct')
  const data = valueType?.members.find((one) => one.type === struct.id)
  if (valueType === undefined || data === undefined) {
    throw fail(undefined, `this kernel takes no operations of struct ${name} from BPF`)
  }
  return { valueType, dataAt: data.offsetBits / 8 }
}

interface Placing {
  readonly spec: ObjectSpec
  readonly btf: Btf
  readonly map: MapSpec
  readonly member: Struct['members'][number]
  readonly value: Uint8Array
  /** Program that the object puts there. */
  readonly own: string | undefined
  readonly struct: KernelType<'struct'>
  readonly dataAt: number
  readonly fail: (member: string | undefined, problem: string) => Error
}

function placeMember(
  placing: Placing,
  shadow: { readonly value: unknown } | undefined,
): PlannedStructOps['programs'][number] | undefined {
  const { spec, btf, member, value, own, struct, dataAt } = placing
  const { name } = member
  const fail = (problem: string): Error => placing.fail(name, problem)
  const type = btf.resolve(member.type)
  const isPointer = type.kind === 'ptr'
  const bytes = isPointer ? undefined : memberBytes(placing, shadow)
  const program = isPointer ? programOf(spec, own, shadow, fail) : undefined
  const index = struct.type.members.findIndex((one) => one.name === name)
  const there = struct.type.members[index]
  if (there === undefined) {
    // What an older kernel does not know may be there as long as nothing is asked of it.
    if (program !== undefined && shadow === undefined) return undefined
    if (program !== undefined || bytes?.some((byte) => byte !== 0) === true) {
      throw fail(`the kernel's struct ${struct.type.name} has no such member`)
    }
    return undefined
  }
  const at = dataAt + there.offsetBits / 8
  if (member.bitfieldSizeBits > 0 || there.bitfieldSizeBits > 0) throw fail('it is a bit field')
  const kernelType = struct.btf.resolve(there.type)
  if (kernelType.kind !== type.kind) throw fail(`it is ${type.kind} here, ${kernelType.kind} in the kernel`)
  if (bytes !== undefined) {
    const size = struct.btf.sizeOf(there.type)
    if (size !== bytes.length) throw fail(`it has ${bytes.length} bytes here, ${size} in the kernel`)
    value.set(bytes, at)
    return undefined
  }
  if (program === undefined) return undefined
  if (kernelType.kind !== 'ptr' || struct.btf.resolve(kernelType.type).kind !== 'func_proto') {
    throw fail(`the kernel has no operation of that name in struct ${struct.type.name}`)
  }
  return { program, at, target: { id: struct.id, module: struct.module, member: index } }
}

function programOf(
  spec: ObjectSpec,
  own: string | undefined,
  shadow: { readonly value: unknown } | undefined,
  fail: (problem: string) => Error,
): string | undefined {
  if (shadow === undefined) return own
  const { value } = shadow
  if (value === null || value === undefined) return undefined
  const known = spec.programs.filter(({ type }) => type === 'struct_ops').map((one) => one.name)
  if (typeof value === 'string' && known.includes(value)) return value
  throw fail(`expected the name of a struct_ops program (${known.join(', ')}) or null`)
}

function memberBytes(
  { btf, map, member, fail }: Placing,
  shadow: { readonly value: unknown } | undefined,
): Uint8Array {
  const at = member.offsetBits / 8
  const size = btf.sizeOf(member.type)
  if (shadow === undefined) return map.structOps?.bytes.subarray(at, at + size) ?? new Uint8Array(size)
  const bytes = encoded(shadow.value)
  if (bytes.length === size) return bytes
  throw fail(member.name, `the value has ${bytes.length} bytes, but the member ${size}`)

  function encoded(value: unknown): Uint8Array {
    if (value instanceof Uint8Array) return value
    try {
      return codec(btf, member.type).encode(value)
    } catch (cause) {
      if (!isTsbpfError(cause)) throw cause
      throw fail(member.name, cause.message)
    }
  }
}
