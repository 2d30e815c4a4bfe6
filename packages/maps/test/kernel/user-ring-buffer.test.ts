import { btfBuilder } from '@tsbpf/btf'
import { btfLoad, Fd, progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMap, openUserRingBuffer } from '../../src/index.ts'
import {
  add,
  addReg,
  call,
  exit,
  insn,
  jumpIfZero,
  load,
  loadProgram,
  mapFd,
  mov,
  movReg,
  returnZero,
  store,
  storeWord,
} from '../support/programs.ts'
import { shape, u32, u64 } from '../support/shapes.ts'

const gate = requires({ root: true, kernel: [6, 1], reason: 'user ring buffers' })
const inVm = process.env['TSBPF_VM'] !== undefined
const code = (name: string): Error => expect.objectContaining({ code: name }) as Error

/** Drains a user ring buffer: adds the first 8 bytes of each sample to `sum`; returns how many samples. */
function drainer(ring: number, sum: number): number[] {
  const main = [
    ...mapFd(1, ring),
    ...insn(0x18, 2, 4, 0, 5), // r2 = callback: pseudo function, behind this program
    ...insn(0, 0),
    ...mov(3, 0),
    ...mov(4, 0),
    ...call('user_ringbuf_drain'),
    ...exit,
  ]
  const addition = [...load(1, 10, -16), ...load(2, 0, 0), ...addReg(2, 1), ...store(0, 0, 2)]
  const callback = [
    ...movReg(3, 1),
    ...movReg(1, 10),
    ...add(1, -16),
    ...mov(2, 8),
    ...mov(4, 0),
    ...mov(5, 0),
    ...call('dynptr_read'),
    ...storeWord(10, -4, 0),
    ...movReg(2, 10),
    ...add(2, -4),
    ...mapFd(1, sum),
    ...call('map_lookup_elem'),
    ...jumpIfZero(0, addition.length / 8),
    ...addition,
    ...returnZero,
  ]
  return [...main, ...callback]
}

describe.skipIf(gate.skip)(gate.title('user ring buffer'), () => {
  const sys = gate.skip ? undefined! : nativeSys()
  let before: ReturnType<typeof descriptors>
  beforeEach(() => {
    before = descriptors()
  })
  afterEach(() => {
    expectNoLeak(before, descriptors())
  })

  it('is drained by a program, around its end', () => {
    using map = createMap(sys, shape('user_ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 }))
    using sums = createMap<number, bigint>(sys, shape('array', { maxEntries: 1 }), {
      codecs: { key: u32, value: u64 },
    })
    // A program with a callback must say what its functions are.
    const builder = btfBuilder()
    const int = builder.add({ kind: 'int', name: 'int', size: 4, signed: true })
    const proto = builder.add({ kind: 'func_proto', returnType: int, params: [] })
    const functions = ['drain', 'add_sample'].map((name) =>
      builder.add({ kind: 'func', name, type: proto, linkage: 'static' }),
    )
    using btf = new Fd(sys, btfLoad(sys, { btf: builder.build() }).fd, 'BTF')
    const funcInfo = Uint32Array.of(0, functions[0]!, 8, functions[1]!)
    const info = { func_info: new Uint8Array(funcInfo.buffer), func_info_rec_size: 8, prog_btf_fd: btf.value }
    using prog = new Fd(sys, loadProgram(sys, 'xdp', drainer(map.fd, sums.fd), info), 'program')
    const drain = (): number => progTestRun(sys, { prog_fd: prog.value, data_in: new Uint8Array(64) }).retval
    using ring = openUserRingBuffer(sys, map)
    let expected = 0n
    let value = 1n
    for (let round = 0; round < (inVm ? 8 : 40); round++) {
      let pushed = 0
      for (;;) {
        const sample = ring.reserve(8 + (round % 5) * 40)
        if (sample === undefined) break
        if (pushed % 7 === 3) {
          sample.discard()
        } else {
          new DataView(sample.bytes.buffer, sample.bytes.byteOffset).setBigUint64(0, value, true)
          expected += value++
          sample.submit()
        }
        expect(() => sample.submit()).toThrow(code('RING_RECORD_ENDED'))
        pushed++
      }
      expect(pushed).toBeGreaterThan(10)
      expect(ring.push(new Uint8Array(200))).toBe(false)
      while (ring.pending > 0) drain()
      expect(sums.get(0)).toBe(expected)
    }
    expect(ring.push(Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0))).toBe(true)
    expect([drain(), sums.get(0)]).toEqual([1, expected + 5n])
  })

  it('refuses what cannot be', () => {
    using map = createMap(sys, shape('user_ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 }))
    using hash = createMap(sys, shape('hash'))
    expect(() => openUserRingBuffer(sys, hash)).toThrow(code('RING_TYPE'))
    const ring = openUserRingBuffer(sys, map)
    for (const size of [-1, 4096, 1.5, NaN])
      expect(() => ring.reserve(size)).toThrow(code('RING_SAMPLE_SIZE'))
    const sample = ring.reserve(8)!
    ring.dispose()
    ring.dispose()
    for (const use of [() => ring.push(new Uint8Array(1)), () => ring.pending, () => sample.submit()]) {
      expect(use).toThrow(code('RING_DISPOSED'))
    }
  })
})
