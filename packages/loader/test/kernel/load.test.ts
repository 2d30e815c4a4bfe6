import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isTsbpfError } from '@tsbpf/base'
import { nativeSys } from '@tsbpf/sys/native'
import { possibleCpus } from '@tsbpf/maps'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { load, loadSync, openKernelBtf, preview } from '../../src/index.ts'
import type { LoadProgress } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectSpec } from './objects.ts'

const gate = requires({ root: true, reason: 'loads programs' })

interface Stat {
  calls: bigint
  level: number
  tgid: number
  comm: string
}

/** Some system calls of this process. */
function makeCalls(): void {
  for (let i = 0; i < 50; i++) readFileSync('/proc/self/stat')
}

describe.skipIf(gate.skip)(gate.title('load'), () => {
  it('counts events from attach to detach, with structs decoded by BTF', async () => {
    await leavesNothing(async () => {
      const options = { rodata: { only_tgid: process.pid }, data: { step: 2 } }
      await using bpf = await load(objectSpec('tracer'), options)
      const link = bpf.program('count_calls').attach()
      makeCalls()
      execFileSync('true')
      link.detach()
      const seen = bpf.variable<bigint>('seen').get()
      makeCalls()
      expect(bpf.variable('seen').get()).toBe(seen)
      expect(seen).toBeGreaterThan(50n)

      const [entry, ...others] = bpf.map<number, Stat>('stats')
      expect(others).toEqual([])
      expect(entry?.[0]).toBe(process.pid)
      expect(entry?.[1]).toEqual({
        calls: seen,
        level: 0,
        tgid: process.pid,
        comm: readFileSync('/proc/self/comm', 'utf8').trim(),
      })
      expect([...bpf.map<number, bigint>('totals').values()]).toEqual([seen * 2n, 2n, 0n, 0n])
      expect(bpf.variable('skipped').get()).toBeGreaterThan(0n)
    })
  })

  it('relocates the reads through three structs to this kernel', () => {
    using bpf = loadSync(objectSpec('tracer'))
    const found = bpf.relocations.map(({ program, accessText, status }) => [
      program,
      accessText.split(' (')[0],
      status,
    ])
    expect(found).toEqual([
      ['namespace_level', 'struct task_struct.nsproxy', 'resolved'],
      ['namespace_level', 'struct nsproxy.pid_ns_for_children', 'resolved'],
      ['namespace_level', 'struct pid_namespace.level', 'resolved'],
      ['count_calls', 'struct task_struct.tgid', 'resolved'],
    ])
    // The object's own layout is one that no kernel has.
    for (const { oldValue, newValue } of bpf.relocations) expect(newValue).not.toBe(oldValue)
  })

  it('reads and writes global variables while the program runs', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('tracer'), { rodata: { only_tgid: process.pid } })
      const step = bpf.variable<number>('step')
      expect(step.get()).toBe(1)
      step.set(-5)
      expect(step.get()).toBe(-5)
      bpf.variable<bigint>('seen').set(1_000_000n)
      using link = bpf.program('count_calls').attach()
      makeCalls()
      expect(link.detached).toBe(false)
      expect(bpf.variable<bigint>('seen').get()).toBeGreaterThan(1_000_000n)
      expect(bpf.map<number, bigint>('totals').get(0)).toBeGreaterThan(2n ** 63n)
      expect(bpf.variable('only_tgid').get()).toBe(process.pid)
      expect(bpf.variable('only_tgid').readOnly).toBe(true)
      expect(() => bpf.variable('only_tgid').set(1)).toThrow(
        expect.objectContaining({ code: 'LOADER_READ_ONLY_VARIABLE' }),
      )
      expect(() => step.set('one' as unknown as number)).toThrow(
        expect.objectContaining({ code: 'LOADER_VARIABLE_VALUE' }),
      )
      // The kernel agrees that constants are frozen.
      expect(() => bpf.map<number>('.rodata').set(0, { only_tgid: 1 })).toThrow(
        expect.objectContaining({ code: 'MAP_READ_ONLY' }),
      )
      expect(bpf.variables.map(({ name, section }) => [name, section])).toEqual(
        expect.arrayContaining([
          ['only_tgid', '.rodata'],
          ['seen', '.bss'],
          ['step', '.data'],
        ]),
      )
    })
  })

  it('attaches classic, raw and typed tracepoints, all at once', async () => {
    await leavesNothing(() => {
      const bpf = loadSync(objectSpec('tracepoints'), { rodata: { only_tgid: process.pid } })
      const links = bpf.attach()
      expect(links.map((link) => link.info())).toMatchObject([
        { kind: 'tracepoint', target: 'raw_syscalls/sys_enter', type: 'perf_event' },
        { kind: 'raw_tracepoint', target: 'sys_enter', type: 'raw_tracepoint' },
        { kind: 'trace_raw_tp', target: 'sys_enter', type: 'raw_tracepoint' },
      ])
      for (const [i, link] of links.entries()) {
        expect(link.info().programId).toBe(bpf.programs[i]?.info().id)
      }
      makeCalls()
      for (const name of ['classic', 'raw', 'typed']) {
        expect(bpf.variable<bigint>(name).get(), name).toBeGreaterThan(50n)
      }
      bpf.dispose()
      expect(links.every((link) => link.detached)).toBe(true)
    })
  })

  it('hands a cookie to the program', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('tracepoints'), { rodata: { only_tgid: process.pid } })
      using link = bpf.program('on_classic').attach({ cookie: 0x1234_5678_9abcn })
      makeCalls()
      expect(link.detached).toBe(false)
      expect(bpf.variable('cookie').get()).toBe(0x1234_5678_9abcn)
    })
  })

  it('lets a link outlive its object', async () => {
    await leavesNothing(() => {
      const bpf = loadSync(objectSpec('tracer'))
      const link = bpf.program('count_calls').attach()
      const { programId } = link.info()
      bpf.dispose()
      expect(link.info().programId).toBe(programId)
      link.detach()
      link.detach()
      expect(() => link.info()).toThrow(expect.objectContaining({ code: 'LINK_DISPOSED' }))
    })
  })

  it('fills maps of maps and prog arrays', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('nested'), { rodata: { only_tgid: process.pid } })
      const link = bpf.program('before_tail_call').attach()
      makeCalls()
      link.detach()
      expect(bpf.map<number, bigint>('first').get(0)).toBe(0n)
      expect(bpf.map<number, bigint>('second').get(0)).toBeGreaterThan(50n)
      const perCpu = bpf.map<number, readonly bigint[]>('per_cpu').get(0)
      expect(perCpu?.length).toBe(possibleCpus(nativeSys()))
      expect(perCpu?.reduce((sum, one) => sum + one)).toBe(bpf.map<number, bigint>('second').get(0))
      const inner = ['first', 'second'].map((name) => bpf.map(name).info().id)
      expect(inner).toContain(bpf.map('outer').get(0))
    })
  })

  it('loads what does not load by itself when it is named', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('tracepoints'), { programs: ['not_by_itself'] })
      expect(bpf.programs.map(({ name }) => name)).toEqual(['not_by_itself'])
      expect(() => bpf.program('on_raw')).toThrow(
        expect.objectContaining({ code: 'LOADER_PROGRAM_NOT_LOADED' }),
      )
      using link = bpf.program('not_by_itself').attach({ target: 'sched/sched_switch' })
      expect(link.target).toBe('sched/sched_switch')
    })
  })

  it('takes the number of entries from the options', () => {
    using bpf = loadSync(objectSpec('tracer'), { maxEntries: { stats: 7 } })
    expect(bpf.map('stats').info()).toMatchObject({ type: 'hash', name: 'stats', maxEntries: 7 })
    // Key and value are described by BTF, and data sections are too.
    expect(bpf.map('stats').info().valueTypeId).toBeGreaterThan(0)
    expect(bpf.map('.bss').info().valueTypeId).toBeGreaterThan(0)
  })

  it('tells each step', async () => {
    const steps: LoadProgress[] = []
    using kernel = openKernelBtf(nativeSys())
    const options = { kernelBtf: kernel.btf, onProgress: (step: LoadProgress) => steps.push(step) }
    using bpf = await load(objectSpec('tracer'), options)
    expect(bpf.programs.length).toBe(1)
    expect(steps.map(({ step, name }) => `${step} ${name}`.trim())).toEqual([
      'relocate',
      'btf',
      'map totals',
      'map stats',
      'map .rodata',
      'map .bss',
      'map .data',
      'map .rodata.cst32',
      'program count_calls',
    ])
    expect(steps.every(({ note }) => note === undefined)).toBe(true)
  })

  it('gives the log that was asked for', () => {
    using bpf = loadSync(objectSpec('tracer'), { logLevel: 1 })
    expect(bpf.program('count_calls').log).toContain('processed')
    expect(bpf.program('count_calls').info()).toMatchObject({ type: 'tracepoint', name: 'count_calls' })
  })

  it('stops when it is aborted', async () => {
    await leavesNothing(async () => {
      const stopped = AbortSignal.abort(new Error('early'))
      await expect(load(objectSpec('tracer'), { signal: stopped })).rejects.toThrow('early')
      const controller = new AbortController()
      const loading = load(objectSpec('tracepoints'), {
        signal: controller.signal,
        onProgress: ({ step }) => {
          if (step === 'program') controller.abort(new Error('enough'))
        },
      })
      await expect(loading).rejects.toThrow('enough')
    })
  })

  it('refuses use after dispose', () => {
    const bpf = loadSync(objectSpec('tracer'))
    const program = bpf.program('count_calls')
    const variable = bpf.variable('seen')
    const constant = bpf.variable('only_tgid')
    variable.get()
    bpf.dispose()
    bpf.dispose()
    const uses = [
      () => bpf.map('stats'),
      () => bpf.program('count_calls'),
      () => bpf.attach(),
      () => program.attach(),
      () => program.info(),
      () => variable.get(),
      () => constant.get(),
    ]
    for (const use of uses) expect(use).toThrow(expect.objectContaining({ code: 'LOADER_DISPOSED' }))
  })

  it('previews what it would load', () => {
    const plan = preview(objectSpec('tracer'))
    using bpf = loadSync(objectSpec('tracer'))
    expect(plan.programs).toEqual([
      {
        name: 'count_calls',
        section: 'tracepoint/raw_syscalls/sys_enter',
        type: 'tracepoint',
        attachType: undefined,
        insns: expect.any(Number) as number,
        subprograms: ['add_total', 'namespace_level'],
        attach: { kind: 'tracepoint', target: 'raw_syscalls/sys_enter' },
      },
    ])
    for (const { name, type, maxEntries, flags } of plan.maps) {
      expect(bpf.map(name).info()).toMatchObject({ type, maxEntries, flags })
    }
    expect(plan.relocations.length).toBe(4)
  })
})

describe.skipIf(gate.skip)(gate.title('load that fails'), () => {
  it('shows the source line of what the verifier refuses', async () => {
    await leavesNothing(async () => {
      const error: unknown = await load(objectSpec('rejected')).catch((reason: unknown) => reason)
      expect(error).toMatchObject({
        name: 'VerifierError',
        code: 'LOADER_REJECTED',
        program: 'forgets_null_check',
        summary: "R0 invalid mem access 'map_value_or_null'",
        insn: 8,
        function: 'forgets_null_check',
        source: { file: './rejected.bpf.c', line: 15, text: '*slot = 1;' },
        hint: 'compare the pointer with NULL and use it only where it is not',
      })
      expect(isTsbpfError(error) && error.message).toBe(
        [
          "the kernel's verifier refuses program forgets_null_check: R0 invalid mem access 'map_value_or_null'",
          '  at insn 8: (7b) *(u64 *)(r0 +0) = r1',
          '  ./rejected.bpf.c:15:9: *slot = 1;',
        ].join('\n'),
      )
      expect((error as { log: string }).log).toContain('processed 8 insns')
    })
  })

  it('names the CO-RE relocation that was poisoned', async () => {
    await leavesNothing(() => {
      expect(() => loadSync(objectSpec('poisoned'))).toThrow(
        expect.objectContaining({
          code: 'LOADER_POISONED',
          message: expect.stringContaining(
            '<byte_off> struct task_struct.member_that_no_kernel_has',
          ) as string,
          hint: expect.stringContaining('bpf_core_field_exists') as string,
        }),
      )
    })
  })

  const failures = [
    ['big-endian', () => loadSync(objectSpec('tracer.eb')), 'LOADER_BYTE_ORDER'],
    [
      'wrong constant',
      () => loadSync(objectSpec('tracer'), { rodata: { only_pid: 1 } }),
      'LOADER_UNKNOWN_VARIABLE',
    ],
    [
      'variable among constants',
      () => loadSync(objectSpec('tracer'), { rodata: { seen: 1n } }),
      'LOADER_UNKNOWN_VARIABLE',
    ],
    [
      'wrong value',
      () => loadSync(objectSpec('tracer'), { rodata: { only_tgid: -1 } }),
      'LOADER_VARIABLE_VALUE',
    ],
    ['wrong map', () => loadSync(objectSpec('tracer'), { maxEntries: { stat: 1 } }), 'LOADER_UNKNOWN_MAP'],
    ['no entries', () => loadSync(objectSpec('tracer'), { maxEntries: { totals: 0 } }), 'MAP_CREATE'],
    [
      'wrong program',
      () => loadSync(objectSpec('tracer'), { programs: ['count'] }),
      'LOADER_UNKNOWN_PROGRAM',
    ],
  ] as const
  for (const [name, attempt, code] of failures) {
    it(`leaves nothing behind: ${name}`, async () => {
      await leavesNothing(() => {
        expect(attempt).toThrow(expect.objectContaining({ code }))
      })
    })
  }

  it('suggests the nearest name', () => {
    using bpf = loadSync(objectSpec('tracer'))
    expect(() => bpf.map('stat')).toThrow(
      expect.objectContaining({
        code: 'LOADER_UNKNOWN_MAP',
        hint: expect.stringContaining('did you mean stats?') as string,
      }),
    )
    expect(() => bpf.program('count_call')).toThrow(
      expect.objectContaining({ code: 'LOADER_UNKNOWN_PROGRAM' }),
    )
    expect(() => bpf.variable('sen')).toThrow(expect.objectContaining({ code: 'LOADER_UNKNOWN_VARIABLE' }))
  })
})
