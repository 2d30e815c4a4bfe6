import type { BitOffset, TypeId } from '@tsbpf/base'
import type { BtfMember, BtfParam, BtfSecVar, BtfType } from './btf-type.ts'
import { kindFlagOfInfo, kindOfInfo, kinds, vlenOfInfo } from './kinds.ts'

/** What a decoder needs of the BTF it decodes: words, and checked ways to follow an offset or an id that stands at a word. */
export interface TypeReader {
  readonly words: Uint32Array
  /**
   * The string whose offset stands at word `at`. `field` is its name, below the type or below the element at `index` of
   * `list`: only errors spell the path.
   */
  string(id: number, at: number, field: string, list?: string, index?: number): string
  /** The id that stands at word `at`, checked. */
  reference(id: number, at: number, field: string, list?: string, index?: number): TypeId
}

const linkages = ['static', 'global', 'extern'] as const

/** Decodes the type that starts at word `start`; its size has been checked by the index. */
export function decodeType(reader: TypeReader, start: number, typeId: number): BtfType {
  const { words } = reader
  const id = typeId as TypeId
  const word = (index: number): number => words[start + index] ?? 0
  const info = word(1)
  const kind = kinds.byValue(kindOfInfo(info))?.name ?? 'void'
  const kindFlag = kindFlagOfInfo(info)
  const vlen = vlenOfInfo(info)
  const name = (): string => reader.string(typeId, start, 'name_off')
  const type = (index = 2, field = 'type', list = '', element = 0): TypeId =>
    reader.reference(typeId, start + index, field, list, element)
  const nameAt = (index: number, list: string, element: number): string =>
    reader.string(typeId, start + index, 'name_off', list, element)

  switch (kind) {
    case 'void':
      return { kind, id }
    case 'int': {
      const encoding = word(3)
      return {
        kind,
        id,
        name: name(),
        size: word(2),
        bits: encoding & 0xff,
        offsetBits: (encoding >>> 16) & 0xff,
        signed: (encoding & 0x1000000) !== 0,
        char: (encoding & 0x2000000) !== 0,
        bool: (encoding & 0x4000000) !== 0,
      }
    }
    case 'ptr':
    case 'volatile':
    case 'const':
    case 'restrict':
      return { kind, id, type: type() }
    case 'array':
      return { kind, id, type: type(3, 'type'), indexType: type(4, 'index_type'), length: word(5) }
    case 'struct':
    case 'union': {
      let members: readonly BtfMember[] | undefined
      return {
        kind,
        id,
        name: name(),
        size: word(2),
        kindFlag,
        get members() {
          return (members ??= decodeMembers(reader, start, typeId))
        },
      }
    }
    case 'enum':
    case 'enum64': {
      const values: { name: string; value: bigint }[] = []
      const each = kind === 'enum' ? 2 : 3
      for (let i = 0; i < vlen; i++) {
        const at = 3 + i * each
        const low = word(at + 1)
        let value: bigint
        if (kind === 'enum') value = BigInt(kindFlag ? low | 0 : low)
        else {
          const bits = (BigInt(word(at + 2)) << 32n) | BigInt(low)
          value = kindFlag ? BigInt.asIntN(64, bits) : bits
        }
        values.push({ name: nameAt(at, 'values', i), value })
      }
      return { kind, id, name: name(), size: word(2), signed: kindFlag, values }
    }
    case 'fwd':
      return { kind, id, name: name(), union: kindFlag }
    case 'typedef':
      return { kind, id, name: name(), type: type() }
    case 'type_tag':
      return { kind, id, name: name(), type: type(), kindFlag }
    case 'func':
      return { kind, id, name: name(), type: type(), linkage: linkages[vlen] ?? 'unknown' }
    case 'func_proto': {
      const params: BtfParam[] = []
      for (let i = 0; i < vlen; i++) {
        const at = 3 + i * 2
        params.push({ name: nameAt(at, 'params', i), type: type(at + 1, 'type', 'params', i) })
      }
      return { kind, id, returnType: type(), params }
    }
    case 'var':
      return { kind, id, name: name(), type: type(), linkage: linkages[word(3)] ?? 'unknown' }
    case 'datasec': {
      const vars: BtfSecVar[] = []
      for (let i = 0; i < vlen; i++) {
        const at = 3 + i * 3
        vars.push({ type: type(at, 'type', 'vars', i), offset: word(at + 1), size: word(at + 2) })
      }
      return { kind, id, name: name(), size: word(2), vars }
    }
    case 'float':
      return { kind, id, name: name(), size: word(2) }
    case 'decl_tag':
      return { kind, id, name: name(), type: type(), component: word(3) | 0, kindFlag }
  }
}

/** Members of the struct or union at word `start`: hundreds of a large one, so not before they are asked for. */
function decodeMembers(reader: TypeReader, start: number, typeId: number): BtfMember[] {
  const { words } = reader
  const info = words[start + 1] ?? 0
  const kindFlag = kindFlagOfInfo(info)
  const members: BtfMember[] = []
  for (let i = 0, at = start + 3; i < vlenOfInfo(info); i++, at += 3) {
    const offset = words[at + 2] ?? 0
    members.push({
      name: reader.string(typeId, at, 'name_off', 'members', i),
      type: reader.reference(typeId, at + 1, 'type', 'members', i),
      offsetBits: (kindFlag ? offset & 0xffffff : offset) as BitOffset,
      bitfieldSizeBits: kindFlag ? offset >>> 24 : 0,
    })
  }
  return members
}
