import { formatType } from '../format-type.ts'
import { errors } from '../errors.ts'
import { kindFlagOfInfo, vlenOfInfo } from '../kinds.ts'
import { limits } from '../limits.ts'
import type { CTypes } from './c-types.ts'
import {
  kindArray,
  kindConst,
  kindDeclTag,
  kindEnum,
  kindEnum64,
  kindFloat,
  kindInt,
  kindPtr,
  kindRestrict,
  kindStruct,
  kindTypeTag,
  kindTypedef,
  kindUnion,
  kindVar,
  kindVolatile,
} from './kind-numbers.ts'

/** Sizes and alignments as C lays types out; 0 for what has none, such as a forward declaration. */
export interface CLayout {
  readonly pointerSize: number
  /** By id: 1 for structs whose alignment has been asked for and whose own members are where only `packed` puts them. */
  readonly packed: Uint8Array
  /** Bytes. */
  alignOf(id: number): number
  /** Bits of a member that is no bitfield. */
  sizeBitsOf(id: number): number
  /**
   * Bits of a bitfield that is one by its type alone, the older encoding, times 256, plus the bits before it; 0 for
   * any other type.
   */
  oldBitfield(id: number): number
}

const unknown = 0xff
const none = 0xfe

/** The error of types that lead back to themselves. */
export function cycleAt(flat: CTypes, id: number): Error {
  return errors.BTF_CYCLE({ file: 'BTF', id, type: formatType(flat.btf, id) })
}

export function cLayout(flat: CTypes): CLayout {
  const { words, starts, kinds } = flat
  const { pointerSize } = flat.btf
  const packed = new Uint8Array(flat.endId)
  const known = new Uint8Array(flat.endId).fill(unknown)
  let depth = 0

  const alignOf = (id: number): number => {
    let at = id
    for (let step = 0; step < limits.resolveSteps; step++) {
      const start = starts[at] ?? 0
      switch (kinds[at]) {
        case kindPtr:
          return pointerSize
        case kindInt:
        case kindEnum:
        case kindEnum64:
        case kindFloat:
          return Math.min(pointerSize, words[start + 2] ?? 0)
        case kindTypedef:
        case kindConst:
        case kindVolatile:
        case kindRestrict:
        case kindTypeTag:
          at = words[start + 2] ?? 0
          break
        case kindArray:
          at = words[start + 3] ?? 0
          break
        case kindStruct:
        case kindUnion: {
          const before = known[at] ?? unknown
          if (before === none) return 0
          if (before !== unknown) return before
          // Structs within structs are printed, and so known, before; only anonymous ones nest here.
          if (++depth > limits.declaredDepth) throw cycleAt(flat, at)
          const info = words[start + 1] ?? 0
          const kindFlag = kindFlagOfInfo(info)
          let most = 1
          let answer: number | undefined
          for (let member = start + 3, end = member + vlenOfInfo(info) * 3; member < end; member += 3) {
            const type = words[member + 1] ?? 0
            const offset = words[member + 2] ?? 0
            const align = alignOf(type)
            if (align === 0) answer ??= 0
            else if (
              !(kindFlag ? offset >>> 24 !== 0 : oldBitfield(type) !== 0) &&
              offset % (8 * align) !== 0
            ) {
              answer ??= 1
              packed[at] = 1
            }
            if (align > most) most = align
          }
          if ((words[start + 2] ?? 0) % most !== 0) {
            answer ??= 1
            packed[at] = 1
          }
          depth--
          answer ??= most
          known[at] = answer === 0 ? none : answer
          return answer
        }
        default:
          return 0
      }
    }
    throw cycleAt(flat, id)
  }

  const sizeBitsOf = (id: number): number => {
    let at = id
    let count = 8
    for (let step = 0; step < limits.resolveSteps; step++) {
      const start = starts[at] ?? 0
      switch (kinds[at]) {
        case kindPtr:
          return count * pointerSize
        case kindInt:
        case kindStruct:
        case kindUnion:
        case kindEnum:
        case kindEnum64:
        case kindFloat:
          return count * (words[start + 2] ?? 0)
        case kindTypedef:
        case kindConst:
        case kindVolatile:
        case kindRestrict:
        case kindTypeTag:
        case kindVar:
        case kindDeclTag:
          at = words[start + 2] ?? 0
          break
        case kindArray:
          count *= words[start + 5] ?? 0
          at = words[start + 3] ?? 0
          break
        default:
          return 0
      }
    }
    return 0
  }

  const oddInt = (id: number): boolean => {
    if (kinds[id] !== kindInt) return false
    const start = starts[id] ?? 0
    const encoding = words[start + 3] ?? 0
    return (encoding & 0xff0000) !== 0 || (encoding & 0xff) !== (words[start + 2] ?? 0) * 8
  }
  let oldInts = false
  for (let id = kinds.indexOf(kindInt); id >= 0; id = kinds.indexOf(kindInt, id + 1)) oldInts ||= oddInt(id)

  const oldBitfield = (id: number): number => {
    if (!oldInts) return 0
    let at = id
    for (let step = 0; step < limits.resolveSteps; step++) {
      switch (kinds[at]) {
        case kindTypedef:
        case kindConst:
        case kindVolatile:
        case kindRestrict:
        case kindTypeTag:
          at = words[(starts[at] ?? 0) + 2] ?? 0
          break
        default: {
          if (!oddInt(at)) return 0
          const encoding = words[(starts[at] ?? 0) + 3] ?? 0
          return (encoding & 0xff) * 256 + ((encoding >>> 16) & 0xff)
        }
      }
    }
    return 0
  }

  return { pointerSize, packed, alignOf, sizeBitsOf, oldBitfield }
}
