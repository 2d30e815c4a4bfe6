import type { TypeId } from '@tsbpf/base'
import { essentialName } from '@tsbpf/btf'
import type { Btf, BtfType, BtfTypeOf } from '@tsbpf/btf'
import { isComposite, isEnum, typeText } from './access.ts'
import type { Budget } from './budget.ts'
import { spend } from './budget.ts'
import type { Mismatch } from './compat.ts'
import { tooDeep } from './compat.ts'
import { limits } from './limits.ts'

type Enum = BtfTypeOf<'enum'> | BtfTypeOf<'enum64'>
type Composite = BtfTypeOf<'struct'> | BtfTypeOf<'union'>

/** Both sides of a comparison, and the work it may do. */
interface Sides {
  readonly local: Btf
  readonly target: Btf
  readonly budget: Budget
}

/**
 * Whether a target type matches a local one, for `type_matches`, as libbpf's `bpf_core_types_match` says. Stricter
 * than compatibility: the local type's members and enumerators must be in the target under the same essential name,
 * ints must agree in size and sign, arrays in length, enums in size; behind a pointer only names and kinds count,
 * and a forward declaration matches what it announces.
 *
 * Throws `CORE_LIMIT` beyond libbpf's depth.
 */
export function matchMismatch(
  local: Btf,
  localId: TypeId,
  target: Btf,
  targetId: TypeId,
  budget: Budget,
): Mismatch {
  return match({ local, target, budget }, localId, targetId, false, limits.typeDepth)
}

function describe({ local, target }: Sides, l: BtfType, t: BtfType, what = 'does not match'): string {
  return `${typeText(local, l.id)} ${what} ${typeText(target, t.id)}`
}

function match(sides: Sides, localId: TypeId, targetId: TypeId, behindPtr: boolean, depth: number): Mismatch {
  if (depth <= 0) throw tooDeep()
  const { local, target, budget } = sides
  for (let chain = 0; chain < limits.typeChain; chain++) {
    spend(budget, 1)
    const l = local.resolve(localId)
    const t = target.resolve(targetId)
    if (essentialName(local.nameOf(l.id)) !== essentialName(target.nameOf(t.id))) return describe(sides, l, t)
    switch (l.kind) {
      case 'void':
        return t.kind === 'void' ? undefined : describe(sides, l, t)
      case 'fwd': {
        const same = t.kind === 'fwd' && t.union === l.union
        const announced = behindPtr && t.kind === (l.union ? 'union' : 'struct')
        return same || announced ? undefined : describe(sides, l, t)
      }
      case 'enum':
      case 'enum64':
        return isEnum(t) ? enumMismatch(sides, l, t) : describe(sides, l, t)
      case 'struct':
      case 'union':
        if (behindPtr) {
          const fits = t.kind === l.kind || (t.kind === 'fwd' && t.union === (l.kind === 'union'))
          return fits ? undefined : describe(sides, l, t)
        }
        if (t.kind !== l.kind || !isComposite(t)) return describe(sides, l, t)
        return compositeMismatch(sides, l, t, depth)
      case 'int':
        if (t.kind !== 'int' || l.size !== t.size || l.signed !== t.signed) return describe(sides, l, t)
        return undefined
      case 'ptr':
        if (t.kind !== 'ptr') return describe(sides, l, t)
        behindPtr = true
        localId = l.type
        targetId = t.type
        continue
      case 'array':
        if (t.kind !== 'array') return describe(sides, l, t)
        if (l.length !== t.length) return `an array of ${l.length} does not match one of ${t.length}`
        localId = l.type
        targetId = t.type
        continue
      case 'func_proto': {
        if (t.kind !== 'func_proto') return describe(sides, l, t)
        if (l.params.length !== t.params.length) {
          return `a function of ${l.params.length} parameters does not match one of ${t.params.length}`
        }
        for (const [i, param] of l.params.entries()) {
          const mismatch = match(sides, param.type, t.params[i]?.type ?? param.type, behindPtr, depth - 1)
          if (mismatch !== undefined) return `parameter ${i}: ${mismatch}`
        }
        localId = l.returnType
        targetId = t.returnType
        continue
      }
      default:
        return describe(sides, l, t)
    }
  }
  throw tooDeep()
}

function enumMismatch(sides: Sides, l: Enum, t: Enum): Mismatch {
  if (l.size !== t.size) return describe(sides, l, t, `of ${l.size} bytes does not match the ${t.size} of`)
  if (l.values.length > t.values.length) return describe(sides, l, t, 'has more enumerators than')
  spend(sides.budget, l.values.length + t.values.length)
  const names = new Set(t.values.map(({ name }) => essentialName(name)))
  const missing = l.values.find(({ name }) => !names.has(essentialName(name)))
  return missing === undefined ? undefined : `${typeText(sides.target, t.id)} has no ${missing.name}`
}

function compositeMismatch(sides: Sides, l: Composite, t: Composite, depth: number): Mismatch {
  if (l.members.length > t.members.length) return describe(sides, l, t, 'has more members than')
  spend(sides.budget, l.members.length + t.members.length)
  const byName = new Map<string, TypeId[]>()
  for (const { name, type } of t.members) {
    const essential = essentialName(name)
    const types = byName.get(essential)
    if (types === undefined) byName.set(essential, [type])
    else types.push(type)
  }
  for (const { name, type } of l.members) {
    let mismatch: Mismatch = `${typeText(sides.target, t.id)} has no ${name === '' ? 'such anonymous member' : name}`
    for (const candidate of byName.get(essentialName(name)) ?? []) {
      const why = match(sides, type, candidate, false, depth - 1)
      if (why === undefined) {
        mismatch = undefined
        break
      }
      mismatch = `${name}: ${why}`
    }
    if (mismatch !== undefined) return mismatch
  }
  return undefined
}
