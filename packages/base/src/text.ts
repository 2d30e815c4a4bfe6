// Without ignoreBOM a decoder would take U+FEFF off the start of a name.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** Text of a NUL-terminated field: up to the first NUL, or all of it; bytes that are not UTF-8 become U+FFFD. */
export function textUntilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))
}

/** UTF-8 bytes of a text, with a NUL at the end. */
export function nulTerminated(text: string): Uint8Array {
  return encoder.encode(`${text}\0`)
}

/** Two hexadecimal digits for each byte, separated by spaces, as disassemblers print them. */
export function hexBytes(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += (text === '' ? '' : ' ') + byte.toString(16).padStart(2, '0')
  return text
}
