import type { TypeId } from '@tsbpf/base'
import { essentialName } from '@tsbpf/btf'
import type { Btf, BtfKind, BtfType, BtfTypeOf } from '@tsbpf/btf'
import { typeText } from './access.ts'
import type { Budget } from './budget.ts'
import { spend } from './budget.ts'
import { fail } from './errors.ts'
import { limits } from './limits.ts'

/** True where types of these kinds may stand for each other: the same kind, or enums of either width. */
function kindsAreCompat(a: BtfKind, b: BtfKind): boolean {
  return a === b || ((a === 'enum' || a === 'enum64') && (b === 'enum' || b === 'enum64'))
}

/** Why two types do not fit, or `undefined` where they do. */
export type Mismatch = string | undefined

function differ(local: Btf, localId: TypeId, target: Btf, targetId: TypeId): string {
  return `${typeText(local, localId)} is not compatible with ${typeText(target, targetId)}`
}

function intsAreCompat(local: BtfType, target: BtfType): boolean {
  // An int with an offset is how compilers once wrote a bitfield.
  return local.kind === 'int' && target.kind === 'int' && local.offsetBits === 0 && target.offsetBits === 0
}

/**
 * Whether a member may be read as another, as libbpf's `bpf_core_fields_are_compat` says: typedefs, modifiers, and
 * the sizes of ints and enums do not count; structs and unions fit each other, pointers fit all pointers; enums need
 * one essential name, unless one has none; arrays compare their elements, not their lengths.
 */
export function fieldMismatch(
  local: Btf,
  localId: TypeId,
  target: Btf,
  targetId: TypeId,
  budget: Budget,
): Mismatch {
  for (;;) {
    spend(budget, 1)
    const l = local.resolveId(localId)
    const t = target.resolveId(targetId)
    const kind = local.kind(l)
    const other = target.kind(t)
    if ((kind === 'struct' || kind === 'union') && (other === 'struct' || other === 'union')) return undefined
    if (!kindsAreCompat(kind, other)) return differ(local, l, target, t)
    switch (kind) {
      case 'ptr':
      case 'float':
        return undefined
      case 'fwd':
      case 'enum':
      case 'enum64': {
        const localName = essentialName(local.nameOf(l))
        const targetName = essentialName(target.nameOf(t))
        const fit = localName === '' || targetName === '' || localName === targetName
        return fit ? undefined : differ(local, l, target, t)
      }
      case 'int':
        return intsAreCompat(local.type(l), target.type(t)) ? undefined : differ(local, l, target, t)
      case 'array':
        localId = (local.type(l) as BtfTypeOf<'array'>).type
        targetId = (target.type(t) as BtfTypeOf<'array'>).type
        continue
      default:
        return differ(local, l, target, t)
    }
  }
}

/**
 * Whether one type may stand for another in relocations about types, as libbpf's `bpf_core_types_are_compat` says.
 * Names count only at the root, where the caller has compared them. Structs fit structs and unions unions whatever
 * they hold; ints and enums fit at any size; pointers and arrays compare what they lead to; functions compare results
 * and parameters.
 *
 * Throws `CORE_LIMIT` beyond libbpf's depth.
 */
export function typeMismatch(
  local: Btf,
  localId: TypeId,
  target: Btf,
  targetId: TypeId,
  budget: Budget,
  depth: number = limits.typeDepth,
): Mismatch {
  if (!kindsAreCompat(local.kind(localId), target.kind(targetId))) {
    return differ(local, localId, target, targetId)
  }
  for (let chain = 0; chain < limits.typeChain; chain++) {
    spend(budget, 1)
    const l = local.resolve(localId)
    const t = target.resolve(targetId)
    if (!kindsAreCompat(l.kind, t.kind)) return differ(local, l.id, target, t.id)
    switch (l.kind) {
      case 'void':
      case 'struct':
      case 'union':
      case 'enum':
      case 'enum64':
      case 'fwd':
        return undefined
      case 'int':
        return intsAreCompat(l, t) ? undefined : differ(local, l.id, target, t.id)
      case 'ptr':
      case 'array':
        localId = l.type
        targetId = t.kind === 'ptr' || t.kind === 'array' ? t.type : targetId
        continue
      case 'func_proto': {
        if (t.kind !== 'func_proto') return differ(local, l.id, target, t.id)
        if (l.params.length !== t.params.length) {
          return `a function of ${l.params.length} parameters is not compatible with one of ${t.params.length}`
        }
        for (const [i, param] of l.params.entries()) {
          if (depth <= 0) throw tooDeep()
          const mismatch = typeMismatch(
            local,
            local.resolve(param.type).id,
            target,
            target.resolve(t.params[i]?.type ?? param.type).id,
            budget,
            depth - 1,
          )
          if (mismatch !== undefined) return `parameter ${i}: ${mismatch}`
        }
        localId = l.returnType
        targetId = t.returnType
        continue
      }
      default:
        return differ(local, l.id, target, t.id)
    }
  }
  throw tooDeep()
}

/** The error of a comparison that goes on and on. */
export function tooDeep() {
  return fail('CORE_LIMIT', `the types nest deeper than ${limits.typeDepth} levels`)
}
