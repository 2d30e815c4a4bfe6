import { suggest } from '@tsbpf/base'
import { BadValue, countComparisons, isRecordNode, within } from './value-node.ts'
import type { RecordNode, ValueNode } from './value-node.ts'

/** A member of a record: a named one, or an anonymous record whose members are the outer one's own. */
export interface RecordMember {
  readonly name: string
  readonly node: ValueNode
  /** Bytes from the start of the record. */
  readonly offset: number
}

type Fields = Record<string, unknown>

/** Sets an own property whatever its name, and whatever is inherited: `__proto__` is a name like any other. */
function setOwn(target: Fields, name: string, value: unknown): void {
  if (name in target) {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
  } else {
    target[name] = value
  }
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw new BadValue('an object', value)
  }
  return value as Fields
}

function checkNames(fields: Fields, names: ReadonlySet<string>): void {
  for (const name of Object.keys(fields)) {
    if (!names.has(name)) {
      const fault = new BadValue('a member of the type', fields[name], suggest(name, names))
      fault.trail.unshift(name)
      throw fault
    }
  }
}

/** True where the object gives a value to one of the names; `undefined` is none. */
function gives(fields: Fields, member: RecordMember): boolean {
  if (member.name !== '') return Object.hasOwn(fields, member.name) && fields[member.name] !== undefined
  if (!isRecordNode(member.node)) return false
  for (const name of member.node.names)
    if (Object.hasOwn(fields, name) && fields[name] !== undefined) return true
  return false
}

function writeMember(member: RecordMember, fields: Fields, view: DataView, at: number): void {
  if (member.name !== '') {
    within(member.name, () => {
      member.node.write(view, at + member.offset, fields[member.name])
    })
  } else if (isRecordNode(member.node)) {
    member.node.writeFrom(fields, view, at + member.offset)
  }
}

function record(
  kind: 'struct' | 'union',
  size: number,
  members: readonly RecordMember[],
  writeFrom: RecordNode['writeFrom'],
): RecordNode {
  const names = new Set<string>()
  let weight = 1
  for (const { name, node } of members) {
    weight += node.weight
    if (name !== '') names.add(name)
    else if (isRecordNode(node)) for (const inner of node.names) names.add(inner)
  }
  const readInto = (into: Fields, view: DataView, at: number): void => {
    for (const { name, node, offset } of members) {
      if (name !== '') setOwn(into, name, node.read(view, at + offset))
      else if (isRecordNode(node)) node.readInto(into, view, at + offset)
    }
  }
  return {
    size,
    weight,
    form: { kind, members },
    names,
    readInto,
    writeFrom,
    read(view, at) {
      const value: Fields = {}
      readInto(value, view, at)
      return value
    },
    write(view, at, value) {
      const fields = fieldsOf(value)
      checkNames(fields, names)
      writeFrom(fields, view, at)
    },
  }
}

/** A struct, or a data section: members side by side. */
export function structNode(size: number, members: readonly RecordMember[]): RecordNode {
  return record('struct', size, members, (fields, view, at) => {
    for (const member of members) if (gives(fields, member)) writeMember(member, fields, view, at)
  })
}

/** Every bit that is set in any of some bytes. */
function allBits(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts[0]?.length ?? 0)
  for (const part of parts) {
    part.forEach((byte, i) => {
      all[i] = (all[i] ?? 0) | byte
    })
  }
  return all
}

/** Members that could stand for the whole of a union are tried no further than this. */
const triedMembers = 8

/**
 * A union: members in the same place. One member given is written; of several, the first of the largest that all the
 * others agree with, or all of them together. They agree if they read the same value out of the bytes as they were given.
 */
export function unionNode(size: number, members: readonly RecordMember[]): RecordNode {
  const bytesOf = (member: RecordMember, fields: Fields): Uint8Array => {
    countComparisons(member.node.weight)
    const bytes = new Uint8Array(size)
    writeMember(member, fields, new DataView(bytes.buffer), 0)
    return bytes
  }
  const reread = (member: RecordMember, whole: Uint8Array): Uint8Array => {
    const fields: Fields = {}
    const view = new DataView(whole.buffer)
    if (member.name !== '') setOwn(fields, member.name, member.node.read(view, member.offset))
    else if (isRecordNode(member.node)) member.node.readInto(fields, view, member.offset)
    return bytesOf(member, fields)
  }
  return record('union', size, members, (fields, view, at) => {
    const given = members.filter((member) => gives(fields, member))
    const [only] = given
    if (only === undefined) return
    if (given.length === 1) {
      writeMember(only, fields, view, at)
      return
    }
    const encoded = given.map((member) => ({ member, bytes: bytesOf(member, fields) }))
    const largest = Math.max(...encoded.map(({ member }) => member.node.size))
    const wholes = encoded
      .filter(({ member }) => member.node.size === largest)
      .slice(0, triedMembers)
      .map(({ bytes }) => bytes)
    // Where the largest have padding that others use, all together say it all; but true is 1 where others have more.
    const all = allBits(encoded.map(({ bytes }) => bytes))
    for (const { member, bytes } of encoded) {
      reread(member, all).forEach((byte, i) => {
        const own = bytes[i] ?? 0
        if (byte !== own) all[i] = own
      })
    }
    wholes.push(all)
    const whole = wholes.find((bytes) =>
      encoded.every(({ member, bytes: own }) => {
        const seen = reread(member, bytes)
        return own.every((byte, i) => byte === seen[i])
      }),
    )
    if (whole === undefined) {
      const names = given.map((member) => member.name || '(anonymous)').join(', ')
      throw new BadValue('one member of the union, or several that agree', fields, `give one of ${names}`)
    }
    const target = new Uint8Array(view.buffer, view.byteOffset + at, size)
    whole.forEach((byte, i) => {
      target[i] = (target[i] ?? 0) | byte
    })
  })
}
