/* eslint-disable @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument -- the subject is code that has no types */
/**
 * What must not compile. Each `@ts-expect-error` stands above one mistake; src/builder/operand-types.test.ts takes them all
 * away and looks for an error at each.
 */
import {
  buildInsns,
  buildObject,
  global,
  helpers,
  map,
  newLabel,
  program,
  r0,
  r1,
  r10,
  r2,
  struct,
  subprogram,
  u32,
  w0,
  w1,
  w10,
} from '../../src/index.ts'
import type { InsnBuilder } from '../../src/index.ts'

const counts = map('counts', { type: 'array', key: u32, value: u32, maxEntries: 1 })
const seen = global('seen', u32)
const sub = subprogram('sub', (b) => b.exit())

export function fits(b: InsnBuilder): void {
  b.mov(r0, 1).mov(r0, 1n).mov(r0, r10).add(w0, w1).neg(w0).movsx8(r0, r1).movsx8(w0, w1).movsx32(r0, r1)
  b.ldxw(r0, r10.at(-4)).stxw(r10.at(-4), r10).stw(r10.at(-4), 1).atomic_add(r10.at(-8), r10)
  b.atomic_fetch_add(r10.at(-8), w0).atomic_cmpxchg(r10.at(-8), r1).load_acq_w(r0, r1.at(0))
  b.jeq(r0, r1, 'a').jeq(w0, 1, newLabel()).ja('a').may_goto('a').gotox(r0).callx(r0).label('a')
  b.lddw(r1, counts).lddw(r1, seen).lddw(r1, seen.at(4)).lddw(r1, sub).lddw(r1, 1n).lddw_map_fd(r1, 3)
  b.call(1).call(sub).call(helpers.ktime_get_ns).call_kfunc(1).ld_abs_w(0).ld_ind_w(r1, 0).be16(r0).exit()
}

export function doesNotFit(b: InsnBuilder): void {
  // @ts-expect-error -- r10 is read-only
  b.mov(r10, 1)
  // @ts-expect-error -- so is its lower half
  b.mov(w10, 1)
  // @ts-expect-error -- a load writes it too
  b.ldxdw(r10, r1.at(0))
  // @ts-expect-error -- and a fetching atomic operation its source
  b.atomic_fetch_add(r1.at(0), r10)
  // @ts-expect-error -- a wide load, too
  b.lddw(r10, 1)
  // @ts-expect-error -- 64 bits and 32 do not mix
  b.add(r0, w1)
  // @ts-expect-error -- nor the other way round
  b.add(w0, r1)
  // @ts-expect-error -- not in comparisons either
  b.jeq(r0, w0, 'a')
  // @ts-expect-error -- a number cannot be a destination
  b.mov(1, r0)
  // @ts-expect-error -- memory is no source of arithmetic
  b.add(r0, r1.at(0))
  // @ts-expect-error -- a load takes memory, not a register
  b.ldxw(r0, r1)
  // @ts-expect-error -- nor a number
  b.ldxw(r0, 8)
  // @ts-expect-error -- memory is addressed by 64 bits
  b.ldxw(r0, w1.at(0))
  // @ts-expect-error -- a load fills a whole register
  b.ldxw(w0, r1.at(0))
  // @ts-expect-error -- stx stores a register
  b.stxw(r10.at(-4), 1)
  // @ts-expect-error -- st stores a number
  b.stw(r10.at(-4), r1)
  // @ts-expect-error -- operands in order: memory comes first in a store
  b.stxw(r1, r10.at(-4))
  // @ts-expect-error -- a jump needs a label
  b.jeq(r0, 1)
  // @ts-expect-error -- and labels are no numbers
  b.ja(4)
  // @ts-expect-error -- a label is no register
  b.jeq(r0, 1, r2)
  // @ts-expect-error -- maps are loaded with lddw
  b.mov(r1, counts)
  // @ts-expect-error -- and not called
  b.call(counts)
  // @ts-expect-error -- a program cannot be called
  b.call(program('p', 'xdp', () => b))
  // @ts-expect-error -- no helper of that name
  b.call(helpers.map_lokup_elem)
  // @ts-expect-error -- exit takes nothing
  b.exit(r0)
  // @ts-expect-error -- neg has one operand
  b.neg(r0, r1)
  // @ts-expect-error -- there is no 32-bit extension of 32 bits
  b.movsx32(w0, w1)
  // @ts-expect-error -- byte swaps take a whole register
  b.be16(w0)
  // @ts-expect-error -- no such instruction
  b.nop()
  // @ts-expect-error -- rows are reached by mnemonics
  b.add64_imm(r0, 1)
  // @ts-expect-error -- subprograms are called as values
  b.call('sub')
}

export function definitionsDoNotFit(): void {
  // @ts-expect-error -- no such map type
  map('m', { type: 'hashmap', maxEntries: 1 })
  // @ts-expect-error -- no such flag
  map('m', { type: 'hash', flags: ['noprealloc'] })
  // @ts-expect-error -- a section of data
  global('g', u32, { section: '.text' })
  // @ts-expect-error -- a type, not its name
  struct('s', { a: 'u32' })
  // @ts-expect-error -- no such level
  buildInsns((b) => b.exit(), { cpu: 'v5' })
  // @ts-expect-error -- an object has a license
  buildObject({ programs: [] })
}
