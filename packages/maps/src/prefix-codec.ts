import { errors } from './errors.ts'
import type { ElementCodec } from './element-codec.ts'

/** Bytes of `prefixlen` before the address in `struct bpf_lpm_trie_key_u8` (include/uapi/linux/bpf.h). */
const lengthBytes = 4

/**
 * Keys of an LPM trie as IPv4 prefixes in text: `10.0.0.0/8`; a bare address is one of 32 bits, to look up.
 *
 * 8 bytes: the length as a native 32-bit number, then the address in network byte order. Bits behind the prefix are
 * kept as they are given. Anything else is MAP_ELEMENT_SIZE.
 *
 * @example
 * ```ts
 * import { ipv4PrefixCodec } from '@tsbpf/maps'
 * const key = new Uint8Array(8)
 * ipv4PrefixCodec.encodeInto('192.168.0.0/16', key, 0)
 * console.log(key) // 16 0 0 0 192 168 0 0
 * ```
 */
export const ipv4PrefixCodec: ElementCodec<string> = prefixCodec(4, parseIpv4, formatIpv4)

/** As {@link ipv4PrefixCodec}, of 20 bytes, for IPv6: `2001:db8::/32`, written as RFC 5952 has it. */
export const ipv6PrefixCodec: ElementCodec<string> = prefixCodec(16, parseIpv6, formatIpv6)

function prefixCodec(
  addressBytes: number,
  parse: (text: string) => readonly number[] | undefined,
  format: (bytes: Uint8Array) => string,
): ElementCodec<string> {
  const bits = addressBytes * 8
  const family = addressBytes === 4 ? 'IPv4 prefix such as 10.0.0.0/8' : 'IPv6 prefix such as 2001:db8::/32'
  return {
    size: lengthBytes + addressBytes,
    decode(view, offset) {
      const address = new Uint8Array(view.buffer, view.byteOffset + offset + lengthBytes, addressBytes)
      return `${format(address)}/${view.getUint32(offset, true)}`
    },
    encodeInto(value, bytes, offset) {
      const given: unknown = value
      const match = typeof given === 'string' ? /^([^/]*)(?:\/(\d{1,3}))?$/.exec(given) : null
      const address = parse(match?.[1] ?? '')
      const length = match?.[2] === undefined ? bits : Number(match[2])
      if (address === undefined || length > bits) {
        const actual = typeof given === 'string' ? JSON.stringify(given.slice(0, 60)) : typeof given
        throw errors.MAP_ELEMENT_SIZE({ expected: `an ${family}`, actual })
      }
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(offset, length, true)
      bytes.set(address, offset + lengthBytes)
    },
  }
}

function parseIpv4(text: string): readonly number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  const parts = match?.slice(1).map(Number)
  return parts?.every((part) => part < 256) === true ? parts : undefined
}

function formatIpv4(bytes: Uint8Array): string {
  return bytes.join('.')
}

/** The last 32 bits may be written as IPv4 (RFC 4291 section 2.2). */
function parseIpv6(text: string): readonly number[] | undefined {
  const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const tail = embedded === null ? undefined : parseIpv4(embedded[2] ?? '')
  if (embedded !== null && tail === undefined) return undefined
  const plain = tail === undefined ? text : `${embedded?.[1] ?? ''}${hex(tail, 0)}:${hex(tail, 2)}`
  const halves = plain.split('::')
  if (halves.length > 2) return undefined
  const [head, end] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const groups = [...(head ?? []), ...(end ?? [])]
  const missing = 8 - groups.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  const whole = [
    ...(head ?? []),
    ...(end === undefined ? [] : Array<string>(missing).fill('0')),
    ...(end ?? []),
  ]
  return whole.flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

function hex(bytes: readonly number[], at: number): string {
  return (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16)
}

/** RFC 5952: lower case, the first longest run of two or more zero groups as `::`. */
function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
  let [start, longest] = [-1, 1]
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && groups[end] === 0) end++
    if (end - i > longest) [start, longest] = [i, end - i]
  }
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  return start < 0 ? text(0, 8) : `${text(0, start)}::${text(start + longest, 8)}`
}
