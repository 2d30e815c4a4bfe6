import type { OpName } from '@tsbpf/isa'

/**
 * The builder's name of an instruction: the name of its row without what its operands say. `add64_imm`, `add64_reg`,
 * `add32_imm` and `add32_reg` are all `add`: registers say the width, the kind of operand says the source.
 */
export type MnemonicOf<N extends OpName> = N extends `movsx${32 | 64}_${infer Bits}`
  ? `movsx${Bits}`
  : N extends `${infer Stem}64_${'imm' | 'reg'}`
    ? Stem
    : N extends `${infer Stem}32_${'imm' | 'reg'}`
      ? Stem
      : N extends `${infer Stem}_${'imm' | 'reg'}`
        ? Stem
        : N extends `atomic_${infer Stem}${32 | 64}`
          ? `atomic_${Stem}`
          : N extends `neg${32 | 64}`
            ? 'neg'
            : N

/** How a row is called, and which of the forms of that name it is. */
interface Form {
  readonly mnemonic: string
  /** `undefined` where registers do not say a width. */
  readonly bits: 32 | 64 | undefined
  /** `undefined` where there is no choice. */
  readonly source: 'imm' | 'reg' | undefined
}

/** {@link MnemonicOf} as a value; the two say the same. */
export function formOf(op: OpName): Form {
  const extend = /^(movsx)(\d+)_(\d+)$/.exec(op)
  if (extend !== null)
    return { mnemonic: `movsx${extend[3] ?? ''}`, bits: bitsOf(extend[2]), source: undefined }
  const [, stem = op, width, source] = /^(.+?)(64|32)?_(imm|reg)$/.exec(op) ?? []
  if (source === 'imm' || source === 'reg') return { mnemonic: stem, bits: bitsOf(width), source }
  const sized = /^(atomic_\w+|neg)(64|32)$/.exec(op)
  if (sized !== null) return { mnemonic: sized[1] ?? op, bits: bitsOf(sized[2]), source: undefined }
  return { mnemonic: op, bits: undefined, source: undefined }
}

const bitsOf = (width: string | undefined): 32 | 64 => (width === '32' ? 32 : 64)
