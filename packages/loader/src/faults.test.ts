import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { isTsbpfError } from '@tsbpf/base'
import { parseBtf } from '@tsbpf/btf'
import { linkSubprograms, parseObject } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'
import { failure, fakeSys } from '@tsbpf/sys'
import type { FakeBpfCall, FakeSys, Sys } from '@tsbpf/sys'
import { errnos, objAttr } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { load, loadSync } from './index.ts'
import type { LoadOptions } from './index.ts'

const object = (path: string): ObjectSpec => parseObject(readFileSync(new URL(path, import.meta.url)))
const ours = (name: string): ObjectSpec => object(`../test/kernel/objects/${name}.bpf.o`)
const vmlinux = parseBtf(
  gunzipSync(readFileSync(new URL('../../testkit/btf/vmlinux-6.12-debian-amd64.btf.gz', import.meta.url))),
)

/** A kernel that takes everything, with a file system for pins. */
interface Kernel {
  readonly sys: FakeSys
  /** Paths of pins and folders. */
  readonly paths: Set<string>
  /** Mappings that are there. */
  readonly mapped: () => number
}

function kernel(): Kernel {
  const paths = new Set<string>()
  let mapped = 0
  const remove = (_dirFd: number, path: string): number => (paths.delete(path) ? 0 : failure('ENOENT'))
  const path = (call: FakeBpfCall): string =>
    new TextDecoder().decode(call.buffer(objAttr.offsets.pathname)).replace(/\0.*/s, '')
  const sys = fakeSys({
    files: {
      '/proc/self/status': 'CapEff:\t000001ffffffffff\n',
      '/proc/self/uid_map': '         0          0 4294967295\n',
      '/token': '',
    },
    bpf: {
      btf_load: (call) => call.newFd('btf'),
      map_create: (call) => call.newFd('map'),
      map_update_elem: 0,
      map_freeze: 0,
      prog_load: (call) => call.newFd('prog'),
      prog_bind_map: 0,
      token_create: (call) => call.newFd('token'),
      obj_get: failure('ENOENT'),
      obj_pin: (call) => {
        paths.add(path(call))
        return 0
      },
    },
    calls: {
      mkdirat: (_dirFd, folder) => (paths.has(folder) ? failure('EEXIST') : (paths.add(folder), 0)),
      unlinkat: remove,
      mmap: (_fd, length) => {
        let here = true
        mapped++
        const unmap = (): void => {
          if (here) mapped--
          here = false
        }
        return { memory: new ArrayBuffer(length), unmap }
      },
    },
  })
  return { sys, paths, mapped: () => mapped }
}

const counted = ['bpf', 'bpfAsync', 'openat', 'mkdirat', 'mmap', 'read', 'fileSize'] as const

/** The same door, whose call number `at` of those that can fail gives `result`; and how many there were. */
function failing(sys: Sys, at: number, result: number): { readonly door: Sys; readonly calls: () => number } {
  let calls = 0
  const door: Record<string, unknown> = { ...sys }
  const members = sys as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>
  for (const name of counted) {
    const real = members[name] ?? (() => undefined)
    door[name] = (...args: unknown[]): unknown => {
      if (calls++ !== at) return real(...args)
      return name === 'bpfAsync' ? Promise.resolve(result) : result
    }
  }
  return { door: door as unknown as Sys, calls: () => calls }
}

const names = ['EPERM', 'ENOMEM', 'EAGAIN', 'EINTR', 'E2BIG', 'ENOSPC'] as const

/** What an error about a step names: what was being made, and why not. */
const step = /\b(?:map|maps|arena|program|jump table|BPF token|object's BTF)\b/

const subjects: readonly (readonly [string, ObjectSpec, LoadOptions])[] = [
  ['pinned', ours('pinned'), { pinPath: '/pins', pins: { own: 'mine' } }],
  ['arena', ours('arena'), { tokenPath: '/token' }],
  ['congestion', ours('congestion'), { kernelBtf: vmlinux }],
  ['jump tables', object('../../object/test/golden/jump-table.clang-22.el.o'), {}],
]

describe('a load', () => {
  for (const [title, spec, options] of subjects) {
    it(`leaves nothing, and says what it was at, whichever call fails: ${title}`, async () => {
      const healthy = kernel()
      const { door, calls } = failing(healthy.sys, -1, 0)
      loadSync(spec, { ...options, sys: door }).dispose()
      expect(healthy.sys.open.size).toBe(0)
      expect(healthy.mapped()).toBe(0)
      expect(calls()).toBeGreaterThan(5)
      let refused = 0
      for (let at = 0; at < calls(); at++) {
        for (const name of names) {
          for (const asynchronous of [false, true]) {
            const { sys, paths, mapped } = kernel()
            const faulty = failing(sys, at, -errnos.value(name))
            const what = `call ${at} fails with ${name}`
            try {
              const given = { ...options, sys: faulty.door }
              const bpf = asynchronous ? await load(spec, given) : loadSync(spec, given)
              // Going on without BTF, after a second try, or with another way is fine.
              bpf.dispose()
            } catch (error) {
              if (!isTsbpfError(error)) throw error
              refused++
              expect(error.message, what).toMatch(step)
              expect(error.message, what).toContain(name)
              expect([...paths], what).toEqual([])
            }
            expect([...sys.open.values()], what).toEqual([])
            expect(mapped(), what).toBe(0)
          }
        }
      }
      expect(refused).toBeGreaterThan(20)
    })
  }

  it('has up to four programs on the thread pool, and says the first failure of those', async () => {
    const { sys } = kernel()
    const spec = ours('congestion')
    const [first] = spec.programs
    if (first === undefined) throw new Error('no program')
    const programs = Array.from({ length: 10 }, (_, i) => ({ ...first, name: `p${i}`, type: 'xdp' }))
    let busy = 0
    let most = 0
    const begun: number[] = []
    const waiting: (() => void)[] = []
    const door = (refuse: readonly number[]): Sys => ({
      ...sys,
      bpfAsync: async (...args) => {
        const index = begun.length
        begun.push(index)
        most = Math.max(most, ++busy)
        // Of those that wait together, later ones are done first.
        await new Promise<void>((resolve) => {
          if (waiting.push(resolve) > 1) return
          setImmediate(() => {
            for (const go of waiting.splice(0).reverse()) go()
          })
        })
        busy--
        return refuse.includes(index) ? failure('EINVAL') : sys.bpfAsync(...args)
      },
    })
    const many = { ...spec, maps: [], programs, btf: undefined }
    const done: string[] = []
    const bpf = await load(many, { sys: door([]), onProgress: ({ name }) => done.push(name) })
    expect(most).toBe(4)
    expect(bpf.programs.map(({ name }) => name)).toEqual(programs.map(({ name }) => name))
    expect(done.filter((name) => name !== '').sort()).toEqual(programs.map(({ name }) => name))
    expect(done.slice(1, 3)).toEqual(['p3', 'p2'])
    bpf.dispose()
    begun.length = 0
    // Each refused one is loaded once more for its log.
    const more = Array.from({ length: 40 }, (_, i) => ({ ...first, name: `p${i}`, type: 'xdp' }))
    await expect(load({ ...many, programs: more }, { sys: door([1, 2, 4, 5, 6, 7]) })).rejects.toThrow(
      /program p1 \(xdp\)/,
    )
    expect(begun.length).toBeLessThan(20)
    expect(sys.open.size).toBe(0)
  })

  it('makes tokens, and hands them to every call that takes one', () => {
    const { sys } = kernel()
    loadSync(ours('arena'), { sys, tokenPath: '/token' }).dispose()
    const flagged = sys.recorded.filter(({ command, arguments: [, attr] }) => {
      const flags = { btf_load: 32, map_create: 16, prog_load: 44 }[command ?? '']
      if (flags === undefined) return false
      return (new DataView((attr as Uint8Array).buffer).getUint32(flags, true) & 0x10000) !== 0
    })
    expect(flagged.map(({ command }) => command)).toEqual(['btf_load', 'map_create', 'prog_load'])
    expect(() => loadSync(ours('arena'), { sys, tokenPath: '/nowhere' })).toThrow(
      expect.objectContaining({ code: 'LOADER_TOKEN' }),
    )
  })

  it('makes a map of each jump table, with indexes from the start of the program', () => {
    const { sys } = kernel()
    const spec = object('../../object/test/golden/jump-table.clang-22.el.o')
    loadSync(spec, { sys }).dispose()
    const values = sys.recorded
      .filter(({ command }) => command === 'map_update_elem')
      .map(({ arguments: [, , pointers] }) => (pointers as { buffer: Uint8Array }[])[1]?.buffer)
      .filter((value) => value?.length === 16)
    const tables = spec.programs.flatMap((program) =>
      linkSubprograms(spec, program).relocations.flatMap(({ ref }) =>
        ref.kind === 'jump_table' ? [ref] : [],
      ),
    )
    expect(tables.length).toBeGreaterThan(0)
    const first = tables[0]?.targets ?? []
    expect(
      values
        .slice(0, first.length)
        .map((value) => new DataView(value?.buffer ?? new ArrayBuffer(4)).getUint32(0, true)),
    ).toEqual([...first])
  })

  it('takes the map that another process has pinned in the meantime', () => {
    const { sys } = kernel()
    let tries = 0
    const door: Sys = {
      ...sys,
      mkdirat: () => failure('EEXIST'),
      bpf: (cmd, attr, pointers) => (cmd === 6 ? (tries++, failure('EEXIST')) : sys.bpf(cmd, attr, pointers)),
    }
    expect(() => loadSync(ours('pinned'), { sys: door, pinPath: '/pins' })).toThrow(
      expect.objectContaining({
        code: 'LOADER_PIN',
        hint: expect.stringContaining('again and again') as string,
      }),
    )
    expect(tries).toBe(2)
    expect(sys.open.size).toBe(0)
  })
})
