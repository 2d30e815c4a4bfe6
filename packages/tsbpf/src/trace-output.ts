import { buildObject, helpers, map, program, r0, r1, r2, r3, r4, r6, r7 } from '@tsbpf/asm'
import type { Btf } from '@tsbpf/btf'
import { InsnView } from '@tsbpf/isa'
import { load } from '@tsbpf/loader'
import type { LoadedObject } from '@tsbpf/loader'
import type { ObjectSpec } from '@tsbpf/object'

/** A message that a program printed with bpf_trace_printk or bpf_trace_vprintk. */
export interface TraceMessage {
  /** The thread that ran when the program printed. */
  readonly tid: number
  readonly command: string
  readonly cpu: number
  readonly text: string
}

/** Bytes of a record: u32 tid, u32 processor, the command's name, and the text up to its NUL. */
const commandAt = 8
const textAt = commandAt + 16
/** The kernel cuts messages there (BPF_TRACE_PRINTK_SIZE in kernel/trace/bpf_trace.c). */
const maxText = 1024
const ringBytes = 1 << 18

/**
 * Reads what programs print from the tracepoint that carries it, by a program of its own: the kernel's trace_pipe gives
 * each line to one reader only, and others may be waiting for theirs. Linux 5.9 has the tracepoint.
 */
const spec: ObjectSpec = buildObject({
  license: 'GPL',
  programs: [
    program('trace_output', 'raw_tracepoint/bpf_trace_printk', (b) => {
      const messages = map('messages', { type: 'ringbuf', maxEntries: ringBytes })
      b.ldxdw(r6, r1.at(0))
      b.lddw(r1, messages)
        .mov(r2, textAt + maxText)
        .mov(r3, 0)
        .call(helpers.ringbuf_reserve)
      b.jeq(r0, 0, 'out').mov(r7, r0)
      b.call(helpers.get_current_pid_tgid).stxw(r7.at(0), r0)
      b.call(helpers.get_smp_processor_id).stxw(r7.at(4), r0)
      b.mov(r1, r7).add(r1, commandAt).mov(r2, 16).call(helpers.get_current_comm)
      b.mov(r1, r7).add(r1, textAt).mov(r2, maxText).mov(r3, r6).call(helpers.probe_read_kernel_str)
      b.mov(r1, r7).mov(r2, 0).call(helpers.ringbuf_submit)
      b.label('out').mov(r0, 0).exit()
    }),
  ],
})

void r4
export { spec, load }
export type { LoadedObject, Btf, InsnView }
