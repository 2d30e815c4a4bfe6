import { limits } from './limits.ts'
import type { ValueForm } from './value-form.ts'

/** How values of one type are read and written; nodes make a tree that mirrors the type. */
export interface ValueNode {
  /** Bytes. */
  readonly size: number
  /** How many values of JavaScript one value is made of: bounds what decoding may cost. */
  readonly weight: number
  /** What the node is, for those that write code instead of walking nodes. */
  readonly form: ValueForm
  /** Reads at a place whose bounds have been checked. */
  read(view: DataView, at: number): unknown
  /** Writes into bytes that are zero; throws {@link BadValue}. */
  write(view: DataView, at: number, value: unknown): void
}

/** A node of a struct, union or data section, whose members can also be those of another object. */
export interface RecordNode extends ValueNode {
  /** Names of the members, those of anonymous members included. */
  readonly names: ReadonlySet<string>
  /** Reads the members into an object. */
  readInto(into: Record<string, unknown>, view: DataView, at: number): void
  /** Writes the members that an object has. */
  writeFrom(from: Record<string, unknown>, view: DataView, at: number): void
}

export function isRecordNode(node: ValueNode): node is RecordNode {
  return 'readInto' in node
}

/** What is wrong with a value; on its way out each level puts its step in front of the trail. Never leaves the package. */
export class BadValue extends Error {
  readonly trail: (string | number)[] = []
  readonly expected: string
  readonly actual: string
  readonly hint: string | undefined

  constructor(expected: string, value: unknown, hint?: string) {
    super(expected)
    this.expected = expected
    this.actual = show(value)
    this.hint = hint
  }
}

/** Values that comparing the members of unions may still write while one value is encoded. */
let comparisons = 0

/** Starts the encoding of one value. */
export function startEncoding(): void {
  comparisons = limits.unionComparisons
}

/** Counts values written only to be compared; unions of unions, each with all its members given, can need billions. */
export function countComparisons(values: number): void {
  comparisons -= values
  if (comparisons < 0) throw new BadValue('one member of each union', {}, 'leave out all members but one')
}

/** Runs `write`; a fault inside is a fault of the member or element `step`. */
export function within(step: string | number, write: () => void): void {
  try {
    write()
  } catch (error) {
    if (error instanceof BadValue) error.trail.unshift(step)
    throw error
  }
}

/** A value in a few characters, for a message. */
function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > 40 ? `a string of ${value.length} characters` : JSON.stringify(value)
    case 'bigint':
      return `${value}n`
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `an array of ${value.length}`
      if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
      return 'an object'
    default:
      return `a ${typeof value}`
  }
}
