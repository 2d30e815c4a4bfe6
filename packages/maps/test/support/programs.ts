import { progLoad } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { progTypes } from '@tsbpf/uapi'
import { helpers } from '@tsbpf/uapi/helpers'

/** Instructions as bytes; written out here because the assembler is on a higher floor. */
export const insn = (opcode: number, dst: number, src = 0, off = 0, imm = 0): number[] => {
  const view = new DataView(new ArrayBuffer(8))
  view.setUint8(0, opcode)
  view.setUint8(1, (src << 4) | dst)
  view.setInt16(2, off, true)
  view.setInt32(4, imm, true)
  return [...new Uint8Array(view.buffer)]
}
export const mov = (dst: number, imm: number): number[] => insn(0xb7, dst, 0, 0, imm)
export const movReg = (dst: number, src: number): number[] => insn(0xbf, dst, src)
export const add = (dst: number, imm: number): number[] => insn(0x07, dst, 0, 0, imm)
export const addReg = (dst: number, src: number): number[] => insn(0x0f, dst, src)
/** 64-bit load of `*(src + off)`, and stores. */
export const load = (dst: number, src: number, off: number): number[] => insn(0x79, dst, src, off)
export const store = (dst: number, off: number, src: number): number[] => insn(0x7b, dst, src, off)
export const storeWord = (dst: number, off: number, imm: number): number[] => insn(0x62, dst, 0, off, imm)
export const jumpIfZero = (dst: number, off: number): number[] => insn(0x15, dst, 0, off)
export const mapFd = (dst: number, fd: number): number[] => [...insn(0x18, dst, 1, 0, fd), ...insn(0, 0)]
export const call = (name: Parameters<typeof helpers.value>[0]): number[] =>
  insn(0x85, 0, 0, 0, helpers.value(name))
export const exit: number[] = insn(0x95, 0)
export const returnZero: number[] = [...mov(0, 0), ...exit]

type ProgType = Parameters<typeof progTypes.value>[0]

/** Loads a program; the caller closes it. The verifier's log is in the error. */
export function loadProgram(
  sys: Sys,
  type: ProgType,
  code: readonly number[],
  more: {
    readonly expected_attach_type?: number
    readonly attach_btf_id?: number
    readonly prog_name?: string
    readonly prog_btf_fd?: number
    readonly func_info?: Uint8Array
    readonly func_info_rec_size?: number
  } = {},
): number {
  const log = new Uint8Array(65_536)
  const fields = { prog_type: progTypes.value(type), insns: Uint8Array.from(code), license: 'GPL', ...more }
  const { fd } = progLoad(sys, { ...fields, log_buf: log, log_level: 1 })
  if (fd < 0) throw new Error(`program: ${fd}\n${new TextDecoder().decode(log).replace(/\0.*/s, '')}`)
  return fd
}

/** Where {@link numberedOutput} puts what. */
export const numbered = {
  /** Bytes of a record: a multiple of 8 from 24 to 80, by its number. */
  size: (seq: number): number => 24 + (seq & 7) * 8,
  check: (seq: number, cpu: number): number => seq ^ cpu,
}

/**
 * An XDP program that outputs one record a run to a ring buffer or a perf event array: number (of its processor),
 * processor, checksum, and the number again up to its size. `state` is a per-CPU array of `{ u64 seq, dropped }`.
 */
export function numberedOutput(ring: number, state: number, flags = 0, perf = false): number[] {
  const buffer = -88
  const output = perf
    ? [
        ...movReg(5, 3),
        ...movReg(4, 2),
        ...mapFd(2, ring),
        ...insn(0x18, 3, 0, 0, -1),
        ...insn(0, 0),
        ...movReg(1, 9),
        ...call('perf_event_output'),
      ]
    : [...mapFd(1, ring), ...mov(4, flags), ...call('ringbuf_output')]
  const rest = [
    ...movReg(6, 0),
    ...load(7, 6, 0),
    ...call('get_smp_processor_id'),
    ...movReg(8, 0),
    ...store(10, buffer, 7),
    ...store(10, buffer + 8, 8),
    ...movReg(3, 7),
    ...insn(0xaf, 3, 8), // r3 ^= r8
    ...store(10, buffer + 16, 3),
    ...[3, 4, 5, 6, 7, 8, 9].flatMap((word) => store(10, buffer + 8 * word, 7)),
    ...movReg(3, 7),
    ...insn(0x57, 3, 0, 0, 7), // r3 &= 7
    ...insn(0x67, 3, 0, 0, 3), // r3 <<= 3
    ...add(3, 24),
    ...movReg(2, 10),
    ...add(2, buffer),
    ...output,
    ...jumpIfZero(0, 3),
    ...load(1, 6, 8),
    ...add(1, 1),
    ...store(6, 8, 1),
    ...add(7, 1),
    ...store(6, 0, 7),
  ]
  return [
    ...movReg(9, 1),
    ...storeWord(10, -4, 0),
    ...movReg(2, 10),
    ...add(2, -4),
    ...mapFd(1, state),
    ...call('map_lookup_elem'),
    ...jumpIfZero(0, rest.length / 8),
    ...rest,
    ...returnZero,
  ]
}

/** An XDP program that reserves and submits one record of `size` bytes, 0xa5 first and 0x5a last; returns 1, or 0 where there is no room. */
export function reserveAndSubmit(ring: number, size: number): number[] {
  const rest = [
    ...insn(0x72, 0, 0, 0, 0xa5),
    ...insn(0x72, 0, 0, size - 1, 0x5a),
    ...movReg(1, 0),
    ...mov(2, 0),
    ...call('ringbuf_submit'),
    ...mov(0, 1),
    ...exit,
  ]
  return [
    ...mapFd(1, ring),
    ...mov(2, size),
    ...mov(3, 0),
    ...call('ringbuf_reserve'),
    ...jumpIfZero(0, rest.length / 8),
    ...rest,
    ...returnZero,
  ]
}
