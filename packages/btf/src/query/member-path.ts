import { suggest } from '@tsbpf/base'
import type { BitOffset, TypeId } from '@tsbpf/base'
import type { Btf, BtfType } from '../btf-type.ts'
import { errors } from '../errors.ts'
import { formatType } from '../format-type.ts'
import { limits } from '../limits.ts'
import { directMembers, noMembers, ownerOf } from './members.ts'
import type { MemberPlace } from './members.ts'

/**
 * The place of what a path names within a type: `a.b[2].c`, where anonymous members are stepped through without being
 * named, as in C. Steps can also be given one by one, for names that contain a dot or bracket. A path does not follow
 * pointers. Any element of a flexible array (an array of no elements) has a place.
 *
 * Throws `BTF_MEMBER` where a step names no member or no element, and what `members` throws.
 *
 * @example
 * ```ts
 * import { memberPath, parseBtf } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const task = kernel.find('task_struct', 'struct')
 * const { type, offsetBits, sizeBits } = memberPath(kernel, task?.id ?? 0, 'se.avg.load_sum')
 * console.log(kernel.nameOf(type), offsetBits / 8, sizeBits / 8) // u64, where this kernel has it, 8
 * ```
 */
export function memberPath(
  btf: Btf,
  id: TypeId | number,
  path: string | readonly (string | number)[],
): MemberPlace {
  const steps = typeof path === 'string' ? parsePath(btf, id, path) : path
  let place: MemberPlace | undefined
  let owner = ownerOf(btf, id)
  let walked = ''
  for (const step of steps) {
    walked += typeof step === 'number' ? `[${step}]` : walked === '' ? step : `.${step}`
    const at = place?.offsetBits ?? 0
    const found =
      typeof step === 'number' ? element(btf, owner, step, walked) : named(btf, owner, step, walked)
    const offsetBits = (at + found.offsetBits) as BitOffset
    if (!Number.isSafeInteger(offsetBits)) {
      throw wrong(btf, id, walked, 'an element within 2^53 bits', `bit ${offsetBits}`)
    }
    const { type, sizeBits, bitfield } = found
    place = {
      name: typeof step === 'number' ? (place?.name ?? '') : step,
      type,
      offsetBits,
      sizeBits,
      bitfield,
    }
    owner = btf.resolve(type)
  }
  if (place === undefined) throw wrong(btf, id, String(path), "a member's name or an index", 'nothing')
  return place
}

function wrong(btf: Btf, id: number, path: string, expected: string, actual: string, hint?: string): unknown {
  return errors.BTF_MEMBER({ type: formatType(btf, id), path, expected, actual, hint })
}

const pathStep = /(?:^|\.)([^.[\]]+)|\[(\d+)\]/y

function parsePath(btf: Btf, id: number, path: string): (string | number)[] {
  const steps: (string | number)[] = []
  for (let at = 0; at < path.length; at = pathStep.lastIndex) {
    pathStep.lastIndex = at
    const [, name, index] = pathStep.exec(path) ?? []
    if (name === undefined && index === undefined) {
      throw wrong(btf, id, path, 'a path as a.b[2].c', `${JSON.stringify(path.slice(at))} at ${at}`)
    }
    steps.push(name ?? Number(index))
  }
  return steps
}

const pointerHint = 'a path does not follow pointers: read the pointer, then ask the type that it points to'

function element(btf: Btf, owner: BtfType, index: number, path: string): Omit<MemberPlace, 'name'> {
  if (owner.kind !== 'array') {
    const hint = owner.kind === 'ptr' ? pointerHint : undefined
    throw wrong(btf, owner.id, path, 'an array', formatType(btf, owner.id), hint)
  }
  const { length, type } = owner
  if (!Number.isSafeInteger(index) || index < 0 || (length > 0 && index >= length)) {
    throw wrong(
      btf,
      owner.id,
      path,
      length > 0 ? `an index from 0 to ${length - 1}` : 'an index',
      String(index),
    )
  }
  const sizeBits = btf.sizeOf(type) * 8
  return { type, offsetBits: (index * sizeBits) as BitOffset, sizeBits, bitfield: false }
}

/** The member with that name, through anonymous members: the first in the order of declaration. */
function named(btf: Btf, owner: BtfType, name: string, path: string): Omit<MemberPlace, 'name'> {
  if (owner.kind !== 'struct' && owner.kind !== 'union' && owner.kind !== 'datasec') {
    throw noMembers(btf, owner, path, owner.kind === 'ptr' ? pointerHint : undefined)
  }
  // What holds no such member, holds none at another place either: each type is searched once.
  const searched = new Set<number>()
  const known = new Set<string>()
  const search = (type: BtfType, at: number, depth: number): MemberPlace | undefined => {
    if (searched.has(type.id)) return undefined
    searched.add(type.id)
    if (depth > limits.valueDepth) {
      throw errors.BTF_CYCLE({ file: 'BTF', id: type.id, type: formatType(btf, type.id) })
    }
    for (const member of directMembers(btf, type)) {
      if (member.anonymous !== undefined) {
        const inner = search(member.anonymous, member.place(at).offsetBits, depth + 1)
        if (inner !== undefined) return inner
      } else if (member.name === name) return member.place(at)
      else known.add(member.name)
    }
    return undefined
  }
  const found = name === '' ? undefined : search(owner, 0, 1)
  if (found === undefined) {
    throw wrong(
      btf,
      owner.id,
      path,
      `a member of ${formatType(btf, owner.id)}`,
      JSON.stringify(name),
      suggest(name, known),
    )
  }
  return found
}
