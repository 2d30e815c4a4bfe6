import { Fd } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { commands, errnos, progTestRunAttr } from '@tsbpf/uapi'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMap } from '../../src/index.ts'
import type { BpfMap } from '../../src/index.ts'
import * as bpf from '../support/programs.ts'
import { shape, u32, u64 } from '../support/shapes.ts'

const gate = requires({ root: true, kernel: [5, 14], reason: 'runs a program that changes maps' })
/** Keys below this stay; the program adds and deletes those from here up to `churned` more. */
const staying = 2000
const churned = 1024
/** An emulator is fifty times as slow. */
const inVm = process.env['TSBPF_VM'] !== undefined
const walksWanted = inVm ? 3 : 60
const takenWanted = inVm ? 500 : 20_000

const { call, insn, load, loadProgram, mapFd, mov, movReg, add, store, storeWord, returnZero } = bpf

/** Stores the low 32 bits of a register. */
const storeLow = (off: number, src: number): number[] => insn(0x63, 10, src, off)
const atStack = (dst: number, off: number): number[] => [...movReg(dst, 10), ...add(dst, off)]

/** Adds or deletes a random one of the churned keys, its value being the key twice. */
function churn(map: number): number[] {
  const update = [
    ...mapFd(1, map),
    ...atStack(2, -4),
    ...atStack(3, -16),
    ...mov(4, 0),
    ...call('map_update_elem'),
  ]
  const remove = [...mapFd(1, map), ...atStack(2, -4), ...call('map_delete_elem')]
  return [
    ...call('get_prandom_u32'),
    ...movReg(6, 0),
    ...movReg(7, 0),
    ...insn(0x57, 7, 0, 0, churned - 1), // r7 &= churned - 1
    ...add(7, staying),
    ...storeLow(-4, 7),
    ...storeLow(-16, 7),
    ...storeLow(-12, 7),
    ...insn(0x57, 6, 0, 0, 1 << 20), // r6 &= one random bit
    ...bpf.jumpIfZero(6, update.length / 8 + 1),
    ...update,
    ...insn(0x05, 0, 0, remove.length / 8),
    ...remove,
    ...returnZero,
  ]
}

/** Adds the next number; `state` has how many were added, and how many the full map refused. */
function produce(map: number, state: number): number[] {
  const added = [...load(1, 6, 0), ...add(1, 1), ...store(6, 0, 1)]
  const refused = [...load(1, 6, 8), ...add(1, 1), ...store(6, 8, 1)]
  const body = [
    ...movReg(6, 0),
    ...load(7, 6, 0),
    ...storeLow(-4, 7),
    ...storeLow(-16, 7),
    ...storeLow(-12, 7),
    ...[...mapFd(1, map), ...atStack(2, -4), ...atStack(3, -16), ...mov(4, 1), ...call('map_update_elem')],
    ...bpf.jumpIfZero(0, refused.length / 8 + 1),
    ...refused,
    ...insn(0x05, 0, 0, added.length / 8),
    ...added,
  ]
  return [
    ...storeWord(10, -4, 0),
    ...mapFd(1, state),
    ...atStack(2, -4),
    ...call('map_lookup_elem'),
    ...bpf.jumpIfZero(0, body.length / 8),
    ...body,
    ...returnZero,
  ]
}

/** The running kernel as if it had no batches. */
function withoutBatches(): Sys {
  const sys = nativeSys()
  const batches = new Set(
    (['lookup', 'lookup_and_delete', 'update', 'delete'] as const).map((name) =>
      commands.value(`map_${name}_batch`),
    ),
  )
  return {
    ...sys,
    bpf: (cmd, attr, pointers) => (batches.has(cmd) ? -errnos.value('EINVAL') : sys.bpf(cmd, attr, pointers)),
  }
}

describe.skipIf(gate.skip)(gate.title('maps that a program changes meanwhile'), () => {
  const sys = gate.skip ? undefined! : nativeSys()
  let before: ReturnType<typeof descriptors>
  beforeEach(() => {
    before = descriptors()
  })
  afterEach(() => {
    expectNoLeak(before, descriptors())
  })

  /** Runs a program over and over on another thread until `work`, called again and again, says that it is enough. */
  const meanwhile = async (code: readonly number[], repeat: number, work: () => boolean): Promise<void> => {
    using program = new Fd(sys, loadProgram(sys, 'xdp', code), 'program')
    const fields = { prog_fd: program.value, repeat, data_size_in: 64 }
    let running = 0
    const run = async (): Promise<void> => {
      running++
      const pointer = { at: progTestRunAttr.offsets.data_in, buffer: new Uint8Array(64) }
      const attr = progTestRunAttr.encode(fields, true)
      const result = await sys.bpfAsync(commands.value('prog_test_run'), attr, [pointer])
      running--
      expect(result).toBe(0)
    }
    for (let enough = false; !enough;) {
      const done = run()
      // The program is on its way once the event loop has turned.
      await new Promise((resolve) => setImmediate(resolve))
      while (!enough && running > 0) {
        enough = work()
        await new Promise((resolve) => setImmediate(resolve))
      }
      await done
    }
  }
  const open = (door: Sys, maxEntries = 8192): BpfMap<number, bigint> =>
    createMap<number, bigint>(door, shape('hash', { maxEntries }), { codecs: { key: u32, value: u64 } })
  const twice = (key: number): bigint => BigInt(key) * 0x1_0000_0001n

  for (const [name, door, what] of [
    ['by batches', () => sys, 'what stays is seen once'],
    ['without batches', withoutBatches, 'what stays is seen once at most'],
  ] as const) {
    it(`are walked ${name}: ${what}, whatever comes and goes`, async () => {
      using map = open(door())
      map.setMany(Array.from({ length: staying }, (_, key) => [key, twice(key)] as const))
      const ways: (() => Iterable<[number, bigint]>)[] = [() => map, () => map.toMap()]
      const told = { whole: 0, cut: 0, churned: 0 }
      let walks = 0
      // Without batches the kernel copies the value of an entry that may be another key's by then.
      const isExact = (key: number): boolean => key < staying || name === 'by batches'
      await meanwhile(churn(map.fd), inVm ? 5000 : 500_000, () => {
        const seen = new Map<number, number>()
        try {
          for (const [key, value] of ways[walks % ways.length]!()) {
            const isOwn = value === twice(key)
            if (!isOwn && isExact(key)) throw new Error(`key ${key} has the value of another: ${value}`)
            seen.set(key, (seen.get(key) ?? 0) + 1)
          }
          told.whole++
          const missing = Array.from({ length: staying }, (_, key) => key).filter((key) => !seen.has(key))
          if (name === 'by batches') expect(missing).toEqual([])
        } catch (error) {
          if ((error as { code?: string }).code !== 'MAP_ITERATION_CUT_SHORT') throw error
          told.cut++
        }
        const often = [...seen].filter(([key, times]) => times > 1 && isExact(key))
        expect(often).toEqual([])
        told.churned += [...seen.keys()].filter((key) => key >= staying).length
        return ++walks >= walksWanted
      })
      // It did change, and only a walk without batches was ever cut short.
      expect(told.churned).toBeGreaterThan(0)
      if (name === 'by batches') expect(told).toMatchObject({ whole: walksWanted, cut: 0 })
      // Now that nothing changes, nothing is lost.
      expect([...map.keys()].filter((key) => key < staying).length).toBe(staying)
      expect(map.count()).toBe(map.toMap().size)
    })

    it(`give each entry to one taker ${name}`, async () => {
      using map = open(door(), 4096)
      using state = createMap<number>(sys, shape('array', { valueSize: 16, maxEntries: 1 }), {
        codecs: { key: u32 },
      })
      const taken = new Set<number>()
      let twiceTaken = 0
      const take = (): number => {
        let entries: [number, bigint][] = []
        try {
          entries = map.lookupAndDeleteMany()
        } catch (error) {
          if ((error as { code?: string }).code !== 'MAP_ITERATION_CUT_SHORT') throw error
        }
        for (const [key, value] of entries) {
          if (taken.has(key) || value !== twice(key)) twiceTaken++
          taken.add(key)
        }
        return entries.length
      }
      await meanwhile(produce(map.fd, state.fd), takenWanted, () => {
        take()
        const own = [0xffff_ffff, 0xffff_fffe]
        try {
          map.setMany(own.map((key) => [key, twice(key)]))
        } catch (error) {
          if ((error as { code?: string }).code !== 'MAP_FULL') throw error
        } finally {
          map.deleteMany(own)
        }
        return taken.size > takenWanted
      })
      while (take() > 0);
      const added = Number(new DataView(state.get(0)!.buffer).getBigUint64(0, true))
      expect(twiceTaken).toBe(0)
      expect(taken.size).toBe(added)
      expect(map.count()).toBe(0)
    })
  }
})
