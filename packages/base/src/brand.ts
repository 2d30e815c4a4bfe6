/**
 * Brands: numbers that must not be mixed up, such as a type id and an instruction index, get types of their own.
 * A brand costs nothing at run time.
 */
declare const brand: unique symbol

/**
 * `T` that can only be made on purpose.
 *
 * @example
 * ```ts
 * import type { Brand } from '@tsbpf/base'
 * type TypeId = Brand<number, 'TypeId'>
 * const id = 7 as TypeId
 * ```
 */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** Index of an 8-byte instruction slot within one function or program; a wide instruction fills two slots. */
export type InsnIndex = Brand<number, 'InsnIndex'>

/** Offset in bytes from the start of the thing that is named beside it. */
export type ByteOffset = Brand<number, 'ByteOffset'>

/** Offset in bits from the start of the thing that is named beside it. */
export type BitOffset = Brand<number, 'BitOffset'>

/** BTF type id; 0 is void. Ids of a split BTF continue those of its base. */
export type TypeId = Brand<number, 'TypeId'>
