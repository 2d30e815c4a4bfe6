import type { TypeId } from '@tsbpf/base'
import type { Btf } from '@tsbpf/btf'
import type { Access } from './access.ts'
import { isComposite, isEnum } from './access.ts'

/** What of a target's BTF relocations need: types, and members and enumerators of them. */
export interface Marks {
  /** By type id: 1 for a type that is kept. */
  readonly types: Uint8Array
  /** Members of structs and unions, and enumerators of enums, that are kept. */
  readonly parts: ReadonlyMap<TypeId, ReadonlySet<number>>
  /** What one access needs. */
  access(access: Access): void
  /** Everything that a comparison with this type can see: what {@link Marks.access} keeps, and more. */
  whole(id: TypeId): void
  /** One type with nothing in it. */
  type(id: TypeId): void
}

/**
 * How far a type is followed: `bare` without its members and without what its pointers point to, `pointers` through
 * these too, `members` with members but not through pointers, `behind` as `members` once a pointer is passed: names and
 * kinds count there, members do not.
 */
type Depth = 'bare' | 'pointers' | 'members' | 'behind'

/** How a type of each depth is followed when a pointer is passed; `undefined`: not at all. */
const throughPointer = { bare: undefined, pointers: 'pointers', members: 'behind', behind: 'behind' } as const

const depthBits = { bare: 1, pointers: 2, members: 4, behind: 8 } as const

/**
 * Starts with nothing marked. What is marked is that of bpftool's `gen min_core_btf` (tools/bpf/bpftool/gen.c,
 * `btfgen_mark_type` and `btfgen_mark_type_match`), but for enums, of which only the enumerators asked for are kept.
 */
export function newMarks(target: Btf): Marks {
  const types = new Uint8Array(target.endId)
  const parts = new Map<TypeId, Set<number>>()
  /** By type id: the depths to which it has been followed, so that cycles end. */
  const followed = new Uint8Array(target.endId)

  const part = (id: TypeId, index: number): void => {
    const known = parts.get(id)
    if (known === undefined) parts.set(id, new Set([index]))
    else known.add(index)
  }
  const parted = (id: TypeId, count: number): void => {
    for (let index = 0; index < count; index++) part(id, index)
  }

  const mark = (root: TypeId, rootDepth: Depth): void => {
    const stack: [TypeId, Depth][] = [[root, rootDepth]]
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const [id, depth] = top
      if (id === 0 || ((followed[id] ?? 0) & depthBits[depth]) !== 0) continue
      followed[id] = (followed[id] ?? 0) | depthBits[depth]
      types[id] = 1
      const type = target.type(id)
      switch (type.kind) {
        case 'const':
        case 'volatile':
        case 'restrict':
        case 'typedef':
        case 'type_tag':
          stack.push([type.type, depth])
          break
        case 'ptr': {
          const beyond = throughPointer[depth]
          if (beyond !== undefined) stack.push([type.type, beyond])
          break
        }
        case 'array':
          stack.push([type.type, depth], [type.indexType, depth])
          break
        case 'func_proto':
          stack.push([type.returnType, depth])
          for (const param of type.params) stack.push([param.type, depth])
          break
        case 'struct':
        case 'union':
          if (depth !== 'members') break
          parted(id, type.members.length)
          for (const member of type.members) stack.push([member.type, depth])
          break
        case 'enum':
        case 'enum64':
          // Enumerators are compared behind pointers too.
          if (depth === 'members' || depth === 'behind') parted(id, type.values.length)
          break
        case 'int':
        case 'float':
        case 'fwd':
          break
        default:
          // Nothing that a value can have as its type.
          types[id] = 0
      }
    }
  }

  const field = ({ root, raw }: Access): void => {
    mark(root, 'bare')
    let id = root
    for (const index of raw.slice(1)) {
      const type = target.resolve(id)
      if (isComposite(type)) {
        const member = type.members[index]
        if (member === undefined) return
        part(type.id, index)
        mark(member.type, 'bare')
        id = member.type
      } else if (type.kind === 'array') {
        id = type.type
      } else {
        return
      }
    }
  }

  return {
    types,
    parts,
    type(id) {
      mark(id, 'bare')
    },
    access(access) {
      const { root, kind, accessors } = access
      const [first] = accessors
      if (kind.group === 'field') field(access)
      else if (kind.name === 'type_matches') mark(root, 'members')
      else if (kind.group === 'type') mark(root, 'pointers')
      else if (first !== undefined) {
        mark(root, 'bare')
        if (isEnum(target.type(first.type))) part(first.type, first.index)
      }
    },
    whole(id) {
      mark(id, 'pointers')
      mark(id, 'members')
    },
  }
}
