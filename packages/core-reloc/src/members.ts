import type { TypeId } from '@tsbpf/base'
import type { Btf } from '@tsbpf/btf'
import { isComposite } from './access.ts'
import type { Budget } from './budget.ts'
import { spend } from './budget.ts'
import { limits } from './limits.ts'

/** Where a named member stands in a composite type, anonymous structs and unions looked through. */
interface MemberPlace {
  /** The composite type that declares it. */
  readonly owner: TypeId
  readonly index: number
  readonly type: TypeId
  /** Indexes from the outer type down to the member. */
  readonly path: readonly number[]
  /** Bits from the start of the outer type. */
  readonly offsetBits: number
}

/** Finds members of composite types by name; what it learns about a type it keeps as long as one call lasts. */
export interface MemberIndex {
  /**
   * The member of `id`, which is a struct or union, with that name. `tooDeep` stands for one that is not found where
   * anonymous members nest beyond the limit.
   */
  find(btf: Btf, id: TypeId, name: string): MemberPlace | 'tooDeep' | undefined
}

/** What one composite type declares itself. */
interface Declared {
  /** Index of the first member with a name. */
  readonly named: ReadonlyMap<string, number>
  /** Indexes of anonymous members. */
  readonly anonymous: readonly number[]
}

/** A composite type that is looked into, and the way to it. */
interface Place {
  readonly type: TypeId
  readonly path: readonly number[]
  readonly offsetBits: number
}

function membersOf(btf: Btf, id: TypeId) {
  const type = btf.type(id)
  return isComposite(type) ? type.members : []
}

function declaredBy(btf: Btf, id: TypeId, budget: Budget): Declared {
  const members = membersOf(btf, id)
  spend(budget, members.length)
  const named = new Map<string, number>()
  const anonymous: number[] = []
  members.forEach(({ name }, i) => {
    if (name === '') anonymous.push(i)
    else if (!named.has(name)) named.set(name, i)
  })
  return { named, anonymous }
}

/** A new, empty index. */
export function newMemberIndex(budget: Budget): MemberIndex {
  const known = new Map<Btf, Map<TypeId, Declared>>()
  const declared = (btf: Btf, id: TypeId): Declared => {
    let types = known.get(btf)
    if (types === undefined) {
      types = new Map<TypeId, Declared>()
      known.set(btf, types)
    }
    let found = types.get(id)
    if (found === undefined) types.set(id, (found = declaredBy(btf, id, budget)))
    return found
  }
  return {
    find(btf, id, name) {
      let tooDeep = false
      const entered = new Set<TypeId>([id])
      const stack: Place[] = [{ type: id, path: [], offsetBits: 0 }]
      for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
        spend(budget, 1)
        const members = membersOf(btf, place.type)
        const { named, anonymous } = declared(btf, place.type)
        const index = named.get(name)
        const member = index === undefined ? undefined : members[index]
        if (index !== undefined && member !== undefined) {
          const path = [...place.path, index]
          const offsetBits = place.offsetBits + member.offsetBits
          return { owner: place.type, index, type: member.type, path, offsetBits }
        }
        // The first goes onto the stack last, so that members are entered in order.
        for (const at of anonymous.toReversed()) {
          spend(budget, 1)
          const inner = members[at]
          const type = inner === undefined ? undefined : btf.resolve(inner.type)
          if (inner === undefined || type === undefined || !isComposite(type) || entered.has(type.id))
            continue
          if (place.path.length + 1 >= limits.accessLength) {
            tooDeep = true
            continue
          }
          entered.add(type.id)
          const offsetBits = place.offsetBits + inner.offsetBits
          stack.push({ type: type.id, path: [...place.path, at], offsetBits })
        }
      }
      return tooDeep ? 'tooDeep' : undefined
    },
  }
}
