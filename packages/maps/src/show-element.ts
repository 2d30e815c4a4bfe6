import { hexBytes } from '@tsbpf/base'
import { shownCharacters } from './limits.ts'

/** A key or value for an error message: short, and never throwing. */
export function showElement(value: unknown): string {
  const text = shown(value)
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${hexBytes(value.subarray(0, shownCharacters))}`
  try {
    // Undefined, functions and symbols have no JSON.
    const text: unknown = JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'bigint' ? `${part}n` : part,
    )
    return typeof text === 'string' ? text : typeof value
  } catch {
    return typeof value
  }
}
