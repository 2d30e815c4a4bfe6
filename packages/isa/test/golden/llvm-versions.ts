import { instructionSet } from '../../src/index.ts'

/** Commands are `llvm-objdump-19 --mcpu=v3`, or without a cpu. */
const oldest = 'llvm-objdump-14'

/** True where a command prints the registers of 32-bit loads and stores as `w1`. */
export const alu32 = (command: string): boolean =>
  command === 'llvm-objdump-22' || (!command.startsWith(oldest) && /--mcpu=v[34]$/.test(command))

/** True where a command prints all numbers in decimal. */
export const decimal = (command: string): boolean => command.startsWith(oldest)

/** Our text as LLVM 14 prints it; what names a place stays in hexadecimal. */
export const inDecimal = (text: string): string => {
  const insn = text.replace(/ <[^<> =]+>$/, '')
  return insn.replace(/0x[0-9a-f]+/g, (number) => BigInt(number).toString()) + text.slice(insn.length)
}

/** Instructions that LLVM 14 does not know: it prints <unknown>, or a part of the truth for those with a fixed off. */
export const younger14: ReadonlySet<string> = new Set(
  instructionSet
    .filter(({ name }) =>
      /^(jset|st(b|h|w|dw)$|sdiv|smod|mod|movsx|bswap|ldxs|gotol|may_goto|callx|addr_space_cast)/.test(name),
    )
    .map((row) => row.name as string),
)

