import { nulTerminated, textUntilNul } from '@tsbpf/base'
import { errnoName, failure } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { linux, nlattr, nlmsgerr, nlmsghdr } from '@tsbpf/uapi'
import { maxNetlinkBytes } from './limits.ts'

/** Both architectures that have a door are little-endian. */
const littleEndian = true

/** An attribute: its number and its value; a list is nested in it. */
export type NetlinkAttribute = readonly [
  type: number,
  value: Uint8Array | number | string | NetlinkAttribute[],
]

/** A request of rtnetlink(7). */
export interface NetlinkRequest {
  /** `RTM_NEWTFILTER`, … */
  readonly type: number
  /** `NLM_F_…` beside NLM_F_REQUEST, and NLM_F_ACK or NLM_F_DUMP. */
  readonly flags: number
  /** The structure that follows the header: `struct ifinfomsg`, `struct tcmsg`. */
  readonly body: Uint8Array
  readonly attributes: readonly NetlinkAttribute[]
}

/** What the kernel answered. */
export interface NetlinkAnswer {
  /** 0, or a negated errno. */
  readonly result: number
  /** What the kernel says about an error; empty where it says nothing. */
  readonly text: string
  /** The message that came before the acknowledgement, without its header; empty where there was none. */
  readonly message: Uint8Array
}

const aligned = (size: number): number => (size + linux.NLMSG_ALIGNTO - 1) & ~(linux.NLMSG_ALIGNTO - 1)

function encodeAttribute([type, value]: NetlinkAttribute): Uint8Array {
  let payload: Uint8Array
  let nested = 0
  if (typeof value === 'number') {
    payload = new Uint8Array(4)
    new DataView(payload.buffer).setUint32(0, value, littleEndian)
  } else if (typeof value === 'string') {
    payload = nulTerminated(value)
  } else if (value instanceof Uint8Array) {
    payload = value
  } else {
    payload = concat(value.map(encodeAttribute))
    nested = linux.NLA_F_NESTED
  }
  const header = nlattr.encode(
    { nla_len: nlattr.size + payload.length, nla_type: type | nested },
    littleEndian,
  )
  const bytes = new Uint8Array(aligned(nlattr.size + payload.length))
  bytes.set(header)
  bytes.set(payload, nlattr.size)
  return bytes
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function encodeRequest({ type, flags, body, attributes }: NetlinkRequest, more: number): Uint8Array {
  const rest = [body, ...attributes.map(encodeAttribute)]
  const header = nlmsghdr.encode(
    {
      nlmsg_len: nlmsghdr.size + rest.reduce((sum, part) => sum + part.length, 0),
      nlmsg_type: type,
      nlmsg_flags: flags | linux.NLM_F_REQUEST | more,
      nlmsg_seq: 1,
    },
    littleEndian,
  )
  return concat([header, ...rest])
}

/** The attributes of a message from `at` on, by number; what does not fit ends the list. */
export function readAttributes(bytes: Uint8Array, at: number): ReadonlyMap<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = new Map<number, Uint8Array>()
  while (at + nlattr.size <= bytes.length) {
    const { nla_len: length, nla_type: type } = nlattr.readAt(view, at, littleEndian)
    if (length < nlattr.size || at + length > bytes.length) break
    found.set(
      type & ~(linux.NLA_F_NESTED | linux.NLA_F_NET_BYTEORDER),
      bytes.subarray(at + nlattr.size, at + length),
    )
    at += aligned(length)
  }
  return found
}

/** What the acknowledgement says in words (NETLINK_EXT_ACK, kernel 4.12). */
function errorText(message: Uint8Array, flags: number): string {
  if ((flags & linux.NLM_F_ACK_TLVS) === 0) return ''
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const { 'msg.nlmsg_len': echoed } = nlmsgerr.readAt(view, 0, littleEndian)
  const at = nlmsgerr.size + ((flags & linux.NLM_F_CAPPED) === 0 ? aligned(echoed) - nlmsghdr.size : 0)
  return textUntilNul(readAttributes(message, at).get(linux.NLMSGERR_ATTR_MSG) ?? new Uint8Array(0))
}

/**
 * One request to rtnetlink and its answer; it opens and closes a socket of its own, in the network namespace of the
 * calling thread. Nothing is thrown for what the kernel answers.
 */
export function askNetlink(sys: Sys, request: NetlinkRequest): NetlinkAnswer {
  let message: Uint8Array = new Uint8Array(0)
  const end = converse(sys, encodeRequest(request, linux.NLM_F_ACK), (body) => (message = body))
  return { ...end, message }
}

/**
 * Asks rtnetlink for all that there is of a kind, and calls `each` with every message, without its header. Returns 0, or
 * the negated errno with which the kernel ended the list.
 */
export function dumpNetlink(sys: Sys, request: NetlinkRequest, each: (body: Uint8Array) => void): number {
  return converse(sys, encodeRequest(request, linux.NLM_F_DUMP), each).result
}

type End = Omit<NetlinkAnswer, 'message'>

function converse(sys: Sys, request: Uint8Array, each: (body: Uint8Array) => void): End {
  const socket = sys.socket(linux.AF_NETLINK, linux.SOCK_RAW, linux.NETLINK_ROUTE)
  if (socket < 0) return { result: socket, text: 'socket(AF_NETLINK)' }
  try {
    // Only for better words.
    sys.setsockopt(socket, linux.SOL_NETLINK, linux.NETLINK_EXT_ACK, Uint8Array.of(1, 0, 0, 0))
    const sent = sys.sendto(socket, request, 0)
    return sent < 0 ? { result: sent, text: 'sendto' } : readAnswer(sys, socket, each)
  } finally {
    sys.close(socket)
  }
}

/** Reads until the acknowledgement, an error, or the end of a list. */
function readAnswer(sys: Sys, socket: number, each: (body: Uint8Array) => void): End {
  const buffer = new Uint8Array(maxNetlinkBytes)
  const view = new DataView(buffer.buffer)
  for (;;) {
    const count = sys.recvfrom(socket, buffer, 0)
    if (count === failure('EINTR')) continue
    if (count <= 0) return { result: count === 0 ? failure('EPIPE') : count, text: 'recvfrom' }
    for (let at = 0; at + nlmsghdr.size <= count;) {
      const header = nlmsghdr.readAt(view, at, littleEndian)
      const { nlmsg_len: length, nlmsg_type: type, nlmsg_flags: flags } = header
      if (length < nlmsghdr.size || at + length > count) return { result: failure('EBADMSG'), text: '' }
      const body = buffer.slice(at + nlmsghdr.size, at + length)
      const isError = type === linux.NLMSG_ERROR && body.length >= nlmsgerr.size
      if (isError || type === linux.NLMSG_DONE) {
        const result = body.length < 4 ? 0 : new DataView(body.buffer).getInt32(0, littleEndian)
        return { result, text: isError && result !== 0 ? errorText(body, flags) : '' }
      }
      each(body)
      at += aligned(length)
    }
  }
}

/** `EINVAL` of an answer, for errors. */
export const answerErrno = ({ result }: NetlinkAnswer): string => errnoName(result)
