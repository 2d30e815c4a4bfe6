/** A type as C has it, for BTF: of keys, values, variables, parameters. Two that are the same value are one type. */
export type CType =
  | {
      readonly kind: 'int'
      /** C name: `unsigned int`. */
      readonly name: string
      /** Bytes. */
      readonly size: number
      readonly signed?: boolean
      readonly bool?: boolean
    }
  | { readonly kind: 'array'; readonly element: CType; readonly length: number }
  | {
      readonly kind: 'struct' | 'union'
      readonly name: string
      readonly members: readonly (readonly [name: string, type: CType])[]
    }
  /** A struct of which only the name is known. */
  | { readonly kind: 'fwd'; readonly name: string }
  | { readonly kind: 'ptr'; readonly to: CType | undefined }

/** `unsigned char`. */
export const u8: CType = { kind: 'int', name: 'unsigned char', size: 1 }
/** `unsigned short`. */
export const u16: CType = { kind: 'int', name: 'unsigned short', size: 2 }
/** `unsigned int`. */
export const u32: CType = { kind: 'int', name: 'unsigned int', size: 4 }
/** `unsigned long long`. */
export const u64: CType = { kind: 'int', name: 'unsigned long long', size: 8 }
/** `signed char`. */
export const s8: CType = { kind: 'int', name: 'signed char', size: 1, signed: true }
/** `short`. */
export const s16: CType = { kind: 'int', name: 'short', size: 2, signed: true }
/** `int`. */
export const s32: CType = { kind: 'int', name: 'int', size: 4, signed: true }
/** `long long`. */
export const s64: CType = { kind: 'int', name: 'long long', size: 8, signed: true }
/** `char`, as texts have it. */
export const char: CType = { kind: 'int', name: 'char', size: 1, signed: true }
/** `_Bool`. */
export const bool: CType = { kind: 'int', name: '_Bool', size: 1, bool: true }

/**
 * `element[length]`.
 *
 * @example
 * ```ts
 * import { array, char } from '@tsbpf/asm'
 * const comm = array(char, 16)
 * ```
 */
export function array(element: CType, length: number): CType {
  return { kind: 'array', element, length }
}

/**
 * A struct with its members in order, each aligned to its size as C does; without members it is only a name, for pointers
 * to structs of the kernel.
 *
 * @example
 * ```ts
 * import { array, char, map, ptr, struct, u32 } from '@tsbpf/asm'
 * const event = struct('event', { pid: u32, comm: array(char, 16) })
 * const task = ptr(struct('task_struct'))
 * ```
 */
export function struct(name: string, members?: Readonly<Record<string, CType>>): CType {
  return members === undefined
    ? { kind: 'fwd', name }
    : { kind: 'struct', name, members: Object.entries(members) }
}

/** A union: as {@link struct}, with all members at the start. */
export function union(name: string, members: Readonly<Record<string, CType>>): CType {
  return { kind: 'union', name, members: Object.entries(members) }
}

/** A pointer; to void unless given what to. */
export function ptr(to?: CType): CType {
  return { kind: 'ptr', to }
}

const pointerBytes = 8

/** What a value of the type has to be aligned to, in bytes. */
export function alignOf(type: CType): number {
  switch (type.kind) {
    case 'int':
      return type.size
    case 'ptr':
      return pointerBytes
    case 'array':
      return alignOf(type.element)
    case 'fwd':
      return 1
    case 'struct':
    case 'union':
      return Math.max(1, ...type.members.map(([, member]) => alignOf(member)))
  }
}

/** Rounds up to a multiple of `align`. */
export const alignUp = (offset: number, align: number): number => Math.ceil(offset / align) * align

/** Offsets of the members of a struct or union, in bytes, and its size. */
export function placeMembers(type: CType & { readonly kind: 'struct' | 'union' }): {
  readonly offsets: readonly number[]
  readonly size: number
} {
  let end = 0
  const offsets = type.members.map(([, member]) => {
    const offset = type.kind === 'union' ? 0 : alignUp(end, alignOf(member))
    end = Math.max(end, offset + sizeOf(member))
    return offset
  })
  return { offsets, size: alignUp(end, alignOf(type)) }
}

/** Bytes of a value of the type; 0 for a struct of which only the name is known. */
export function sizeOf(type: CType): number {
  switch (type.kind) {
    case 'int':
      return type.size
    case 'ptr':
      return pointerBytes
    case 'array':
      return type.length * sizeOf(type.element)
    case 'fwd':
      return 0
    case 'struct':
    case 'union':
      return placeMembers(type).size
  }
}
