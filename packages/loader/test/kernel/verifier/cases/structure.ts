import { helpers, map, r0, r1, r10, r2, r3, r6, subprogram } from '@tsbpf/asm'
import type { Subprogram } from '@tsbpf/asm'
import { done, found, locked, values } from './case.ts'
import type { VerifierCase } from './case.ts'

/** Offset in `struct __sk_buff`. */
const len = 0

const tails = map('tails', { type: 'prog_array', key: 4, maxEntries: 1 })
const bloom = map('bloom', { type: 'bloom_filter', value: 8, maxEntries: 16 })

/** A subprogram that uses so many bytes of stack. */
const using = (bytes: number): Subprogram =>
  subprogram(`uses_${bytes}`, (b) => done(b.stdw(r10.at(-bytes), 0)))
const large = using(320)
const small = using(64)

/** So many subprograms that call each other. */
function chain(depth: number): Subprogram {
  const next = depth === 1 ? undefined : chain(depth - 1)
  return subprogram(`depth_${depth}`, (b) => done(next === undefined ? b : b.call(next)))
}
const tooDeep = chain(8)
const deepEnough = chain(7)

const tailCall = subprogram('jumps_on', (b) => done(b.lddw(r2, tails).mov(r3, 0).call(helpers.tail_call)))
const ownStack = subprogram('own_stack', (b) => b.mov(r0, r10).exit())
const number = subprogram('number', (b) => b.mov(r0, 7).exit())

/** Byte and field offsets inside an instruction (RFC 9669 section 3). */
const slot = 8
const offField = 2
const immField = 4

/** Programs for the rows about the program as a whole. */
export const structureCases: readonly VerifierCase[] = [
  {
    row: 'unreachable',
    bad: (b) => b.mov(r0, 0).exit().mov(r0, 1).exit(),
    fixed: (b) => b.mov(r0, 0).exit(),
  },
  {
    row: 'endless-loop',
    bad: (b) => b.mov(r0, 0).label('loop').jne(r0, 1, 'loop').exit(),
    fixed: (b) => b.mov(r0, 0).label('loop').add(r0, 1).jlt(r0, 10, 'loop').exit(),
  },
  {
    row: 'jump-range',
    bad: (b) => done(b.ja('end').label('end')),
    edit: (insns) => insns.setInt16(offField, 9, true),
    fixed: (b) => done(b.ja('end').label('end')),
  },
  {
    row: 'no-exit',
    bad: (b) => b.mov(r0, 0).mov(r0, 0).exit(),
    edit: (insns) => insns.setUint8(2 * slot, insns.getUint8(0)),
    fixed: (b) => b.mov(r0, 0).mov(r0, 0).exit(),
  },
  {
    row: 'too-complex',
    bad: (b) => done(b.mov(r1, 0).label('loop').add(r1, 1).jlt(r1, 2_000_000, 'loop')),
    fixed: (b) => done(b.mov(r1, 0).label('loop').add(r1, 1).jlt(r1, 2_000, 'loop')),
    slow: true,
  },
  {
    row: 'too-many-jumps',
    bad: (b) => {
      b.mov(r6, r1).mov(r3, 0).label('loop').ldxw(r2, r6.at(len)).jeq(r2, 0, 'end')
      done(b.add(r3, 1).jlt(r3, 10_000, 'loop').label('end'))
    },
    fixed: (b) => {
      b.mov(r6, r1).mov(r3, 0).label('loop').ldxw(r2, r6.at(len)).jeq(r2, 0, 'end')
      done(b.add(r3, 1).jlt(r3, 100, 'loop').label('end'))
    },
  },
  {
    row: 'stack-too-large',
    bad: (b) => done(b.stdw(r10.at(-256), 0).call(large)),
    fixed: (b) => done(b.stdw(r10.at(-256), 0).call(small)),
  },
  {
    row: 'calls-too-deep',
    bad: (b) => done(b.call(tooDeep)),
    fixed: (b) => done(b.call(deepEnough)),
  },
  {
    row: 'tail-call-stack',
    bad: (b) => done(b.stdw(r10.at(-264), 0).call(tailCall)),
    fixed: (b) => done(b.stdw(r10.at(-64), 0).call(tailCall)),
  },
  {
    row: 'return-value',
    section: 'cgroup_skb/ingress',
    bad: (b) => b.mov(r0, 5).exit(),
    fixed: (b) => b.mov(r0, 1).exit(),
  },
  {
    row: 'return-pointer',
    bad: (b) => done(b.call(ownStack)),
    fixed: (b) => done(b.call(number)),
  },
  {
    row: 'unknown-instruction',
    bad: (b) => done(b.mov(r0, 0)),
    edit: (insns) => insns.setUint8(0, 0xe7),
    fixed: (b) => done(b.mov(r0, 0)),
  },
  {
    row: 'division-by-zero',
    bad: (b) => b.mov(r0, 4).div(r0, 2).exit(),
    edit: (insns) => insns.setInt32(slot + immField, 0, true),
    fixed: (b) => b.mov(r0, 4).div(r0, 2).exit(),
  },
  {
    row: 'shift-range',
    bad: (b) => b.mov(r0, 4).lsh(r0, 2).exit(),
    edit: (insns) => insns.setInt32(slot + immField, 64, true),
    fixed: (b) => b.mov(r0, 4).lsh(r0, 2).exit(),
  },
  {
    row: 'pointer-kinds-mixed',
    bad: (b) => {
      b.stdw(r10.at(-8), 0).mov(r2, r1).ldxw(r3, r1.at(len)).jeq(r3, 0, 'meet')
      done(b.mov(r2, r10).add(r2, -8).label('meet').ldxw(r0, r2.at(0)))
    },
    fixed: (b) => {
      b.stdw(r10.at(-8), 0).mov(r2, r1).ldxw(r3, r1.at(len)).jeq(r3, 0, 'other')
      b.mov(r2, r10).add(r2, -8).ldxw(r0, r2.at(0)).ja('meet')
      done(b.label('other').ldxw(r0, r2.at(len)).label('meet'))
    },
  },
  {
    row: 'map-not-for-program',
    section: 'syscall',
    bad: (b) => done(b.lddw(r1, bloom)),
    fixed: (b) => done(b.lddw(r1, values)),
  },
  {
    row: 'special-member',
    bad: (b) => done(found(b).mov(r1, r0).call(helpers.spin_lock)),
    fixed: (b) => {
      found(b, locked).mov(r6, r0).mov(r1, r0).call(helpers.spin_lock)
      done(b.mov(r1, r6).call(helpers.spin_unlock))
    },
  },
  {
    row: 'capability',
    section: 'socket',
    bad: (b) => done(found(b).stxdw(r0.at(0), r10)),
    fixed: (b) => done(found(b).stdw(r0.at(0), 1)),
    withoutPerfmon: true,
  },
]
