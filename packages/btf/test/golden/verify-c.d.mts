import type * as library from '../../src/index.ts'

/** What one compiler found. */
export interface VerifyRow {
  readonly compiler: string
  /** Named structs and unions. */
  readonly types: number
  readonly asserts: number
  /** What the compiler printed, if anything. */
  readonly errors: readonly string[]
  /** Types that the compiler lays out otherwise: what the BTF says of them, and what the compiler's does. */
  readonly different: readonly {
    readonly tag: string
    readonly right: readonly string[]
    readonly got: readonly string[]
  }[]
  /** Types that the compiler's BTF does not have. */
  readonly dropped: readonly string[]
}

export function readBtf(file: string): Uint8Array
export function clangs(): string[]
export function verifyC(
  btf: Pick<typeof library, 'parseBtf' | 'printC'>,
  bytes: Uint8Array,
  compilers: readonly string[],
  options?: library.PrintCOptions,
): VerifyRow[]
