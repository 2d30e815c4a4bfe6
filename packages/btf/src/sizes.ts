import type { TsbpfError, TypeId } from '@tsbpf/base'
import type { Btf, BtfType } from './btf-type.ts'
import type { TypeReader } from './decode-type.ts'
import { errors } from './errors.ts'
import { kindNames } from './kinds.ts'
import { limits } from './limits.ts'
import type { TypeIndex } from './type-index.ts'

/** The name of a type for a message: its kind and name. */
function nounOf(type: BtfType): string {
  return 'name' in type && type.name !== '' ? `${type.kind} ${type.name}` : type.kind
}

function fault(
  file: string,
  type: BtfType,
  make: (context: { file: string; id: number; type: string }) => TsbpfError,
): TsbpfError {
  return make({ file, id: type.id, type: nounOf(type) })
}

/** The own types of one BTF as words, so that walks from type to type decode none. */
export interface TypeWords {
  readonly btf: Btf
  readonly index: TypeIndex
  /** For messages. */
  readonly file: string
  /** Word at which an own type starts; throws `BTF_TYPE_ID`. */
  readonly startOf: (id: number) => number
  readonly reader: TypeReader
}

/** Kinds that stand for the type that they lead to, as bits: typedef, volatile, const, restrict, type_tag. */
const aliases = (1 << 8) | (1 << 9) | (1 << 10) | (1 << 11) | (1 << 18)
/** Likewise var and decl_tag, which have their type's size. */
const sized = aliases | (1 << 14) | (1 << 17)

/** Steps through modifiers and typedefs; a chain longer than the kernel allows is a circle or an attack. */
export function resolveId(types: TypeWords, id: number): TypeId {
  const { btf, index, file } = types
  let at = id
  for (let step = 0; step < limits.resolveSteps; step++) {
    if (at < btf.firstId) return btf.base === undefined ? (at as TypeId) : btf.base.resolveId(at)
    const start = types.startOf(at)
    if (((aliases >>> (index.kinds[at - btf.firstId] ?? 0)) & 1) === 0) return at as TypeId
    at = types.reader.reference(at, start + 2, 'type')
  }
  throw fault(file, btf.type(id), errors.BTF_CYCLE)
}

/** Size in bytes of a value (`btf__resolve_size` of libbpf). */
export function sizeOfType(types: TypeWords, id: number): number {
  const { btf, index, file } = types
  const { words } = index
  let at = id
  let count = 1
  for (let step = 0; step < limits.resolveSteps; step++) {
    if (at < btf.firstId) {
      // Void, which has no size, is the base's too.
      const { base } = btf
      if (base === undefined) throw fault(file, btf.type(at), errors.BTF_NO_SIZE)
      return checkedSize(types, id, count * base.sizeOf(at))
    }
    const start = types.startOf(at)
    const kind = index.kinds[at - btf.firstId] ?? 0
    if (((sized >>> kind) & 1) !== 0) {
      at = types.reader.reference(at, start + 2, 'type')
      continue
    }
    switch (kindNames[kind]) {
      case 'array':
        count = checkedSize(types, id, count * (words[start + 5] ?? 0))
        at = types.reader.reference(at, start + 3, 'type')
        break
      case 'int':
      case 'struct':
      case 'union':
      case 'enum':
      case 'enum64':
      case 'datasec':
      case 'float':
        return checkedSize(types, id, count * (words[start + 2] ?? 0))
      case 'ptr':
        return checkedSize(types, id, count * btf.pointerSize)
      default:
        throw fault(file, btf.type(at), errors.BTF_NO_SIZE)
    }
  }
  throw fault(file, btf.type(id), errors.BTF_CYCLE)
}

function checkedSize({ btf, file }: TypeWords, id: number, size: number): number {
  if (size > 0xffff_ffff) throw fault(file, btf.type(id), errors.BTF_SIZE)
  return size
}

/** The type behind modifiers, typedefs and arrays, whose alignment a value has. */
function alignedType(btf: Btf, id: number, file: string): BtfType {
  let type = btf.type(id)
  for (let step = 0; step < limits.resolveSteps; step++) {
    switch (type.kind) {
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type_tag':
      case 'typedef':
      case 'var':
      case 'array':
        type = btf.type(type.type)
        break
      default:
        return type
    }
  }
  throw fault(file, btf.type(id), errors.BTF_CYCLE)
}

/**
 * Alignment in bytes (`btf__align_of` of libbpf): a struct or union with a member that is not aligned, or with a size
 * that is not, is packed and has 1. `known` keeps what has been found, by id; -1 marks a type that is being looked at.
 */
export function alignOfType(btf: Btf, id: number, known: Map<number, number>, file: string): number {
  const scalar = (type: BtfType): number | undefined => {
    switch (type.kind) {
      case 'int':
      case 'enum':
      case 'enum64':
      case 'float':
        return Math.max(1, Math.min(btf.pointerSize, type.size))
      case 'ptr':
        return btf.pointerSize
      case 'struct':
      case 'union':
        return undefined
      default:
        throw fault(file, type, errors.BTF_NO_SIZE)
    }
  }
  const root = alignedType(btf, id, file)
  const work: { readonly type: BtfType; readonly next: number; readonly align: number }[] = []
  let answer = scalar(root) ?? known.get(root.id)
  if (answer !== undefined) return answer
  work.push({ type: root, next: 0, align: 1 })
  known.set(root.id, -1)
  try {
    for (let top = work.pop(); top !== undefined; top = work.pop()) {
      const { type } = top
      if (type.kind !== 'struct' && type.kind !== 'union') break
      let { next, align } = top
      let waiting = false
      for (; next < type.members.length; next++) {
        const member = type.members[next]
        if (member === undefined) break
        const behind = alignedType(btf, member.type, file)
        const memberAlign = scalar(behind) ?? known.get(behind.id)
        if (memberAlign === -1) throw fault(file, behind, errors.BTF_CYCLE)
        if (memberAlign === undefined) {
          work.push({ type, next, align }, { type: behind, next: 0, align: 1 })
          known.set(behind.id, -1)
          waiting = true
          break
        }
        align = Math.max(align, memberAlign)
        if (member.bitfieldSizeBits === 0 && member.offsetBits % (8 * memberAlign) !== 0) {
          align = 0
          break
        }
      }
      if (waiting) continue
      answer = align === 0 || type.size % align !== 0 ? 1 : align
      known.set(type.id, answer)
    }
  } catch (error) {
    for (const [key, value] of known) if (value === -1) known.delete(key)
    throw error
  }
  return known.get(root.id) ?? 1
}
