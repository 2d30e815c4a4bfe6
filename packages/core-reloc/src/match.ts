import type { TypeId } from '@tsbpf/base'
import { essentialName } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import type { Access, Accessor } from './access.ts'
import { addBits, isComposite, isEnum, isFlexibleArray, typeText, sizeOf } from './access.ts'
import type { Budget } from './budget.ts'
import { spend } from './budget.ts'
import { fieldMismatch, typeMismatch } from './compat.ts'
import { fail } from './errors.ts'
import { limits } from './limits.ts'
import type { MemberIndex } from './members.ts'
import { matchMismatch } from './type-match.ts'

/** What a call has found out so far about the BTF it works on. */
export interface MatchState {
  readonly budget: Budget
  readonly members: MemberIndex
}

/** An access found in a candidate, or why it is not there. */
export type Match =
  { readonly access: Access; readonly why: undefined } | { readonly access: undefined; readonly why: string }

const no = (why: string): Match => ({ access: undefined, why })

/**
 * Looks for the local access in a candidate, as libbpf's `bpf_core_spec_match` does: by names of members and
 * enumerators, never by their indexes; array elements must exist.
 *
 * Throws where the candidate cannot be judged (`CORE_LIMIT`, `CORE_VALUE`, `BTF_…`).
 */
export function matchAccess(local: Access, target: Btf, root: TypeId, state: MatchState): Match {
  switch (local.kind.group) {
    case 'type': {
      const compare = local.kind.name === 'type_matches' ? matchMismatch : typeMismatch
      const why = compare(local.btf, local.root, target, root, state.budget)
      if (why !== undefined) return no(why)
      const access = { btf: target, root, kind: local.kind, accessors: [], raw: [], bitOffset: 0 }
      return { access, why: undefined }
    }
    case 'enumval':
      return matchEnumerator(local, target, root, state)
    case 'field':
      return matchField(local, target, root, state)
  }
}

function matchEnumerator(local: Access, target: Btf, root: TypeId, state: MatchState): Match {
  const type = target.resolve(root)
  if (!isEnum(type)) return no(`${typeText(target, type.id)} is no enum`)
  const name = local.accessors[0]?.name ?? ''
  const wanted = essentialName(name)
  spend(state.budget, type.values.length)
  const index = type.values.findIndex((value) => essentialName(value.name) === wanted)
  const found = type.values[index]
  if (found === undefined) return no(`it has no enumerator ${wanted}`)
  const accessors = [{ type: type.id, index, name: found.name }]
  return {
    access: { btf: target, root, kind: local.kind, accessors, raw: [index], bitOffset: 0 },
    why: undefined,
  }
}

function matchField(local: Access, target: Btf, root: TypeId, state: MatchState): Match {
  const accessors: Accessor[] = []
  const raw: number[] = []
  let bitOffset = 0
  let id = root
  for (const [i, wanted] of local.accessors.entries()) {
    const type = target.resolve(id)
    if (wanted.name !== undefined) {
      if (!isComposite(type)) return no(`${typeText(target, type.id)} has no members, so no ${wanted.name}`)
      const place = state.members.find(target, type.id, wanted.name)
      if (place === 'tooDeep') throw tooLong()
      if (place === undefined) return no(`${typeText(target, type.id)} has no member ${wanted.name}`)
      const owner = local.btf.type(wanted.type)
      const member = isComposite(owner) ? owner.members[wanted.index] : undefined
      if (member === undefined) throw fail('CORE_ACCESS', `member ${wanted.name} is gone from the local type`)
      const why = fieldMismatch(local.btf, member.type, target, place.type, state.budget)
      if (why !== undefined) return no(`member ${wanted.name}: ${why}`)
      raw.push(...place.path)
      accessors.push({ type: place.owner, index: place.index, name: wanted.name })
      bitOffset = addBits(bitOffset, place.offsetBits)
      id = place.type
    } else {
      // The root stands for its own first element; below it, arrays are entered.
      id = type.id
      if (i > 0) {
        if (type.kind !== 'array') return no(`${typeText(target, type.id)} is no array`)
        if (wanted.index >= type.length && !isFlexibleArray(target, accessors.at(-1), type.length)) {
          return no(`element ${wanted.index} is past the end of an array of ${type.length}`)
        }
        id = target.resolve(type.type).id
      }
      raw.push(wanted.index)
      accessors.push({ type: id, index: wanted.index, name: undefined })
      bitOffset = addBits(bitOffset, wanted.index * sizeOf(target, id) * 8)
    }
    if (raw.length > limits.accessLength) throw tooLong()
  }
  return { access: { btf: target, root, kind: local.kind, accessors, raw, bitOffset }, why: undefined }
}

function tooLong() {
  return fail('CORE_LIMIT', `the access has more than ${limits.accessLength} elements in the candidate`)
}
