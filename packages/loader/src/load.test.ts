import { readFileSync } from 'node:fs'
import { isTsbpfError } from '@tsbpf/base'
import { parseObject } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'
import { fakeSys } from '@tsbpf/sys'
import type { FakeBpfCall, FakeSys, RecordedCall } from '@tsbpf/sys'
import { btfLoadAttr, errnos, progLoadAttr } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { load, loadSync, VerifierError } from './index.ts'

function object(name: string): ObjectSpec {
  const bytes = readFileSync(new URL(`../test/kernel/objects/${name}.bpf.o`, import.meta.url))
  // A Buffer on purpose: its own slice aliases.
  return parseObject(bytes, { name: `${name}.bpf.o` })
}

/** Relocating an object to its own BTF changes nothing, and needs no kernel. */
function own(spec: ObjectSpec): { readonly kernelBtf: NonNullable<ObjectSpec['btf']> } {
  if (spec.btf === undefined) throw new Error('no BTF')
  return { kernelBtf: spec.btf }
}

const files = {
  '/sys/devices/system/cpu/possible': '0-3\n',
  '/proc/self/status': 'CapEff:\t0000000000000000\n',
  '/proc/self/uid_map': '         0          0 4294967295\n',
  '/sys/kernel/tracing': '',
  events: '',
  'events/raw_syscalls/sys_enter/id': '22\n',
}

interface Fault {
  /** Which of the calls of bpf(2) fails, from 0; none for -1. */
  readonly at: number
  readonly result: number
  /** All calls from there on fail. */
  readonly onwards?: boolean
}

/** A kernel that takes everything but one call. */
function kernel(fault: Fault = { at: -1, result: 0 }): FakeSys {
  let calls = 0
  const answer =
    (kind: string | undefined) =>
    (bpf: FakeBpfCall): number => {
      const call = calls++
      if (call === fault.at || (fault.onwards === true && fault.at >= 0 && call > fault.at))
        return fault.result
      return kind === undefined ? 0 : bpf.newFd(kind)
    }
  return fakeSys({
    files,
    bpf: {
      btf_load: answer('btf'),
      map_create: answer('map'),
      map_update_elem: answer(undefined),
      map_freeze: answer(undefined),
      prog_load: answer('prog'),
      link_create: answer('link'),
    },
    calls: { ioctl: () => 0 },
  })
}

function commands(sys: FakeSys): readonly (string | undefined)[] {
  return sys.recorded.filter(({ call }) => call === 'bpf').map(({ command }) => command)
}

const names = ['EPERM', 'ENOMEM', 'EAGAIN', 'EINTR', 'E2BIG', 'ENOSPC', 'EINVAL', 'EMFILE'] as const

describe('load on a fake kernel', () => {
  it('calls in order: BTF, maps with their contents, programs', async () => {
    const sys = kernel()
    const spec = object('tracer')
    const bpf = await load(spec, { sys, ...own(spec) })
    expect(commands(sys)).toEqual([
      'btf_load',
      ...['map_create', 'map_create'],
      ...['map_create', 'map_update_elem', 'map_freeze'], // .rodata
      'map_create', // .bss
      ...['map_create', 'map_update_elem'], // .data
      ...['map_create', 'map_update_elem', 'map_freeze'], // .rodata.cst32
      'prog_load',
      'prog_bind_map', // .rodata.cst32, which the program does not use
    ])
    // The BTF is held by programs and maps.
    expect([...sys.open.values()].sort()).toEqual(['map', 'map', 'map', 'map', 'map', 'map', 'prog'])
    bpf.dispose()
    expect(sys.open.size).toBe(0)
  })

  it('hands programs to the thread pool, and in the synchronous form does not', async () => {
    for (const asynchronous of [true, false]) {
      const sys = kernel()
      const pool: number[] = []
      const door = {
        ...sys,
        bpfAsync: (...args: Parameters<FakeSys['bpfAsync']>) => {
          pool.push(args[0])
          return sys.bpfAsync(...args)
        },
      }
      const spec = object('tracepoints')
      const options = { sys: door, kernelBtf: btfWithTarget(), programs: ['on_classic', 'on_raw'] }
      const bpf = asynchronous ? await load(spec, options) : loadSync(spec, options)
      expect(pool.length).toBe(asynchronous ? 2 : 0)
      expect(bpf.programs.length).toBe(2)
      bpf.dispose()
    }
  })

  it('says what to do where signals do not let the verifier come to an end', () => {
    const spec = object('tracer')
    const healthy = kernel()
    loadSync(spec, { sys: healthy, ...own(spec) }).dispose()
    const at = commands(healthy).indexOf('prog_load')
    const sys = kernel({ at, result: -errnos.value('EAGAIN'), onwards: true })
    expect(() => loadSync(spec, { sys, ...own(spec) })).toThrow(
      expect.objectContaining({
        code: 'LOADER_FAILED',
        hint: expect.stringContaining('profiler') as string,
      }),
    )
    // libbpf's number of attempts, and no more of them for a log that would be empty.
    expect(commands(sys).filter((name) => name === 'prog_load').length).toBe(5)
  })

  for (const name of ['tracer', 'nested', 'tracepoints'] as const) {
    it(`closes everything whichever call fails, and however: ${name}`, async () => {
      const spec = object(name)
      const options = {
        ...own(spec),
        programs: spec.programs.map((one) => one.name).filter((one) => one !== 'on_typed'),
      }
      const healthy = kernel()
      loadSync(spec, { sys: healthy, ...options }).dispose()
      const calls = commands(healthy).length
      expect(calls).toBeGreaterThan(5)
      for (let at = 0; at < calls; at++) {
        for (const errno of names) {
          for (const [asynchronous, onwards] of [
            [false, false],
            [true, false],
            [true, true],
          ] as const) {
            const sys = kernel({ at, result: -errnos.value(errno), onwards })
            const what = `${name}: call ${at} fails with ${errno}`
            try {
              const bpf = asynchronous
                ? await load(spec, { sys, ...options })
                : loadSync(spec, { sys, ...options })
              // Going on without BTF, without memory mapping or after a second try is fine; leaking is not.
              bpf.dispose()
            } catch (error) {
              if (!isTsbpfError(error)) throw error
              expect(error.message, what).toMatch(/map|program/)
              expect(error.message, what).toContain(errno)
            }
            expect([...sys.open.values()], what).toEqual([])
          }
        }
      }
    })
  }

  it('closes what the thread pool still brings when it is aborted meanwhile', async () => {
    const sys = kernel()
    const controller = new AbortController()
    const door = {
      ...sys,
      bpfAsync: async (...args: Parameters<FakeSys['bpfAsync']>) => {
        const result = await sys.bpfAsync(...args)
        controller.abort(new Error('enough'))
        return result
      },
    }
    const spec = object('tracer')
    const loading = load(spec, { sys: door, signal: controller.signal, ...own(spec) })
    await expect(loading).rejects.toThrow('enough')
    expect(commands(sys)).toContain('prog_load')
    expect(sys.open.size).toBe(0)
  })

  it('closes everything when a call throws', async () => {
    const sys = kernel()
    const door = { ...sys, bpfAsync: () => Promise.reject(new RangeError('too wide')) }
    const spec = object('tracer')
    await expect(load(spec, { sys: door, ...own(spec) })).rejects.toThrow('too wide')
    expect(sys.open.size).toBe(0)
  })

  it('says which capability is missing', () => {
    const refuse = (spec: ObjectSpec, programs?: readonly string[]): unknown => {
      const sys = kernel({ at: 0, result: -errnos.value('EPERM'), onwards: true })
      return loadSync(spec, {
        sys,
        ...own(object('tracer')),
        ...(programs === undefined ? {} : { programs }),
      })
    }
    const withoutMaps = { ...object('tracepoints'), maps: [], btf: undefined }
    expect(() => refuse(object('tracer'))).toThrow(
      expect.objectContaining({
        code: 'MAP_CREATE_DENIED',
        context: expect.objectContaining({ missing: ['CAP_BPF'] }) as object,
      }),
    )
    expect(() => refuse(withoutMaps, ['not_by_itself'])).toThrow(
      expect.objectContaining({
        code: 'LOADER_DENIED',
        hint: 'run as root, or grant CAP_BPF and CAP_PERFMON (before kernel 5.8: CAP_SYS_ADMIN)',
      }),
    )
  })

  it('asks for a log only after a refusal, and as large as the kernel says', () => {
    const spec = object('tracer')
    const levels: number[] = []
    const sizes: number[] = []
    const sys = fakeSys({
      files,
      bpf: {
        btf_load: (call) => call.newFd('btf'),
        map_create: (call) => call.newFd('map'),
        map_update_elem: 0,
        map_freeze: 0,
        prog_load: (call) => {
          const { attr } = call
          const { offsets } = progLoadAttr
          levels.push(attr.getUint32(offsets.log_level, true))
          sizes.push(attr.getUint32(offsets.log_size, true))
          const log = call.buffer(offsets.log_buf)
          if (log === undefined) return -errnos.value('EACCES')
          attr.setUint32(offsets.log_true_size, 1_000_000, true)
          log.set(new TextEncoder().encode('5: (95) exit\nR0 !read_ok\n\0'))
          return log.length < 1_000_000 ? -errnos.value('ENOSPC') : -errnos.value('EACCES')
        },
      },
    })
    const attempt = (): unknown => loadSync(spec, { sys, ...own(spec) })
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'LOADER_REJECTED', summary: 'R0 !read_ok', insn: 5, truncated: false }),
    )
    expect(attempt).toThrow(VerifierError)
    expect(levels.slice(0, 3)).toEqual([0, 1, 1])
    expect(sizes.slice(0, 3)).toEqual([0, 256 * 1024, 1_000_000])
    expect(sys.open.size).toBe(0)
  })

  it('goes on without BTF where the kernel does not take it, and says so', () => {
    const spec = object('tracer')
    const sys = kernel({ at: 0, result: -errnos.value('EINVAL') })
    const notes: (string | undefined)[] = []
    const bpf = loadSync(spec, {
      sys,
      ...own(spec),
      onProgress: ({ step, note }) => step === 'btf' && notes.push(note),
    })
    expect(notes).toEqual([expect.stringContaining('EINVAL')])
    const loads = sys.recorded.filter(({ command }) => command === 'prog_load')
    expect(field(loads[0], progLoadAttr.offsets.prog_btf_fd)).toBe(0)
    expect(field(loads[0], progLoadAttr.offsets.func_info_cnt)).toBe(0)
    bpf.dispose()
  })

  it('tells the kernel functions and source lines', () => {
    const spec = object('tracer')
    const sys = kernel()
    loadSync(spec, { sys, ...own(spec) }).dispose()
    const loaded = sys.recorded.find(({ command }) => command === 'prog_load')
    expect(field(loaded, progLoadAttr.offsets.func_info_cnt)).toBe(3)
    expect(field(loaded, progLoadAttr.offsets.line_info_cnt)).toBeGreaterThan(20)
    const btf = sys.recorded.find(({ command }) => command === 'btf_load')
    expect(field(btf, btfLoadAttr.offsets.btf_size)).toBe(spec.btf?.bytes.length)
  })

  it('leaves the spec as it was', () => {
    const spec = object('tracer')
    const bytes = spec.maps.map((map) => [...(map.data?.bytes ?? [])])
    const insns = spec.programs.map((program) => [...program.insns])
    loadSync(spec, {
      sys: kernel(),
      ...own(spec),
      rodata: { only_tgid: 77 },
      data: { step: 5, seen: 9n },
    }).dispose()
    expect(spec.maps.map((map) => [...(map.data?.bytes ?? [])])).toEqual(bytes)
    expect(spec.programs.map((program) => [...program.insns])).toEqual(insns)
  })

  it('writes the given values into the sections', () => {
    const spec = object('tracer')
    const sys = kernel()
    loadSync(spec, {
      sys,
      ...own(spec),
      rodata: { only_tgid: 0x01020304 },
      data: { step: -1, seen: 5n },
    }).dispose()
    const values = sys.recorded
      .filter(({ command }) => command === 'map_update_elem')
      .map(({ arguments: [, , pointers] }) => [...((pointers as { buffer: Uint8Array }[])[1]?.buffer ?? [])])
    expect(values).toContainEqual([4, 3, 2, 1])
    expect(values).toContainEqual([255, 255, 255, 255])
    expect(values).toContainEqual([5, ...Array<number>(15).fill(0)])
  })

  it('keeps attached links of the object, and detaches them with it', () => {
    const spec = object('tracer')
    const sys = fakeSys({
      files,
      bpf: {
        btf_load: (call) => call.newFd('btf'),
        map_create: (call) => call.newFd('map'),
        map_update_elem: 0,
        map_freeze: 0,
        prog_load: (call) => call.newFd('prog'),
        link_create: (call) => call.newFd('link'),
      },
      calls: { ioctl: () => 0, perfEventOpen: () => sys.newFd('perf') },
    })
    const bpf = loadSync(spec, { sys, ...own(spec) })
    expect(bpf.attach().map((link) => link.target)).toEqual(['raw_syscalls/sys_enter'])
    expect([...sys.open.values()]).toContain('perf')
    bpf.dispose()
    expect(sys.open.size).toBe(0)
  })
})

function field(call: RecordedCall | undefined, at: number): number {
  const attr = call?.arguments[1] as Uint8Array
  return new DataView(attr.buffer, attr.byteOffset).getUint32(at, true)
}

/** Any BTF will do where nothing is looked up. */
function btfWithTarget(): NonNullable<ObjectSpec['btf']> {
  return own(object('tracer')).kernelBtf
}
