import { global, makeInsn, r0, r1, r10, r2, r3, r4, r6, u32, w1 } from '@tsbpf/asm'
import { helpers } from '@tsbpf/asm'
import { done, found, lookup } from './case.ts'
import type { VerifierCase } from './case.ts'

/** Offsets of `struct __sk_buff` and of the arguments of `tp_btf/sched_switch`. */
const skb = { len: 0, data: 76, dataEnd: 80 }
const previousTask = 8

const constant = global('limit', u32, { section: '.rodata', value: 5 })
const variable = global('count', u32, { section: '.data', value: 5 })

/** Programs for the rows about registers, pointers and memory. */
export const accessCases: readonly VerifierCase[] = [
  {
    row: 'null-check',
    bad: (b) => done(lookup(b).ldxdw(r1, r0.at(0))),
    fixed: (b) => done(found(b).ldxdw(r1, r0.at(0))),
  },
  {
    row: 'not-a-pointer',
    bad: (b) => done(b.mov(r1, 4096).ldxdw(r0, r1.at(0))),
    fixed: (b) => done(b.stdw(r10.at(-8), 1).mov(r1, r10).ldxdw(r0, r1.at(-8))),
  },
  {
    row: 'uninitialized-register',
    bad: (b) => b.mov(r0, r2).exit(),
    fixed: (b) => b.mov(r2, 0).mov(r0, r2).exit(),
  },
  {
    row: 'frame-pointer',
    bad: (b) => done(b.insn(makeInsn('add64_imm', { dst: 10, imm: -8 }))),
    fixed: (b) => done(b.mov(r1, r10).add(r1, -8)),
  },
  {
    row: 'unbounded-index',
    bad: (b) => done(found(b).ldxw(r1, r0.at(0)).add(r0, r1).ldxb(r1, r0.at(0))),
    fixed: (b) =>
      done(found(b).ldxw(r1, r0.at(0)).jgt(r1, 7, 'end').add(r0, r1).ldxb(r1, r0.at(0)).label('end')),
  },
  {
    row: 'negative-index',
    bad: (b) => {
      found(b).ldxdw(r1, r0.at(0)).jsgt(r1, 7, 'end').jslt(r1, -4, 'end')
      done(b.add(r0, r1).ldxb(r1, r0.at(0)).label('end'))
    },
    fixed: (b) => {
      found(b).ldxdw(r1, r0.at(0)).jsgt(r1, 7, 'end').jslt(r1, 0, 'end')
      done(b.add(r0, r1).ldxb(r1, r0.at(0)).label('end'))
    },
  },
  {
    row: 'index-too-large',
    bad: (b) => done(found(b).ldxb(r1, r0.at(0)).add(r0, r1).ldxb(r1, r0.at(0))),
    fixed: (b) => done(found(b).ldxb(r1, r0.at(0)).and(r1, 7).add(r0, r1).ldxb(r1, r0.at(0))),
  },
  {
    row: 'map-value-bounds',
    bad: (b) => done(found(b).ldxdw(r1, r0.at(8))),
    fixed: (b) => done(found(b).ldxdw(r1, r0.at(0))),
  },
  {
    row: 'packet-bounds',
    bad: (b) => done(b.ldxw(r2, r1.at(skb.data)).ldxh(r0, r2.at(12))),
    fixed: (b) => {
      b.ldxw(r2, r1.at(skb.data)).ldxw(r3, r1.at(skb.dataEnd)).mov(r4, r2).add(r4, 14)
      done(b.jgt(r4, r3, 'end').ldxh(r0, r2.at(12)).label('end'))
    },
  },
  {
    row: 'misaligned',
    bad: (b) => done(b.stdw(r10.at(-15), 0)),
    fixed: (b) => done(b.stdw(r10.at(-16), 0)),
  },
  {
    row: 'uninitialized-stack',
    section: 'socket',
    bad: (b) => done(b.ldxdw(r1, r10.at(-8))),
    fixed: (b) => done(b.stdw(r10.at(-8), 0).ldxdw(r1, r10.at(-8))),
    withoutPerfmon: true,
  },
  {
    row: 'stack-bounds',
    bad: (b) => done(b.stdw(r10.at(-520), 0)),
    fixed: (b) => done(b.stdw(r10.at(-512), 0)),
  },
  {
    row: 'variable-stack-offset',
    bad: (b) => done(b.ldxw(r2, r1.at(skb.len)).mov(r3, r10).add(r3, r2).stb(r3.at(-8), 0)),
    fixed: (b) => done(b.ldxw(r2, r1.at(skb.len)).and(r2, 7).mov(r3, r10).add(r3, r2).stb(r3.at(-8), 0)),
  },
  {
    row: 'context-access',
    bad: (b) => done(b.ldxw(r0, r1.at(2))),
    fixed: (b) => done(b.ldxw(r0, r1.at(skb.len))),
  },
  {
    row: 'modified-pointer',
    bad: (b) => done(b.add(r1, 8).ldxw(r0, r1.at(0))),
    fixed: (b) => done(b.ldxw(r0, r1.at(8))),
  },
  {
    row: 'pointer-before-null-check',
    bad: (b) => done(lookup(b).add(r0, 4)),
    fixed: (b) => done(found(b).add(r0, 4)),
  },
  {
    row: 'pointer-arithmetic',
    bad: (b) => done(b.mul(r1, 2)),
    fixed: (b) => done(b.ldxw(r2, r1.at(skb.len)).mul(r2, 2)),
  },
  {
    row: 'pointer-32-bit',
    bad: (b) => done(b.add(w1, 1)),
    fixed: (b) => done(b.mov(r2, r10).add(r2, -8)),
  },
  {
    row: 'pointer-plus-pointer',
    bad: (b) => done(b.mov(r2, r10).add(r2, r1)),
    fixed: (b) => done(b.mov(r2, r10).add(r2, -8)),
  },
  {
    row: 'unbounded-pointer-math',
    bad: (b) => done(found(b).ldxdw(r1, r0.at(0)).add(r0, r1)),
    fixed: (b) => done(found(b).ldxdw(r1, r0.at(0)).and(r1, 7).add(r0, r1)),
  },
  {
    row: 'read-only-map',
    bad: (b) => done(b.lddw(r1, constant).stw(r1.at(0), 1)),
    fixed: (b) => done(b.lddw(r1, variable).stw(r1.at(0), 1)),
  },
  {
    row: 'read-only-memory',
    section: 'tp_btf/sched_switch',
    bad: (b) => done(b.ldxdw(r1, r1.at(previousTask)).stdw(r1.at(0), 0)),
    fixed: (b) => done(b.ldxdw(r1, r1.at(previousTask)).ldxdw(r2, r1.at(0))),
  },
  {
    row: 'packet-read-only',
    section: 'cgroup_skb/ingress',
    bad: (b) => {
      b.mov(r0, 1).ldxw(r2, r1.at(skb.data)).ldxw(r3, r1.at(skb.dataEnd)).mov(r4, r2).add(r4, 1)
      b.jgt(r4, r3, 'end').stb(r2.at(0), 0).label('end').exit()
    },
    fixed: (b) => {
      b.mov(r0, 1).ldxw(r2, r1.at(skb.data)).ldxw(r3, r1.at(skb.dataEnd)).mov(r4, r2).add(r4, 1)
      b.jgt(r4, r3, 'end').ldxb(r6, r2.at(0)).label('end').exit()
    },
  },
  {
    row: 'beyond-struct',
    section: 'tp_btf/sched_switch',
    bad: (b) => done(b.ldxdw(r1, r1.at(previousTask)).ldxdw(r2, r1.at(32_000))),
    fixed: (b) => done(b.call(helpers.get_current_task_btf).ldxdw(r2, r0.at(0))),
  },
]
