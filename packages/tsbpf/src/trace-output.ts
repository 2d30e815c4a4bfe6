import { buildObject, helpers, map, program, r0, r1, r2, r3, r6, r7 } from '@tsbpf/asm'
import { InsnView, rowOf } from '@tsbpf/isa'
import { load } from '@tsbpf/loader'
import type { LoadedObject } from '@tsbpf/loader'
import type { RingRecord } from '@tsbpf/maps'
import type { ObjectSpec } from '@tsbpf/object'
import { helpers as helperIds } from '@tsbpf/uapi/helpers'

/** A message that a program printed with bpf_trace_printk or bpf_trace_vprintk. */
export interface TraceMessage {
  /** The thread that ran when the program printed, its command's name and its processor. */
  readonly tid: number
  readonly command: string
  readonly cpu: number
  readonly text: string
}

/** Trace output that is being read, until `reader` is disposed. */
export interface TraceOutput {
  readonly reader: LoadedObject
  /** Hands over what has come and was not told yet. */
  readonly drain: () => void
}

/** A record: u32 thread, u32 processor, the command's name, and the text up to its NUL. */
const commandAt = 8
const commandBytes = 16
const textAt = commandAt + commandBytes
/** The kernel cuts messages there (BPF_TRACE_PRINTK_SIZE in kernel/trace/bpf_trace.c). */
const textBytes = 1024

const reader = (): ObjectSpec =>
  buildObject({
    license: 'GPL',
    programs: [
      program('trace_output', 'raw_tracepoint/bpf_trace_printk', (b) => {
        const messages = map('messages', { type: 'ringbuf', maxEntries: 1 << 18 })
        b.ldxdw(r6, r1.at(0))
        b.lddw(r1, messages).mov(r2, textAt + textBytes)
        b.mov(r3, 0).call(helpers.ringbuf_reserve)
        b.jeq(r0, 0, 'out').mov(r7, r0)
        b.call(helpers.get_current_pid_tgid).stxw(r7.at(0), r0)
        b.call(helpers.get_smp_processor_id).stxw(r7.at(4), r0)
        b.mov(r1, r7).add(r1, commandAt)
        b.mov(r2, commandBytes).call(helpers.get_current_comm)
        b.mov(r1, r7).add(r1, textAt)
        b.mov(r2, textBytes).mov(r3, r6).call(helpers.probe_read_kernel_str)
        b.mov(r1, r7).mov(r2, 0).call(helpers.ringbuf_submit)
        b.label('out').mov(r0, 0).exit()
      }),
    ],
  })

const printing = new Set([helperIds.value('trace_printk'), helperIds.value('trace_vprintk')])

/** Whether any function of an object prints. */
export function printsTrace(spec: ObjectSpec): boolean {
  const { opcode } = rowOf('call')
  return [...spec.programs, ...spec.subprograms].some(({ insns }) => {
    const code = new InsnView(insns, { littleEndian: spec.byteOrder === 'little' })
    for (let i = 0; i < code.count; i++) {
      if (code.opcode(i) === opcode && code.src(i) === 0 && printing.has(code.imm(i))) return true
    }
    return false
  })
}

/**
 * Calls back with what programs print from now on, by any of them on this machine (Linux 5.9, and the same privileges as
 * loading). It comes from the tracepoint that carries the messages, by a program of its own: a line of the kernel's
 * trace_pipe goes to one reader only, and others may be waiting for theirs.
 */
export async function readTrace(callback: (message: TraceMessage) => void): Promise<TraceOutput> {
  const object = await load(reader())
  try {
    const ring = object.ringBuffer('messages', { decode: messageOf })
    object.attach()
    ring.listen(callback)
    return { reader: object, drain: () => void ring.consume(callback) }
  } catch (error) {
    object.dispose()
    throw error
  }
}

function messageOf(record: RingRecord): TraceMessage {
  return {
    tid: record.u32(0),
    command: textOf(record.bytes(commandAt, textAt)),
    cpu: record.u32(4),
    text: textOf(record.bytes(textAt)).replace(/\n$/, ''),
  }
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
