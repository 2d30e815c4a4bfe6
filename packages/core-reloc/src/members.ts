import type { TypeId } from '@tsbpf/base'
import type { Btf, BtfMemberAt } from '@tsbpf/btf'
import type { Budget } from './budget.ts'
import { spend } from './budget.ts'
import { limits } from './limits.ts'

/** A composite type that is looked into, and the way to it. */
interface Way {
  readonly type: TypeId
  /** Indexes from the outer type down to it. */
  readonly path: readonly number[]
  /** Bits from the start of the outer type. */
  readonly offsetBits: number
}

/** Where a named member stands in a composite type, anonymous structs and unions looked through. */
interface MemberPlace {
  /** To the composite type that declares it. */
  readonly way: Way
  readonly member: BtfMemberAt
}

type Found = MemberPlace | 'tooDeep' | undefined

/** Finds members of composite types by name; what it finds it keeps as long as one call lasts. */
export interface MemberIndex {
  /**
   * The member of `id`, which is a struct or union, with that name. `tooDeep` stands for one that is not found where
   * anonymous members nest beyond the limit.
   */
  find(btf: Btf, id: TypeId, name: string): Found
}

/** A new, empty index. */
export function newMemberIndex(budget: Budget): MemberIndex {
  const known = new Map<Btf, Map<TypeId, Map<string, Found>>>()
  return {
    find(btf, id, name) {
      let types = known.get(btf)
      if (types === undefined) known.set(btf, (types = new Map<TypeId, Map<string, Found>>()))
      let names = types.get(id)
      if (names === undefined) types.set(id, (names = new Map<string, Found>()))
      let found = names.get(name)
      if (found !== undefined || names.has(name)) return found
      spend(budget, 1 + btf.vlen(id))
      const member = btf.memberNamed(id, name)
      found =
        member === undefined
          ? findBelow(btf, id, name, budget)
          : { way: { type: id, path: [], offsetBits: 0 }, member }
      names.set(name, found)
      return found
    },
  }
}

/** Looks into anonymous members, in order and depth first. */
function findBelow(btf: Btf, id: TypeId, name: string, budget: Budget): Found {
  // An object, because TypeScript does not see that a closure changes a variable.
  const state = { tooDeep: false }
  const entered = new Set<TypeId>([id])
  const stack: Way[] = []
  const enter = ({ type: owner, path, offsetBits }: Way): void => {
    const inner: Way[] = []
    for (
      let member = btf.memberNamed(owner, '');
      member !== undefined;
      member = btf.memberNamed(owner, '', member.index + 1)
    ) {
      spend(budget, 1)
      const type = btf.resolveId(member.type)
      const kind = btf.kind(type)
      if ((kind !== 'struct' && kind !== 'union') || entered.has(type)) continue
      if (path.length + 1 >= limits.accessLength) {
        state.tooDeep = true
        continue
      }
      inner.push({ type, path: [...path, member.index], offsetBits: offsetBits + member.offsetBits })
    }
    // The first goes onto the stack last, so that members are entered in order.
    for (const way of inner.toReversed()) {
      if (entered.has(way.type)) continue
      entered.add(way.type)
      stack.push(way)
    }
  }
  enter({ type: id, path: [], offsetBits: 0 })
  for (let way = stack.pop(); way !== undefined; way = stack.pop()) {
    spend(budget, 1 + btf.vlen(way.type))
    const member = btf.memberNamed(way.type, name)
    if (member !== undefined) return { way, member }
    enter(way)
  }
  return state.tooDeep ? 'tooDeep' : undefined
}
