/**
 * Text in `char` arrays: UTF-8, in which a byte that is part of no character becomes a lone surrogate, U+DC80 to U+DCFF
 * by the byte (PEP 383, "surrogateescape"), so that every text can be written back as it was.
 */

const encoder = new TextEncoder()
/** A byte order mark is a character of the text like any other, or the text would not come back. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** What the decoder puts in place of bytes that it cannot read; also a character that may be there. */
const replacement = '\ufffd'
/** A surrogate without its other half. */
const loneSurrogate = /[\ud800-\udfff]/u

/** The text of bytes, up to the first NUL. */
export function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  const used = end < 0 ? bytes : bytes.subarray(0, end)
  const text = decoder.decode(used)
  return text.includes(replacement) ? decodeEscaped(used) : text
}

/** The bytes of a text; `undefined` where they would be read as another. */
export function encodeText(text: string): Uint8Array | undefined {
  if (text.includes('\0')) return undefined
  if (!loneSurrogate.test(text)) return encoder.encode(text)
  const parts: number[] = []
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(code & 0xff)
    else parts.push(...encoder.encode(char))
  }
  const bytes = Uint8Array.from(parts)
  return decodeText(bytes) === text ? bytes : undefined
}

function decodeEscaped(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at)
    if (length === 0) {
      text += String.fromCharCode(0xdc00 | (bytes[at] ?? 0))
      at++
    } else {
      text += decoder.decode(bytes.subarray(at, at + length))
      at += length
    }
  }
  return text
}

/** Bytes of the character at a place; 0 where there is none (RFC 3629, section 4). */
function characterLength(bytes: Uint8Array, at: number): number {
  const byte = (index: number): number => bytes[at + index] ?? 0
  const lead = byte(0)
  if (lead < 0x80) return 1
  const length =
    lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0
  // No overlong forms, no surrogates, nothing above U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  for (let i = 1; i < length; i++) {
    const next = byte(i)
    if (next < (i === 1 ? low : 0x80) || next > (i === 1 ? high : 0xbf)) return 0
  }
  return length
}
