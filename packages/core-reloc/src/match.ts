import type { TypeId } from '@tsbpf/base'
import { essentialName } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import type { Access, Accessor } from './access.ts'
import { addBits, elementBits, isEnum, isFlexibleArray, typeText } from './access.ts'
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
  const accessors = [{ type: type.id, index, name: found.name, member: undefined }]
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
  for (let i = 0; i < local.accessors.length; i++) {
    const wanted = local.accessors[i]
    if (wanted === undefined) break
    const { name } = wanted
    const type = target.resolveId(id)
    const kind = target.kind(type)
    if (name !== undefined && wanted.member !== undefined) {
      if (kind !== 'struct' && kind !== 'union') {
        return no(`${typeText(target, type)} has no members, so no ${name}`)
      }
      const place = state.members.find(target, type, name)
      if (place === 'tooDeep') throw tooLong()
      if (place === undefined) return no(`${typeText(target, type)} has no member ${name}`)
      const { member, way } = place
      const why = fieldMismatch(local.btf, wanted.member.type, target, member.type, state.budget)
      if (why !== undefined) return no(`member ${name}: ${why}`)
      for (const index of way.path) raw.push(index)
      raw.push(member.index)
      accessors.push({ type: way.type, index: member.index, name, member })
      bitOffset = addBits(bitOffset, way.offsetBits + member.offsetBits)
      id = member.type
    } else {
      // The root stands for its own first element; below it, arrays are entered.
      id = type
      let element = kind
      if (i > 0) {
        const array = target.type(type)
        if (array.kind !== 'array') return no(`${typeText(target, type)} is no array`)
        if (wanted.index >= array.length && !isFlexibleArray(target, accessors.at(-1), array.length)) {
          return no(`element ${wanted.index} is past the end of an array of ${array.length}`)
        }
        id = target.resolveId(array.type)
        element = target.kind(id)
      }
      raw.push(wanted.index)
      accessors.push({ type: id, index: wanted.index, name: undefined, member: undefined })
      bitOffset = addBits(bitOffset, elementBits(target, id, element, wanted.index))
    }
    if (raw.length > limits.accessLength) throw tooLong()
  }
  return { access: { btf: target, root, kind: local.kind, accessors, raw, bitOffset }, why: undefined }
}

function tooLong() {
  return fail('CORE_LIMIT', `the access has more than ${limits.accessLength} elements in the candidate`)
}
