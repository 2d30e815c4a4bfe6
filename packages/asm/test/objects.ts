import {
  array,
  buildObject,
  char,
  global,
  helpers,
  kfunc,
  map,
  program,
  ptr,
  r0,
  r1,
  r10,
  r2,
  r3,
  r4,
  struct,
  subprogram,
  u32,
  u64,
  w0,
  w1,
} from '../src/index.ts'
import type { BuildObjectOptions, MapDefinition } from '../src/index.ts'
import type { ObjectSpec } from '@tsbpf/object'

/** An object with a bit of everything that the builder can say, and that a kernel of 6.12 loads. */
export function everything(options: BuildObjectOptions = {}): ObjectSpec {
  const event = struct('event', { pid: u32, when: u64, comm: array(char, 16) })
  const counts = map('counts', {
    type: 'hash',
    key: u32,
    value: event,
    maxEntries: 64,
    flags: ['no_prealloc'],
  })
  const ring = map('ring', { type: 'ringbuf', maxEntries: 4096 })
  const inner: MapDefinition = map('first_inner', { type: 'array', key: u32, value: u64, maxEntries: 4 })
  const outer = map('outer', {
    type: 'array_of_maps',
    key: u32,
    maxEntries: 2,
    inner,
    values: [undefined, inner],
  })
  const bloom = map('bloom', { type: 'bloom_filter', value: 8, maxEntries: 16, extra: 3 })
  const limit = global('limit', u32, { section: '.rodata', value: 5 })
  const step = global('step', u64, { value: 2n })
  const seen = global('seen', array(u64, 4))
  const own = global('own', u32, { section: '.data.own', value: 9 })

  const scaled = subprogram(
    'scaled',
    (b) => b.lddw(r2, step).ldxdw(r2, r2.at(0)).mov(r0, r1).mul(r0, r2).exit(),
    { params: { x: u64 }, returns: u64 },
  )
  const twice = subprogram('twice', (b) => b.mov(w0, w1).add(w0, w1).exit(), {
    linkage: 'global',
    params: { x: u32 },
    returns: u32,
  })
  const each = subprogram('each', (b) => b.mov(r0, 0).exit(), { params: { index: u32, ctx: ptr() } })
  const lock = kfunc('bpf_rcu_read_lock', { returns: 'void' })
  const unlock = kfunc('bpf_rcu_read_unlock', { returns: 'void' })

  const tail = program('tail', 'tc', (b) => b.mov(r0, 0).exit())
  const tails = map('tails', { type: 'prog_array', key: 4, maxEntries: 2, values: [undefined, tail] })
  const main = program('main_prog', 'tc', (b) => {
    b.lddw(r1, limit).ldxw(r1, r1.at(0)).call(scaled)
    b.lddw(r1, seen.at(8)).atomic_add(r1.at(0), r0)
    b.mov(r1, 1).call(twice)
    b.lddw(r1, own).ldxw(r1, r1.at(0))
    b.mov(r1, 3).lddw(r2, each).mov(r3, 0).mov(r4, 0).call(helpers.loop)
    b.stw(r10.at(-4), 1).lddw(r1, counts).mov(r2, r10).add(r2, -4).call(helpers.map_lookup_elem)
    b.jeq(r0, 0, 'none').mov(r1, 1).stxw(r0.at(0), r1).label('none')
    b.stw(r10.at(-4), 1).lddw(r1, outer).mov(r2, r10).add(r2, -4).call(helpers.map_lookup_elem)
    b.mov(r0, 0).exit()
  })
  const traced = program('traced', 'tp_btf/sys_enter', (b) => b.call(lock).call(unlock).mov(r0, 0).exit())
  return buildObject({ license: 'GPL', programs: [main, traced], maps: [ring, bloom, tails] }, options)
}
