import { readFileSync } from 'node:fs'
import { parseObject } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'
import { fakeSys } from '@tsbpf/sys'
import { describe, expect, it } from 'vitest'
import { capabilitiesFor, missingPrivileges, preview } from './index.ts'

function object(name: string): ObjectSpec {
  return parseObject(readFileSync(new URL(`../test/kernel/objects/${name}.bpf.o`, import.meta.url)))
}

const initial = '         0          0 4294967295\n'
const bits = (...numbers: readonly number[]): string =>
  numbers.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n).toString(16)
const [netAdmin, sysAdmin, perfmon, bpf] = [12, 21, 38, 39]

function process(capabilities: string, over: Readonly<Record<string, string>> = {}) {
  return fakeSys({
    files: {
      '/proc/self/status': `Name:\tnode\nCapEff:\t${capabilities}\n`,
      '/proc/self/uid_map': initial,
      '/proc/sys/kernel/unprivileged_bpf_disabled': '2\n',
      '/sys/kernel/tracing': '',
      events: '',
      ...over,
    },
  })
}

describe('preview', () => {
  it('makes no system call where the BTF is given', () => {
    const sys = fakeSys()
    const spec = object('tracer')
    const plan = preview(spec, {
      sys,
      ...(spec.btf === undefined ? {} : { kernelBtf: spec.btf }),
      maxEntries: { stats: 5 },
    })
    expect(sys.recorded).toEqual([])
    expect(plan.maps).toMatchObject([
      { name: 'totals', type: 'array', keySize: 4, valueSize: 8, maxEntries: 4, frozen: false },
      { name: 'stats', type: 'hash', keySize: 4, valueSize: 32, maxEntries: 5, frozen: false },
      { name: '.rodata', frozen: true },
      { name: '.bss', frozen: false },
      { name: '.data', frozen: false },
      { name: '.rodata.cst32', frozen: true },
    ])
    expect(plan.programs[0]?.attach).toEqual({ kind: 'tracepoint', target: 'raw_syscalls/sys_enter' })
    expect(plan.relocations.map(({ status }) => status)).toEqual(Array(4).fill('resolved'))
  })

  it('says that it needs the kernel’s BTF, and what for', () => {
    expect(() => preview(object('tracer'), { sys: fakeSys() })).toThrow(
      expect.objectContaining({
        code: 'LOADER_NO_KERNEL_BTF',
        message:
          "the kernel's BTF is needed (CO-RE relocation), but /sys/kernel/btf/vmlinux cannot be read: ENOENT",
      }),
    )
    expect(preview(object('rejected'), { sys: fakeSys() }).programs.length).toBe(1)
  })

  it('refuses what a load refuses', () => {
    const tracer = object('tracer')
    const kind = (type: string | undefined, attachType?: string): ObjectSpec => ({
      ...tracer,
      programs: tracer.programs.map((program) => ({ ...program, type, attachType })),
    })
    const map = (over: object): ObjectSpec => ({
      ...tracer,
      maps: tracer.maps.map((one) => ({ ...one, ...over })),
    })
    const refused: readonly (readonly [ObjectSpec, string])[] = [
      [object('tracer.eb'), 'LOADER_BYTE_ORDER'],
      [kind(undefined), 'LOADER_NO_PROGRAM_TYPE'],
      [kind('tracing'), 'LOADER_UNSUPPORTED_PROGRAM'],
      [kind('prog_type(99)'), 'LOADER_UNSUPPORTED_PROGRAM'],
      [map({ name: 'a/b', pinning: 'by_name' }), 'LOADER_PIN_NAME'],
    ]
    for (const [spec, code] of refused) {
      expect(() => preview(spec, { sys: fakeSys() }), code).toThrow(expect.objectContaining({ code }))
    }
    // What is left out does not stand in the way.
    expect(preview({ ...kind('tracing') }, { sys: fakeSys(), programs: [] }).programs).toEqual([])
  })
})

describe('missingPrivileges', () => {
  const names = (capabilities: string, over: Readonly<Record<string, string>> = {}): readonly string[] =>
    missingPrivileges(process(capabilities, over), object('tracer')).map(({ name }) => name)

  it('reads the effective capabilities', () => {
    expect(names('0')).toEqual(['CAP_BPF', 'CAP_PERFMON'])
    expect(names(bits(bpf))).toEqual(['CAP_PERFMON'])
    expect(names(bits(bpf, perfmon))).toEqual([])
    expect(names(bits(sysAdmin))).toEqual([])
  })

  it('gives nothing for capabilities of a user namespace', () => {
    const over = { '/proc/self/uid_map': '         0       1000          1\n' }
    expect(names(bits(sysAdmin, bpf, perfmon), over)).toEqual(['CAP_BPF', 'CAP_PERFMON'])
  })

  it('says what each is for, and what to do', () => {
    const [first, second] = missingPrivileges(process('0'), object('tracer'))
    expect(first?.neededFor).toContain('create map stats (hash)')
    expect(second).toMatchObject({
      kind: 'capability',
      name: 'CAP_PERFMON',
      neededFor: ['load program count_calls (tracepoint)'],
      remedy: expect.stringContaining('run as root') as string,
    })
  })

  it('looks whether tracefs can be read', () => {
    const sys = fakeSys({
      files: { '/proc/self/status': `CapEff:\t${bits(bpf, perfmon)}\n`, '/proc/self/uid_map': initial },
    })
    expect(missingPrivileges(sys, object('tracer'))).toMatchObject([
      {
        kind: 'file',
        name: '/sys/kernel/tracing',
        neededFor: ['attach program count_calls to raw_syscalls/sys_enter'],
      },
    ])
    expect(sys.open.size).toBe(0)
  })

  it('asks for networking where the type does', () => {
    expect(capabilitiesFor('xdp')).toEqual(['CAP_BPF', 'CAP_NET_ADMIN'])
    expect(capabilitiesFor('ext')).toEqual(['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_ADMIN'])
    expect(capabilitiesFor('socket_filter')).toEqual(['CAP_BPF'])
    expect(capabilitiesFor('socket_filter', true)).toEqual([])
    const tracer = object('tracer')
    const xdp = { ...tracer, programs: tracer.programs.map((program) => ({ ...program, type: 'xdp' })) }
    expect(missingPrivileges(process(bits(bpf)), xdp).map(({ name }) => name)).toEqual(['CAP_NET_ADMIN'])
    expect(missingPrivileges(process(bits(bpf, netAdmin)), xdp)).toEqual([])
  })
})
