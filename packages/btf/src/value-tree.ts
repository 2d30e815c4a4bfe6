import type { TsbpfError } from '@tsbpf/base'
import { arrayNode, bytesNode, textNode } from './array-node.ts'
import type { Btf, BtfMember, BtfType, BtfTypeOf } from './btf-type.ts'
import { errors } from './errors.ts'
import { formatType } from './format-type.ts'
import { limits } from './limits.ts'
import { memberBits } from './member-bits.ts'
import { structNode, unionNode } from './record-node.ts'
import type { RecordMember } from './record-node.ts'
import { bitfieldNode, boolFace, enumFace, faced, floatNode, integerNode } from './scalar-node.ts'
import type { Face } from './scalar-node.ts'
import type { ValueNode } from './value-node.ts'

/** Makes the nodes of one BTF's types, each once. */
export interface ValueNodes {
  node(id: number): ValueNode
}

const trees = new WeakMap<Btf, ValueNodes>()

/** The nodes of a BTF, kept as long as it. */
export function valueNodes(btf: Btf): ValueNodes {
  let tree = trees.get(btf)
  if (tree === undefined) {
    tree = makeNodes(btf)
    trees.set(btf, tree)
  }
  return tree
}

function makeNodes(btf: Btf): ValueNodes {
  const known = new Map<number, ValueNode>()
  const order = btf.littleEndian
  let depth = 0

  const wrong = (type: BtfType, expected: string, actual: string): TsbpfError =>
    errors.BTF_LAYOUT({ file: 'BTF', id: type.id, type: formatType(btf, type.id), expected, actual })

  /** Recursion here is bounded: a value nests no deeper than the limit. */
  const node = (id: number): ValueNode => {
    const type = btf.resolve(id)
    const before = known.get(type.id)
    if (before !== undefined) return before
    if (depth >= limits.valueDepth) {
      throw errors.BTF_CYCLE({ file: 'BTF', id: type.id, type: formatType(btf, type.id) })
    }
    depth++
    try {
      const made = make(type)
      if (made.weight > limits.valuesOfNothing + made.size * 16) {
        throw wrong(type, 'at most 16 values for each byte', `${made.weight} values in ${made.size} bytes`)
      }
      known.set(type.id, made)
      return made
    } finally {
      depth--
    }
  }

  const make = (type: BtfType): ValueNode => {
    switch (type.kind) {
      case 'int': {
        const integer = integerNode(type.size, type.signed, order)
        if (integer === undefined) throw wrong(type, 'an int of 1, 2, 4, 8 or 16 bytes', `${type.size} bytes`)
        return type.bool ? faced(integer, boolFace) : integer
      }
      case 'ptr': {
        const size = btf.pointerSize
        const pointer = integerNode(8, false, order)
        const narrow = integerNode(4, false, order)
        if (size === 8 && pointer !== undefined) return pointer
        if (narrow === undefined) throw wrong(type, 'a pointer of 4 or 8 bytes', `${size} bytes`)
        const form = { kind: 'integer' as const, rule: { bits: 32, signed: false, big: true } }
        return { ...narrow, form, read: (view, at) => BigInt(view.getUint32(at, order)) }
      }
      case 'enum':
      case 'enum64': {
        const integer = integerNode(type.size, type.signed, order)
        if (integer === undefined || type.size > 8) {
          throw wrong(type, 'an enum of 1, 2, 4 or 8 bytes', `${type.size} bytes`)
        }
        return faced(integer, enumFace(type, type.size * 8, type.size > 4))
      }
      case 'float':
        return floatNode(type.size, order) ?? bytesNode(type.size)
      case 'array': {
        const element = btf.resolve(type.type)
        const size = btf.sizeOf(type.id)
        if (element.kind === 'int' && element.size === 1 && !element.bool) {
          if (element.char || element.name === 'char') return textNode(size)
          if (!element.signed) return bytesNode(size)
        }
        return arrayNode(node(element.id), type.length)
      }
      case 'struct':
        return structNode(type.size, membersOf(type))
      case 'union':
        return unionNode(type.size, membersOf(type))
      case 'var':
        return node(type.type)
      case 'datasec':
        return structNode(type.size, variablesOf(type))
      default:
        throw errors.BTF_NO_SIZE({ file: 'BTF', id: type.id, type: formatType(btf, type.id) })
    }
  }

  const place = (
    owner: BtfTypeOf<'struct' | 'union' | 'datasec'>,
    name: string,
    member: ValueNode,
    offset: number,
  ): RecordMember => {
    if (offset + member.size > owner.size) {
      const expected = `member ${name === '' ? '(anonymous)' : name} within ${owner.size} bytes`
      throw wrong(owner, expected, `bytes ${offset} to ${offset + member.size}`)
    }
    return { name, node: member, offset }
  }

  const membersOf = (owner: BtfTypeOf<'struct' | 'union'>): RecordMember[] => {
    const members: RecordMember[] = []
    for (const member of owner.members) {
      const { offsetBits, sizeBits, bitfield } = memberBits(btf, member)
      const type = btf.resolve(member.type)
      const record = type.kind === 'struct' || type.kind === 'union'
      // An unnamed bitfield is padding.
      if (member.name === '' && !record) continue
      const offset = Math.floor(offsetBits / 8)
      if (bitfield) {
        members.push(place(owner, member.name, bitsOf(owner, member, type, offsetBits % 8, sizeBits), offset))
        continue
      }
      if (offsetBits % 8 !== 0) throw wrong(owner, `${member.name} at a whole byte`, `bit ${offsetBits}`)
      members.push(place(owner, member.name, node(type.id), offset))
    }
    return members
  }

  const bitsOf = (
    owner: BtfType,
    member: BtfMember,
    type: BtfType,
    first: number,
    bits: number,
  ): ValueNode => {
    let face: Face | undefined
    const size = type.kind === 'int' || type.kind === 'enum' || type.kind === 'enum64' ? type.size : 0
    if (size === 0 || bits === 0 || bits > size * 8) {
      throw wrong(
        owner,
        `bitfield ${member.name} of an int or enum that holds it`,
        `${bits} bits of ${size} bytes`,
      )
    }
    const big = size > 4
    if (type.kind === 'int' && type.bool) face = boolFace
    else if (type.kind === 'enum' || type.kind === 'enum64') face = enumFace(type, bits, big)
    const signed = 'signed' in type && type.signed
    return bitfieldNode({ bits, signed, big }, first, order, face)
  }

  const variablesOf = (owner: BtfTypeOf<'datasec'>): RecordMember[] => {
    const members: RecordMember[] = []
    for (const row of owner.vars) {
      const variable = btf.type(row.type)
      if (variable.kind !== 'var') throw wrong(owner, 'variables', formatType(btf, row.type))
      members.push(place(owner, variable.name, node(variable.type), row.offset))
    }
    return members
  }

  return { node }
}
