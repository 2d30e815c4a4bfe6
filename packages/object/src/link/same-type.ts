import type { Btf, BtfType } from '@tsbpf/btf'
import { limits } from '../limits.ts'
import type { MapSpec } from '../object-spec.ts'

/** A type of one object, and how closely the type of another has to be the same. */
interface Pair {
  readonly a: number
  readonly b: number
  /** False behind a pointer: there the shape counts, and a declaration is as good as a definition. */
  readonly exact: boolean
}

const structs = ['struct', 'union']

/** True where one is a declaration and the other of its kind. */
function declares(a: BtfType, b: BtfType): boolean {
  if (a.kind !== 'fwd') return false
  return b.kind === (a.union ? 'union' : 'struct')
}

const nameOf = (type: BtfType): string => ('name' in type ? type.name : '')

/**
 * What keeps two types from being declarations of one thing, by the rules of libbpf's linker (`glob_sym_btf_matches`);
 * `undefined` where nothing does. Names of parameters, lengths of arrays and values of enums do not count.
 */
export function typeDifference(aBtf: Btf, aId: number, bBtf: Btf, bId: number): string | undefined {
  const work: Pair[] = [{ a: aId, b: bId, exact: true }]
  const seen = new Set<string>()
  // A list of work, each pair once: types may be nested without end.
  for (let pair = work.pop(); pair !== undefined; pair = work.pop()) {
    const { exact } = pair
    const [a, b] = [aBtf.resolve(pair.a), bBtf.resolve(pair.b)]
    const key = `${'id' in a ? a.id : 0}:${'id' in b ? b.id : 0}:${exact ? 1 : 0}`
    if (seen.has(key)) continue
    seen.add(key)
    if (seen.size > limits.comparedTypes) return `more than ${limits.comparedTypes} types`
    if (!exact && (a.kind === 'fwd') !== (b.kind === 'fwd')) {
      const fits = nameOf(a) === nameOf(b) && (declares(a, b) || declares(b, a))
      if (fits) continue
      return `${a.kind} ${nameOf(a)} and ${b.kind} ${nameOf(b)}`
    }
    if (a.kind !== b.kind) return `${a.kind} ${nameOf(a)} and ${b.kind} ${nameOf(b)}`.replaceAll('  ', ' ')
    const named = structs.includes(a.kind) || ['enum', 'enum64', 'fwd', 'func', 'var'].includes(a.kind)
    if (named && nameOf(a) !== nameOf(b)) return `${a.kind} ${nameOf(a)} and ${b.kind} ${nameOf(b)}`
    const push = (x: number, y: number, closely: boolean): void => {
      work.push({ a: x, b: y, exact: closely })
    }
    if ('size' in a && 'size' in b && !structs.includes(a.kind) && a.size !== b.size) {
      return `${a.kind} ${nameOf(a)} of ${a.size} bytes and of ${b.size}`
    }
    if (a.kind === 'ptr' && b.kind === 'ptr') push(a.type, b.type, false)
    else if (a.kind === 'array' && b.kind === 'array') push(a.type, b.type, exact)
    else if ((a.kind === 'func' || a.kind === 'var') && (b.kind === 'func' || b.kind === 'var')) {
      push(a.type, b.type, exact)
    } else if ((a.kind === 'struct' || a.kind === 'union') && (b.kind === 'struct' || b.kind === 'union')) {
      if (!exact) continue
      const what = `${a.kind} ${a.name}`
      if (a.members.length !== b.members.length)
        return `${what} of ${a.members.length} members and of ${b.members.length}`
      for (const [index, member] of a.members.entries()) {
        const other = b.members[index]
        if (other === undefined) continue
        if (member.name !== other.name) return `${what} with members ${member.name} and ${other.name}`
        const same =
          member.offsetBits === other.offsetBits && member.bitfieldSizeBits === other.bitfieldSizeBits
        if (!same) return `${what} with ${member.name} at different places`
        push(member.type, other.type, exact)
      }
    } else if (a.kind === 'func_proto' && b.kind === 'func_proto') {
      if (a.params.length !== b.params.length)
        return `functions of ${a.params.length} parameters and of ${b.params.length}`
      push(a.returnType, b.returnType, exact)
      for (const [index, param] of a.params.entries()) push(param.type, b.params[index]?.type ?? 0, exact)
    }
  }
  return undefined
}

/** What keeps two maps from being one; `undefined` where nothing does (libbpf: `map_defs_match`). */
export function mapDifference(
  aBtf: Btf | undefined,
  a: MapSpec,
  bBtf: Btf | undefined,
  b: MapSpec,
): string | undefined {
  const fields = [
    'type',
    'keySize',
    'valueSize',
    'maxEntries',
    'flags',
    'extra',
    'numaNode',
    'pinning',
  ] as const
  for (const field of fields) {
    if (a[field] !== b[field]) return `${field} ${a[field] ?? 'none'} and ${b[field] ?? 'none'}`
  }
  for (const field of ['keyType', 'valueType'] as const) {
    const [x, y] = [a[field], b[field]]
    if ((x === undefined) !== (y === undefined)) return `a ${field} and none`
    if (x === undefined || y === undefined || aBtf === undefined || bBtf === undefined) continue
    const difference = typeDifference(aBtf, x, bBtf, y)
    if (difference !== undefined) return `${field}: ${difference}`
  }
  if ((a.inner === undefined) !== (b.inner === undefined)) return 'an inner map and none'
  if (a.inner === undefined || b.inner === undefined) return undefined
  const difference = mapDifference(aBtf, a.inner, bBtf, b.inner)
  return difference === undefined ? undefined : `inner map: ${difference}`
}
