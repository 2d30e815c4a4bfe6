import type { Insn, InsnOperands, OpName } from '@tsbpf/isa'
import { makeInsn, slotsOf } from '@tsbpf/isa'
import { helpers } from '@tsbpf/uapi/helpers'

/** What a program needs of the kernel: made before it is. */
export interface Resources {
  /** An array of one element with two numbers of 32 bits: {@link element}. */
  readonly mapFd: number
  /** A map whose elements lie in the upper addresses of {@link arenaStart}. */
  readonly arenaFd: number
  /** BTF id of a kfunc of the kernel. */
  readonly kfunc: (name: string) => number
}

/** The element of the map. */
export const element: readonly [number, number] = [42, 7]

/** Where the arena's addresses begin; its pages have the lower 32 bits. */
export const arenaStart: bigint = 0x1_0000_0000_0000n >> 4n

/** Bytes of the packet, each of which tells its place. */
export const packet: Uint8Array = Uint8Array.from({ length: 64 }, (_, i) => 0x80 + i)

/** A program around one instruction, with what it returns. */
export interface SingleProgram {
  readonly op: OpName
  readonly insns: readonly Insn[]
  /** Instruction that the program is about. */
  readonly at: number
  readonly returns: number
  /** `sched_cls` reads packets, all others need none. */
  readonly type: 'syscall' | 'sched_cls'
  /** Instruction where the function begins that is called back. */
  readonly callback?: number
}

const insn = (op: OpName, operands: InsnOperands = {}): Insn => makeInsn(op, operands)
const exit = insn('exit')
const result = (imm: number): Insn => insn('mov64_imm', { dst: 0, imm })
const helper = (name: Parameters<typeof helpers.value>[0]): Insn => insn('call', { imm: helpers.value(name) })
const frame = (dst: number, off: number): readonly Insn[] => [
  insn('mov64_reg', { dst, src: 10 }),
  insn('add64_imm', { dst, imm: off }),
]

function program(
  op: OpName,
  insns: readonly Insn[],
  returns: number,
  more: Partial<Pick<SingleProgram, 'type' | 'callback'>> = {},
): SingleProgram {
  return { op, insns, at: insns.findIndex((one) => one.op === op), returns, type: 'syscall', ...more }
}

/** Looks up the element of the map in r1 and returns the first number of it. */
const lookUp: readonly Insn[] = [
  insn('stw', { dst: 10, off: -4 }),
  ...frame(2, -4),
  helper('map_lookup_elem'),
  insn('jeq_imm', { dst: 0, off: 1 }),
  insn('ldxw', { dst: 0, src: 0 }),
  exit,
]

/** Reads the second number of the element whose address is in r1. */
const second: readonly Insn[] = [insn('ldxw', { dst: 0, src: 1 }), exit]
const secondAt = 4n << 32n

/** A packet's bytes are in network order (RFC 9669 section 5.5). */
function packetProgram(op: OpName, bytes: number): SingleProgram {
  const indirect = op.startsWith('ld_ind')
  const at = 20
  let value = 0
  for (let i = 0; i < bytes; i++) value = value * 256 + (packet[at + i] ?? 0)
  const load = indirect ? insn(op, { src: 7, imm: at - 6 }) : insn(op, { imm: at })
  const insns = [insn('mov64_reg', { dst: 6, src: 1 }), insn('mov64_imm', { dst: 7, imm: 6 }), load, exit]
  return program(op, insns, value, { type: 'sched_cls' })
}

/** Programs of the rows that are no function of registers and memory alone. */
export function singlePrograms({ mapFd, arenaFd, kfunc }: Resources): readonly SingleProgram[] {
  const skipped = 2
  const called = [insn('mov64_imm', { dst: 1, imm: 41 }), insn('call_subprogram', { imm: 1 }), exit]
  const loop = [
    insn('mov64_imm', { dst: 1, imm: 5 }),
    insn('lddw_func', { dst: 2, imm: 5 }),
    insn('mov64_imm', { dst: 3 }),
    insn('mov64_imm', { dst: 4 }),
    helper('loop'),
    exit,
  ]
  const loopSlots = loop.reduce((slots, one) => slots + slotsOf(one), 0)
  return [
    program(
      'addr_space_cast',
      [
        insn('lddw_map_fd', { dst: 1, imm: arenaFd }),
        insn('mov64_imm', { dst: 2, imm: 0x1000 }),
        // To the addresses that user space sees, whose upper half is that of the arena.
        insn('addr_space_cast', { dst: 0, src: 2, imm: 1 << 16 }),
        insn('rsh64_imm', { dst: 0, imm: 32 }),
        exit,
      ],
      Number(arenaStart >> 32n),
    ),
    program(
      'lddw',
      [insn('lddw', { dst: 0, imm64: 0x1122_3344_5566_7788n }), insn('rsh64_imm', { dst: 0, imm: 32 }), exit],
      0x1122_3344,
    ),
    program('lddw_map_fd', [insn('lddw_map_fd', { dst: 1, imm: mapFd }), ...lookUp], element[0]),
    program(
      'lddw_map_value',
      [insn('lddw_map_value', { dst: 1, imm64: secondAt | BigInt(mapFd) }), ...second],
      element[1],
    ),
    program(
      'lddw_btf_id',
      [
        // The address of a symbol of the kernel; not all kernels list their variables.
        insn('lddw_btf_id', { dst: 1, imm: kfunc('bpf_iter_num_new') }),
        result(1),
        insn('jne_imm', { dst: 1, off: 1 }),
        result(0),
        exit,
      ],
      1,
    ),
    program('lddw_func', [...loop, result(0), exit], 5, { callback: loopSlots }),
    program('lddw_map_idx', [insn('lddw_map_idx', { dst: 1 }), ...lookUp], element[0]),
    program(
      'lddw_map_idx_value',
      [insn('lddw_map_idx_value', { dst: 1, imm64: secondAt }), ...second],
      element[1],
    ),
    packetProgram('ld_abs_b', 1),
    packetProgram('ld_abs_h', 2),
    packetProgram('ld_abs_w', 4),
    packetProgram('ld_ind_b', 1),
    packetProgram('ld_ind_h', 2),
    packetProgram('ld_ind_w', 4),
    program(
      'ja',
      [result(1), insn('jeq_imm', { dst: 0, imm: 3, off: 1 }), insn('ja', { off: 1 }), result(skipped), exit],
      1,
    ),
    program(
      'gotol',
      [
        result(1),
        insn('jeq_imm', { dst: 0, imm: 3, off: 1 }),
        insn('gotol', { imm: 1 }),
        result(skipped),
        exit,
      ],
      1,
    ),
    // It jumps when it was passed so often that the kernel has enough, which is not the first time.
    program('may_goto', [result(1), insn('may_goto', { off: 1 }), result(skipped), exit], skipped),
    program(
      'call',
      [
        insn('stdw', { dst: 10, off: -8, imm: 0x3234 }),
        insn('stdw', { dst: 10, off: -16 }),
        ...frame(1, -8),
        insn('mov64_imm', { dst: 2, imm: 8 }),
        insn('mov64_imm', { dst: 3, imm: 10 }),
        ...frame(4, -16),
        helper('strtol'),
        insn('ldxdw', { dst: 0, src: 10, off: -16 }),
        exit,
      ],
      24 + 18,
    ),
    program(
      'call_subprogram',
      [...called, insn('mov64_reg', { dst: 0, src: 1 }), insn('add64_imm', { dst: 0, imm: 1 }), exit],
      42,
    ),
    program(
      'call_kfunc',
      [
        insn('mov64_imm', { dst: 6 }),
        ...frame(1, -8),
        insn('mov64_imm', { dst: 2, imm: 5 }),
        insn('mov64_imm', { dst: 3, imm: 9 }),
        insn('call_kfunc', { imm: kfunc('bpf_iter_num_new') }),
        ...frame(1, -8),
        insn('call_kfunc', { imm: kfunc('bpf_iter_num_next') }),
        insn('jeq_imm', { dst: 0, off: 1 }),
        insn('ldxw', { dst: 6, src: 0 }),
        ...frame(1, -8),
        insn('call_kfunc', { imm: kfunc('bpf_iter_num_destroy') }),
        insn('mov64_reg', { dst: 0, src: 6 }),
        exit,
      ],
      5,
    ),
    program('exit', [result(7), exit], 7),
  ]
}

/** Rows that no kernel here runs, with what its verifier says of them. */
export const refused: readonly { readonly insn: Insn; readonly log: RegExp; readonly reason: string }[] = [
  {
    insn: insn('gotox', { dst: 1 }),
    log: /unknown opcode 0d|BPF_JA uses reserved fields/,
    reason: 'Linux 6.19 is the first to have it',
  },
  { insn: insn('callx', { dst: 1 }), log: /unknown opcode 8d/, reason: 'no kernel has it' },
]

const none: Resources = { mapFd: 0, arenaFd: 0, kfunc: () => 0 }

/** Rows that run in programs of their own, or not at all, in the order of the instruction set. */
export const runAlone: readonly OpName[] = [
  ...singlePrograms(none).map(({ op }) => op),
  ...refused.map(({ insn: { op } }) => op as OpName),
]
