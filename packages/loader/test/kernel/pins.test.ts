import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { isTsbpfError } from '@tsbpf/base'
import { openMap } from '@tsbpf/maps'
import type { ObjectSpec } from '@tsbpf/object'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { load, loadSync } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectSpec } from './objects.ts'
import { runOnPacket } from './test-run.ts'

const gate = requires({ root: true, reason: 'pins maps' })
const base = `/sys/fs/bpf/tsbpf-test-${process.pid}`
const pinPath = `${base}/maps`

function codeOf(body: () => unknown): { readonly code: string; readonly message: string } {
  try {
    body()
  } catch (error) {
    if (isTsbpfError(error)) return error
    throw error
  }
  throw new Error('it did not throw')
}

/** A program that the verifier refuses, behind one that loads. */
function broken(spec: ObjectSpec): ObjectSpec {
  const [count] = spec.programs
  if (count === undefined) throw new Error('no program')
  const exitOnly = Uint8Array.of(0x95, 0, 0, 0, 0, 0, 0, 0)
  const bad = { ...count, name: 'bad', insns: exitOnly, relocations: [], coreRelocations: [], lineInfo: [] }
  return { ...spec, programs: [count, { ...bad, btfFunc: undefined }] }
}

describe.skipIf(gate.skip)(gate.title('maps pinned by name'), () => {
  beforeEach(() => mkdirSync(base))
  afterEach(() => rmSync(base, { recursive: true }))

  it('are shared by whoever loads the object, until their pins are removed', async () => {
    await leavesNothing(async () => {
      const spec = objectSpec('pinned')
      {
        await using first = await load(spec, { pinPath, rodata: { step: 5n } })
        using second = loadSync(spec, { pinPath, rodata: { step: 100n } })
        expect(readdirSync(pinPath).sort()).toEqual(['shared_counts', 'shared_names'])
        expect(runOnPacket(first.program('count'))).toBe(7)
        runOnPacket(second.program('count'))
        expect(first.map('shared_counts').info().id).toBe(second.map('shared_counts').info().id)
        expect(first.map<number, bigint>('shared_counts').get(0)).toBe(105n)
        expect(first.map<number, bigint>('own').get(0)).toBe(1n)
      }
      {
        using third = loadSync(spec, { pinPath })
        runOnPacket(third.program('count'))
        expect(third.map<number, bigint>('shared_counts').get(0)).toBe(106n)
      }
      {
        using map = openMap(nativeSys(), { path: `${pinPath}/shared_counts` })
        expect(map.info().name).toBe('shared_counts')
      }
      rmSync(pinPath, { recursive: true })
    })
  })

  it('are refused where another map is pinned, and it is said what differs', async () => {
    await leavesNothing(() => {
      const spec = objectSpec('pinned')
      loadSync(spec, { pinPath }).dispose()
      const { code, message } = codeOf(() => loadSync(spec, { pinPath, maxEntries: { shared_counts: 3 } }))
      expect(code).toBe('MAP_INCOMPATIBLE')
      expect(message).toContain(`${pinPath}/shared_counts`)
      expect(message).toContain('max entries is 2, not 3')
      expect(readdirSync(pinPath).sort()).toEqual(['shared_counts', 'shared_names'])
      rmSync(pinPath, { recursive: true })
    })
  })

  it('are gone, and their folder, when the load fails later; pins that were there stay', async () => {
    await leavesNothing(async () => {
      const spec = objectSpec('pinned')
      const bad = broken(spec)
      expect(codeOf(() => loadSync(bad, { pinPath })).code).toBe('LOADER_REJECTED')
      expect(readdirSync(base)).toEqual([])
      await expect(load(bad, { pinPath })).rejects.toMatchObject({ code: 'LOADER_REJECTED', program: 'bad' })
      expect(readdirSync(base)).toEqual([])
      loadSync(spec, { pinPath, pins: { shared_names: undefined } }).dispose()
      expect(codeOf(() => loadSync(bad, { pinPath })).code).toBe('LOADER_REJECTED')
      expect(readdirSync(pinPath)).toEqual(['shared_counts'])
      rmSync(pinPath, { recursive: true })
    })
  })

  it('take other names, also for maps that do not ask, data sections included', async () => {
    await leavesNothing(() => {
      const spec = objectSpec('pinned')
      const pins = { shared_names: undefined, own: 'mine', '.rodata': 'constants' }
      {
        using first = loadSync(spec, { pinPath, pins, rodata: { step: 9n } })
        // Constants that are pinned are those of the first load.
        using second = loadSync(spec, { pinPath, pins, rodata: { step: 1n } })
        expect(readdirSync(pinPath).sort()).toEqual(['constants', 'mine', 'shared_counts'])
        expect(second.variable('step').get()).toBe(9n)
        expect(first.variable('step').get()).toBe(9n)
        runOnPacket(second.program('count'))
        expect(second.map<number, bigint>('shared_counts').get(0)).toBe(9n)
      }
      rmSync(pinPath, { recursive: true })
    })
  })

  it('never leave the folder, and say where it cannot be', async () => {
    await leavesNothing(() => {
      const spec = objectSpec('pinned')
      const lead = (name: string): ObjectSpec => ({
        ...spec,
        maps: spec.maps.map((map) => (map.name === 'own' ? { ...map, name, pinning: 'by_name' } : map)),
      })
      for (const name of ['../evil', '/tmp/evil', '', 'a\0b', 'x'.repeat(256)]) {
        expect(codeOf(() => loadSync(lead(name), { pinPath })).code, name).toBe('LOADER_PIN_NAME')
      }
      for (const file of ['..', '.', 'a.b', 'sub/a']) {
        expect(codeOf(() => loadSync(spec, { pinPath, pins: { own: file } })).code).toBe('LOADER_PIN_NAME')
      }
      expect(codeOf(() => loadSync(spec, { pins: { none: 'x' } })).code).toBe('LOADER_UNKNOWN_MAP')
      const elsewhere = codeOf(() => loadSync(spec, { pinPath: '/proc/self/nowhere' }))
      expect(elsewhere).toMatchObject({ code: 'LOADER_PIN' })
      expect(elsewhere.message).toContain('/proc/self/nowhere')
      // No BPF file system: the folder that was made is gone.
      const plain = `/tmp/tsbpf-pin-${process.pid}`
      expect(codeOf(() => loadSync(spec, { pinPath: plain }))).toMatchObject({ code: 'LOADER_PIN' })
      expect(() => readdirSync(plain)).toThrow('ENOENT')
      expect(readdirSync(base)).toEqual([])
    })
  })
})
