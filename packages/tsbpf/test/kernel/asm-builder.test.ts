import { readFileSync } from 'node:fs'
import {
  array,
  buildInsns,
  buildObject,
  callLine,
  char,
  global,
  helpers,
  map,
  program,
  r0,
  r1,
  r10,
  r2,
  r3,
  r4,
  r5,
  r6,
  struct,
  subprogram,
  u32,
  u64,
  w0,
  w1,
} from '@tsbpf/asm'
import type { FunctionBody } from '@tsbpf/asm'
import { load, loadSync, VerifierError } from '@tsbpf/loader'
import { progLoad, progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { progTypes } from '@tsbpf/uapi'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kernelObjects, untilGone } from '../../src/kernel-objects.ts'

const gate = requires({ root: true, reason: 'loads and runs programs' })
const smallestPacket = 14

/** What an XDP program of these instructions returns. */
function run(body: FunctionBody): number {
  const sys = nativeSys()
  const { fd } = progLoad(sys, {
    prog_type: progTypes.value('xdp'),
    insns: buildInsns(body),
    license: 'GPL',
  })
  expect(fd).toBeGreaterThan(0)
  try {
    return testRun(fd)
  } finally {
    sys.close(fd)
  }
}

const testRun = (fd: number): number =>
  progTestRun(nativeSys(), { prog_fd: fd, data_in: new Uint8Array(smallestPacket) }).retval

const key = r10.at(-4)
const counts = map('calls_by_task', { type: 'hash', key: u32, value: u64, maxEntries: 1024 })
const only = global('only_tgid', u32, { section: '.rodata', value: 0 })
const seen = global('seen', u64)
const label = global('label', struct('label', { number: u32, text: array(char, 12) }), {
  value: { number: 7, text: 'hello' },
})

/** r0 = r1 times the step, in a function of its own. */
const scale = subprogram('scale', (b) => b.mov(r0, r1).mul(r0, 3).exit(), {
  params: { x: u64 },
  returns: u64,
})

const countCalls = program('count_calls', 'tracepoint/raw_syscalls/sys_enter', (b) =>
  b
    .call(helpers.get_current_pid_tgid)
    .rsh(r0, 32)
    .lddw(r1, only)
    .ldxw(r1, r1.at(0))
    .jne(r0, r1, 'out')
    .stxw(key, r0)
    .lddw(r1, seen)
    .mov(r2, 1)
    .atomic_add(r1.at(0), r2)
    .lddw(r1, counts)
    .mov(r2, r10)
    .add(r2, -4)
    .call(helpers.map_lookup_elem)
    .jeq(r0, 0, 'first')
    .mov(r1, 1)
    .atomic_fetch_add(r0.at(0), r1)
    .ja('out')
    .label('first')
    .mov(r1, 1)
    .call(scale)
    .stxdw(r10.at(-16), r0)
    .lddw(r1, counts)
    .mov(r2, r10)
    .add(r2, -4)
    .mov(r3, r10)
    .add(r3, -16)
    .mov(r4, 0)
    .call(helpers.map_update_elem)
    .label('out')
    .mov(r0, 0)
    .exit(),
)

describe.skipIf(gate.skip)(gate.title('programs of the builder'), () => {
  let before: ReadonlySet<string>
  let open: ReturnType<typeof descriptors>
  beforeEach(() => {
    nativeSys()
    before = kernelObjects()
    open = descriptors()
  })
  afterEach(async () => {
    expectNoLeak(open, descriptors())
    const added = (): string[] => [...kernelObjects()].filter((one) => !before.has(one))
    await untilGone(added())
    expect(added()).toEqual([])
  })

  it('loads an object with a map, variables and a subprogram, and counts at a tracepoint', async () => {
    const spec = buildObject(
      { license: 'GPL', programs: [countCalls], globals: [label] },
      { resolveSite: callLine, name: 'counting' },
    )
    await using bpf = await load(spec, { rodata: { only_tgid: process.pid } })
    const link = bpf.program('count_calls').attach()
    for (let i = 0; i < 50; i++) readFileSync('/proc/self/stat')
    link.detach()
    const total = bpf.variable<bigint>('seen').get()
    expect(total).toBeGreaterThan(50n)
    // The first call counts for three.
    expect([...bpf.map<number, bigint>('calls_by_task')]).toEqual([[process.pid, total + 2n]])
    expect(bpf.variable('label').get()).toEqual({ number: 7, text: 'hello' })
  })

  it('has the verifier quote the line of the caller', () => {
    const wrong = program('wrong', 'raw_tp/sys_enter', (b) => {
      b.mov(r0, 0)
      b.ldxdw(r0, r0.at(0))
      b.exit()
    })
    const spec = buildObject({ license: 'GPL', programs: [wrong] }, { resolveSite: callLine })
    let failure: unknown
    try {
      loadSync(spec)
    } catch (error) {
      failure = error
    }
    expect(failure).toBeInstanceOf(VerifierError)
    expect((failure as VerifierError).log).toMatch(/; ldxdw\(r0, r0\.at\(0\)\) @ asm-builder\.test\.ts:\d+/)
  })

  it('calls back into a static subprogram, and calls a global one', () => {
    const each = subprogram(
      'each',
      (b) => b.ldxdw(r3, r2.at(0)).add(r3, r1).stxdw(r2.at(0), r3).mov(r0, 0).exit(),
      { params: { index: u32, sum: u64 } },
    )
    const triple = subprogram('triple', (b) => b.mov(w0, w1).mul(w0, 3).exit(), {
      linkage: 'global',
      params: { x: u32 },
      returns: u32,
    })
    const sum = program('sum', 'xdp', (b) => {
      b.stdw(r10.at(-8), 0)
      b.mov(r1, 5).lddw(r2, each).mov(r3, r10).add(r3, -8).mov(r4, 0)
      b.call(helpers.loop)
      b.ldxdw(r1, r10.at(-8))
      b.call(triple)
      b.exit()
    })
    using bpf = loadSync(buildObject({ license: 'GPL', programs: [sum] }))
    expect(testRun(bpf.program('sum').fd)).toBe((0 + 1 + 2 + 3 + 4) * 3)
  })

  it('runs jumps that the builder made long', () => {
    const far = 40_000
    const body: FunctionBody = (b) => {
      b.mov(w0, 0).mov(r6, 3)
      b.jne(r6, 3, 'wrong').jset(r6, 4, 'wrong').ja('start')
      b.label('wrong').mov(r0, 99).exit()
      b.label('end').mov(r0, r6).exit()
      b.label('start')
      for (let i = 0; i < far; i++) b.add(w0, 1)
      b.mov(w1, w0)
      b.jset(r6, 4, 'wrong').jsgt(r6, 3, 'wrong').jne(w1, far, 'wrong').mov(r6, 5).jset(r6, 4, 'end')
      b.mov(r0, 98).exit()
    }
    expect(run(body)).toBe(5)
  })

  it('loads ten thousand generated instructions with labels', () => {
    const blocks = 2500
    const body: FunctionBody = (b) => {
      b.mov(r0, 0).mov(r5, 1)
      for (let i = 0; i < blocks; i++)
        b.jeq(r5, 0, `skip${i}`).add(r0, 1).xor(r5, 0).label(`skip${i}`).and(r5, 1)
      b.exit()
    }
    expect(run(body)).toBe(blocks)
  })
})
