function parseV4(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  const bytes = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256))
  return parts.length === 4 && bytes.every((byte) => byte < 256) ? bytes : undefined
}

/** The 16-bit groups on one side of a `::`, as bytes. */
function groups(text: string): readonly number[] | undefined {
  if (text === '') return []
  const words = text.split(':')
  if (words.length > 8 || !words.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return undefined
  return words.flatMap((word) => [parseInt(word, 16) >> 8, parseInt(word, 16) & 0xff])
}

/** The bytes of an IPv4 address (4) or an IPv6 address (16), as RFC 4291 writes it; `undefined` for what is none. */
export function parseIpAddress(text: string): Uint8Array | undefined {
  if (!text.includes(':')) {
    const bytes = parseV4(text)
    return bytes && Uint8Array.from(bytes)
  }
  const halves = text.split('::')
  const [front, back] = halves.map(groups)
  if (front === undefined || halves.length > 2) return undefined
  if (halves.length === 1) return front.length === 16 ? Uint8Array.from(front) : undefined
  if (back === undefined || front.length + back.length > 14) return undefined
  return Uint8Array.from([...front, ...new Array<number>(16 - front.length - back.length).fill(0), ...back])
}

/** An address as text, IPv6 as RFC 5952 recommends. */
export function formatIpAddress(bytes: Uint8Array): string {
  if (bytes.length !== 16) return bytes.join('.')
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  const words = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2).toString(16)).join(':')
  const longest = [...words.matchAll(/(?<![^:])0(:0)+(?![^:])/g)].reduce(
    (best, [run]) => (run.length > best.length ? run : best),
    '',
  )
  if (longest === '') return words
  const at = words.search(new RegExp(`(?<![^:])${longest}(?![^:])`))
  return `${words.slice(0, at).replace(/:$/, '')}::${words.slice(at + longest.length).replace(/^:/, '')}`
}
