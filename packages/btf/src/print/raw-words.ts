import { kinds } from '../kinds.ts'

/** Spellings that bpftool's raw and JSON dumps share, by number. */
export const kindNames: readonly string[] = kinds.rows.map(({ name }) => name.toUpperCase())

/** Name of an int's encoding; any mixture is `UNKN`. */
export function intEncoding(word: number): string {
  switch ((word >>> 24) & 0xf) {
    case 0:
      return '(none)'
    case 1:
      return 'SIGNED'
    case 2:
      return 'CHAR'
    case 4:
      return 'BOOL'
    default:
      return 'UNKN'
  }
}

const linkages = ['static', 'global', 'extern']

/** Linkage of a FUNC or VAR. */
export function linkageName(value: number): string {
  return linkages[value] ?? '(unknown)'
}

/** Decimal digits of an ENUM64 value; most fit a word. */
export function wideText(low: number, high: number, signed: boolean): string {
  if (high === 0) return String(low)
  const bits = (BigInt(high) << 32n) | BigInt(low)
  return String(signed ? BigInt.asIntN(64, bits) : bits)
}
