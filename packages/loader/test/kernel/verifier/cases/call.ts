import {
  helpers,
  kfunc,
  ptr,
  r0,
  r1,
  r10,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  s32,
  subprogram,
  u32,
  u64,
} from '@tsbpf/asm'
import type { InsnBuilder } from '@tsbpf/asm'
import { openKernelBtf } from '../../../../src/index.ts'
import { nativeSys } from '@tsbpf/sys/native'
import { done, found, locked, lookup, ring, values } from './case.ts'
import type { VerifierCase } from './case.ts'

/** Offsets of `struct __sk_buff` and of the arguments of `tp_btf/sched_switch`. */
const skb = { len: 0, sk: 168 }
const previousTask = 8

const ssthresh = kfunc('tcp_reno_ssthresh', { params: { sk: ptr() }, returns: u32 })
const acquireTask = kfunc('bpf_task_acquire', { params: { p: ptr() }, returns: ptr() })
const releaseTask = kfunc('bpf_task_release', { params: { p: ptr() }, returns: 'void' })
const readLock = kfunc('bpf_rcu_read_lock', { returns: 'void' })
const readUnlock = kfunc('bpf_rcu_read_unlock', { returns: 'void' })
const iterNew = kfunc('bpf_iter_num_new', { params: { it: ptr(), start: s32, end: s32 } })
const iterNext = kfunc('bpf_iter_num_next', { params: { it: ptr() }, returns: ptr(s32) })
const iterDestroy = kfunc('bpf_iter_num_destroy', { params: { it: ptr() }, returns: 'void' })

const readNumber = subprogram(
  'read_number',
  (b) => b.mov(r0, 0).jeq(r1, 0, 'end').ldxdw(r0, r1.at(0)).label('end').exit(),
  { linkage: 'global', params: { from: ptr(u64) }, returns: u64 },
)

/** Byte offset of a member in a struct of the running kernel. */
function memberOffset(struct: string, member: string): number {
  using kernel = openKernelBtf(nativeSys())
  const found = kernel.btf.find(struct, 'struct')?.members.find(({ name }) => name === member)
  if (found === undefined) throw new Error(`the kernel has no ${struct}.${member}`)
  return found.offsetBits / 8
}

/** Copies `r4` bytes of the packet, whose context is in r6, to the stack. */
function loadBytes(b: InsnBuilder): InsnBuilder {
  return b.mov(r1, r6).mov(r2, 0).mov(r3, r10).add(r3, -8).call(helpers.skb_load_bytes)
}

/** Reserves a record: r6 points to it, or the program has ended. */
function reserved(b: InsnBuilder): InsnBuilder {
  b.lddw(r1, ring).mov(r2, 16).mov(r3, 0).call(helpers.ringbuf_reserve)
  return b.jne(r0, 0, 'got').mov(r0, 0).exit().label('got').mov(r6, r0)
}

/** Gives the record at r1 back. */
function submit(b: InsnBuilder): InsnBuilder {
  return b.mov(r2, 0).call(helpers.ringbuf_submit)
}

/** Finds the guarded value and keeps it in r6. */
function guarded(b: InsnBuilder): InsnBuilder {
  return found(b, locked).mov(r6, r0)
}

/** Reads 8 bytes of the dynptr at fp-24. */
function readDynptr(b: InsnBuilder): InsnBuilder {
  b.mov(r1, r10).add(r1, -8).mov(r2, 8).mov(r3, r10).add(r3, -24)
  return b.mov(r4, 0).mov(r5, 0).call(helpers.dynptr_read)
}

/** Programs for the rows about calls and what they give out. */
export const callCases: readonly VerifierCase[] = [
  {
    row: 'no-such-helper',
    section: 'xdp',
    bad: (b) => done(b.call(helpers.skb_load_bytes)),
    fixed: (b) => done(b.call(helpers.ktime_get_ns)),
  },
  {
    row: 'gpl-only',
    license: 'Proprietary',
    bad: (b) => done(b.call(helpers.trace_printk)),
    fixed: (b) => done(b.call(helpers.ktime_get_ns)),
  },
  {
    row: 'kfunc-not-allowed',
    bad: (b) => done(b.mov(r1, 0).call(ssthresh)),
    fixed: (b) => done(b.call(helpers.ktime_get_ns)),
  },
  {
    row: 'kfunc-support',
    bad: (b) => done(b.call_kfunc(1)),
    fixed: (b) => done(b.call(helpers.ktime_get_ns)),
  },
  {
    row: 'subprogram-arguments',
    bad: (b) => done(b.mov(r1, 5).call(readNumber)),
    fixed: (b) => done(b.stdw(r10.at(-8), 0).mov(r1, r10).add(r1, -8).call(readNumber)),
  },
  {
    row: 'argument-null',
    bad: (b) => done(lookup(b).mov(r2, r0).lddw(r1, values).call(helpers.map_lookup_elem)),
    fixed: (b) => done(found(b).mov(r2, r0).lddw(r1, values).call(helpers.map_lookup_elem)),
  },
  {
    row: 'argument-type',
    bad: (b) => done(b.mov(r1, 0).mov(r2, r10).call(helpers.map_lookup_elem)),
    fixed: (b) => done(lookup(b)),
  },
  {
    row: 'argument-trusted',
    section: 'tp_btf/sched_switch',
    bad: (b) => {
      b.ldxdw(r1, r1.at(previousTask)).ldxdw(r1, r1.at(memberOffset('task_struct', 'last_wakee')))
      b.call(acquireTask).jeq(r0, 0, 'end').mov(r1, r0).call(releaseTask).label('end')
      done(b)
    },
    fixed: (b) => {
      b.ldxdw(r1, r1.at(previousTask)).call(acquireTask)
      done(b.jeq(r0, 0, 'end').mov(r1, r0).call(releaseTask).label('end'))
    },
    on: { '6.1': 'no kfunc' },
  },
  {
    row: 'argument-size-unbounded',
    bad: (b) => done(loadBytes(b.mov(r6, r1).ldxw(r4, r1.at(skb.len)).or(r4, 1))),
    fixed: (b) => {
      b.mov(r6, r1).ldxw(r4, r1.at(skb.len)).jlt(r4, 1, 'end').jgt(r4, 8, 'end')
      done(loadBytes(b).label('end'))
    },
  },
  {
    row: 'argument-size-negative',
    bad: (b) => {
      found(b.mov(r6, r1)).ldxdw(r4, r0.at(0)).jsgt(r4, 8, 'end')
      done(loadBytes(b).label('end'))
    },
    fixed: (b) => {
      found(b.mov(r6, r1)).ldxdw(r4, r0.at(0)).jsgt(r4, 8, 'end').jsle(r4, 0, 'end')
      done(loadBytes(b).label('end'))
    },
  },
  {
    row: 'argument-size-zero',
    bad: (b) => done(loadBytes(b.mov(r6, r1).ldxw(r4, r1.at(skb.len)).and(r4, 7))),
    fixed: (b) => done(loadBytes(b.mov(r6, r1).ldxw(r4, r1.at(skb.len)).and(r4, 7).add(r4, 1))),
  },
  {
    row: 'argument-constant',
    bad: (b) => {
      b.ldxw(r2, r1.at(skb.len)).lddw(r1, ring).mov(r3, 0).call(helpers.ringbuf_reserve)
      done(b)
    },
    fixed: (b) => done(submit(reserved(b).mov(r1, r6))),
  },
  {
    row: 'map-type-for-helper',
    bad: (b) => {
      b.stdw(r10.at(-8), 0).lddw(r1, values).mov(r2, r10).add(r2, -8).mov(r3, 8).mov(r4, 0)
      done(b.call(helpers.ringbuf_output))
    },
    fixed: (b) => {
      b.stdw(r10.at(-8), 0).lddw(r1, ring).mov(r2, r10).add(r2, -8).mov(r3, 8).mov(r4, 0)
      done(b.call(helpers.ringbuf_output))
    },
  },
  {
    row: 'unreleased-reference',
    bad: (b) => done(reserved(b)),
    fixed: (b) => done(submit(reserved(b).mov(r1, r6))),
  },
  {
    row: 'release-unowned',
    bad: (b) => {
      b.ldxdw(r1, r1.at(skb.sk)).jeq(r1, 0, 'end').call(helpers.sk_fullsock).jeq(r0, 0, 'end')
      done(b.mov(r1, r0).call(helpers.sk_release).label('end'))
    },
    fixed: (b) => done(b.ldxdw(r1, r1.at(skb.sk)).jeq(r1, 0, 'end').call(helpers.sk_fullsock).label('end')),
  },
  {
    row: 'release-offset',
    bad: (b) => done(submit(reserved(b).mov(r1, r6).add(r1, 8))),
    fixed: (b) => done(submit(reserved(b).mov(r7, r6).add(r7, 8).mov(r1, r6))),
    on: { '6.1': 'modified-pointer' },
  },
  {
    row: 'call-under-lock',
    bad: (b) => {
      guarded(b).mov(r1, r6).call(helpers.spin_lock).call(helpers.ktime_get_ns)
      done(b.mov(r1, r6).call(helpers.spin_unlock))
    },
    fixed: (b) => {
      guarded(b).call(helpers.ktime_get_ns).mov(r1, r6).call(helpers.spin_lock)
      done(b.mov(r1, r6).call(helpers.spin_unlock))
    },
  },
  {
    row: 'lock-not-released',
    bad: (b) => done(guarded(b).mov(r1, r6).call(helpers.spin_lock)),
    fixed: (b) => done(guarded(b).mov(r1, r6).call(helpers.spin_lock).mov(r1, r6).call(helpers.spin_unlock)),
  },
  {
    row: 'unlock-without-lock',
    bad: (b) => done(guarded(b).mov(r1, r6).call(helpers.spin_unlock)),
    fixed: (b) => done(guarded(b).mov(r1, r6).call(helpers.spin_lock).mov(r1, r6).call(helpers.spin_unlock)),
  },
  {
    row: 'region-not-left',
    section: 'tp_btf/sched_switch',
    bad: (b) => done(b.call(readLock)),
    fixed: (b) => done(b.call(readLock).call(readUnlock)),
    on: { '6.1': 'no kfunc' },
  },
  {
    row: 'sleep-not-allowed',
    section: 'tp_btf/sched_switch',
    bad: (b) => done(b.mov(r1, r10).add(r1, -8).mov(r2, 8).mov(r3, 0).call(helpers.copy_from_user)),
    fixed: (b) => done(b.mov(r1, r10).add(r1, -8).mov(r2, 8).mov(r3, 0).call(helpers.probe_read_user)),
  },
  {
    row: 'dynptr-uninitialized',
    bad: (b) => done(readDynptr(b)),
    fixed: (b) => {
      found(b).mov(r1, r0).mov(r2, 8).mov(r3, 0).mov(r4, r10).add(r4, -24).call(helpers.dynptr_from_mem)
      done(readDynptr(b))
    },
  },
  {
    row: 'iterator-uninitialized',
    bad: (b) => done(b.mov(r1, r10).add(r1, -8).call(iterNext)),
    fixed: (b) => {
      b.mov(r1, r10).add(r1, -8).mov(r2, 0).mov(r3, 4).call(iterNew)
      b.mov(r1, r10).add(r1, -8).call(iterNext)
      done(b.mov(r1, r10).add(r1, -8).call(iterDestroy))
    },
    on: { '6.1': 'no kfunc' },
  },
]
