/** Compact JSON: 64-bit numbers become decimal strings, bytes hexadecimal text, absent values `null`. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, replace).replace(control, escape)
}

/** As {@link toJson}, indented for a document that a person may read. */
export function toJsonDocument(value: unknown): string {
  return `${JSON.stringify(value, replace, 2).replace(control, escape)}\n`
}

/** Control characters that JSON leaves as they are; names come from files, and a terminal may obey them. */
const control = /[\u007f-\u009f]/g

function escape(character: string): string {
  return `\\u00${character.charCodeAt(0).toString(16)}`
}

function replace(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value === undefined) return null
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof Map) return Object.fromEntries(value) as unknown
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return value
}
