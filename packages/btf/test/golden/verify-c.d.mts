import type * as library from '../../src/index.ts'

/** What one compiler found. */
export interface VerifyRow {
  readonly compiler: string
  /** Hash of the C and the assertions. */
  readonly program: string
  /** Named structs and unions. */
  readonly types: number
  /** Those whose layout was compared. */
  readonly compared: number
  /** Sizes asserted. */
  readonly asserts: number
  /** What the compiler printed, if anything. */
  readonly errors: readonly string[]
  /** Types that the compiler lays out otherwise: what the BTF says of them, and what the compiler's does. */
  readonly different: readonly {
    readonly tag: string
    readonly right: readonly string[]
    readonly got: readonly string[]
  }[]
  /** How many types the compiler's BTF had only where a value of them was asked for. */
  readonly behindPointers: number
  /** Types that the compiler's BTF does not have. */
  readonly dropped: readonly string[]
}

type Library = Pick<typeof library, 'parseBtf' | 'printC'>

export function readBtf(file: string): Uint8Array
export function clangs(): string[]
export function verifyC(
  library: Library,
  bytes: Uint8Array,
  compilers: readonly string[],
  options?: { readonly sample?: number },
): Promise<VerifyRow[]>
