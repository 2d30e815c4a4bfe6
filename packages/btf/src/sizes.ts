import type { TsbpfError } from '@tsbpf/base'
import type { Btf, BtfType } from './btf-type.ts'
import { errors } from './errors.ts'
import { limits } from './limits.ts'

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

/** Steps through modifiers and typedefs; a chain longer than the kernel allows is a circle or an attack. */
export function resolveType(btf: Btf, id: number, file: string): BtfType {
  let type = btf.type(id)
  for (let step = 0; step < limits.resolveSteps; step++) {
    switch (type.kind) {
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type_tag':
      case 'typedef':
        type = btf.type(type.type)
        break
      default:
        return type
    }
  }
  throw fault(file, btf.type(id), errors.BTF_CYCLE)
}

/** Size in bytes of a value (`btf__resolve_size` of libbpf). */
export function sizeOfType(btf: Btf, id: number, file: string): number {
  let type = btf.type(id)
  let count = 1
  for (let step = 0; step < limits.resolveSteps; step++) {
    switch (type.kind) {
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type_tag':
      case 'typedef':
      case 'var':
      case 'decl_tag':
        type = btf.type(type.type)
        break
      case 'array':
        count *= type.length
        type = btf.type(type.type)
        if (count > 0xffff_ffff) throw fault(file, btf.type(id), errors.BTF_SIZE)
        break
      case 'int':
      case 'struct':
      case 'union':
      case 'enum':
      case 'enum64':
      case 'datasec':
      case 'float':
      case 'ptr': {
        const size = count * (type.kind === 'ptr' ? btf.pointerSize : type.size)
        if (size > 0xffff_ffff) throw fault(file, btf.type(id), errors.BTF_SIZE)
        return size
      }
      default:
        throw fault(file, type, errors.BTF_NO_SIZE)
    }
  }
  throw fault(file, btf.type(id), errors.BTF_CYCLE)
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
