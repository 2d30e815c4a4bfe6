import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseObject } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'
import { requires } from '@tsbpf/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadSync } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'

const oracles = process.env['TSBPF_ORACLES']
const gate = requires({
  root: true,
  kernel: [5, 15],
  commands: ['gcc', 'clang-19'],
  missing: oracles === undefined || process.arch !== 'x64',
  reason:
    "compiles a program with USDT probes, and its tracer with libbpf's headers (TSBPF_ORACLES, on x86-64)",
})

/** There a compilation takes half a minute. */
const emulated = process.env['TSBPF_VM'] !== undefined
const multiGate = requires({ kernel: [6, 6], reason: 'attaches to many places by one link' })

interface Event {
  readonly which: number
  readonly count: number
  readonly cookie: bigint
  readonly args: readonly bigint[]
  readonly errors: readonly bigint[]
}

const EINVAL = -22n
const ENOENT = -2n

describe.skipIf(gate.skip)(gate.title('USDT probes'), () => {
  let folder = ''
  let target = ''
  const source = (name: string): string => new URL(`usdt/${name}`, import.meta.url).pathname

  const compiled = new Map<string, ObjectSpec>()
  /** The tracer, compiled with the headers of a version of libbpf. */
  const tracer = (include: string, ...flags: string[]): ObjectSpec => {
    const known = compiled.get([include, ...flags].join(' '))
    if (known !== undefined) return known
    const object = join(folder, 'program.bpf.o')
    const system = ['-D__TARGET_ARCH_x86', `-I${include}`, '-I/usr/include/x86_64-linux-gnu']
    const args = ['-g', '-O2', '-target', 'bpf', ...system, ...flags, '-c', source('program.bpf.c')]
    execFileSync('clang-19', [...args, '-o', object])
    const spec = parseObject(new Uint8Array(readFileSync(object)))
    compiled.set([include, ...flags].join(' '), spec)
    return spec
  }
  const newest = join(oracles ?? '', 'include')

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbpf-usdt-'))
    target = join(folder, 'target')
    // Position-independent, and loaded at another address each time.
    execFileSync('gcc', ['-O1', '-fPIE', '-pie', source('target.c'), '-o', target])
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  /** Runs the program with the probes; what it saw of the semaphore. */
  const run = (): string => execFileSync(target, { encoding: 'utf8' }).trim()

  const first = [-5n, 0x1122334455667788n, -3n, 40n, -77n, 0n]

  const variants = [
    { headers: "libbpf's of today", include: newest, sib: 0n },
    { headers: 'those without scaled indexes', include: '/usr/include', sib: EINVAL },
  ]
  it.each(emulated ? variants.slice(0, 1) : variants)(
    'give programs their arguments, with headers that are $headers',
    async ({ include, sib }) => {
      await leavesNothing(() => {
        using bpf = loadSync(tracer(include))
        const link = bpf.program('first').attach({ target: `${target}:own:probe`, cookie: 99n })
        expect(link.info()).toMatchObject({ kind: 'usdt', target: `${target}:own:probe` })
        expect(run()).toBe('listened to')
        const events = bpf.ringBuffer<Event>('events').read()
        expect(events).toMatchObject([
          {
            which: 1,
            count: 6,
            cookie: 99n,
            args: first.with(3, sib === 0n ? 40n : 0n),
            errors: [0n, 0n, 0n, sib, 0n, EINVAL],
          },
          {
            count: 1,
            args: [0xffn, 0n, 0n, 0n, 0n, 0n],
            errors: [0n, ENOENT, ENOENT, ENOENT, ENOENT, ENOENT],
          },
          { count: 0, errors: Array.from({ length: 6 }, () => ENOENT) },
        ])
        link.detach()
        expect(run()).toBe('alone')
        expect(bpf.ringBuffer('events').read()).toEqual([])
      })
    },
  )

  it('of several programs keep their arguments and cookies apart', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(tracer(newest))
      const options = { target: `${target}:own:probe` }
      using one = bpf.program('first').attach({ ...options, cookie: 1n })
      using two = bpf.program('second').attach({ ...options, cookie: 2n })
      expect(run()).toBe('listened to')
      const events = bpf.ringBuffer<Event>('events').read()
      expect(events.filter(({ which }) => which === 1)).toHaveLength(3)
      expect(events.every(({ which, cookie }) => BigInt(which) === cookie)).toBe(true)
      expect([one.target, two.target]).toEqual([options.target, options.target])
    })
  })

  it.skipIf(multiGate.skip)(
    multiGate.title('attach by one link where the program is loaded for that'),
    async () => {
      await leavesNothing(() => {
        const spec = tracer(newest)
        const programs = spec.programs.map((program) => ({ ...program, attachType: 'trace_uprobe_multi' }))
        using bpf = loadSync({ ...spec, programs })
        using link = bpf.program('first').attach({ target: `${target}:own:probe`, cookie: 5n })
        expect(link.kind).toBe('usdt')
        expect(run()).toBe('listened to')
        const [event] = bpf.ringBuffer<Event>('events').read()
        expect(event).toMatchObject({ count: 6, cookie: 5n, args: first })
      })
    },
  )

  it.skipIf(emulated)('are refused with a reason, and leave the arguments of others alone', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(tracer(newest, '-DBPF_USDT_MAX_SPEC_CNT=4'))
      const attach = (name: string) => bpf.program('first').attach({ target: `${target}:${name}` })
      const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error
      expect(() => attach('own')).toThrow(code('LINK_BAD_TARGET'))
      expect(() => attach('own:prob')).toThrow(code('LINK_UNKNOWN_PROBE'))
      for (let times = 0; times < 3; times++) {
        using link = attach('own:probe')
        expect(link.detached).toBe(false)
        expect(() => attach('own:probe')).toThrow(code('LINK_USDT_FULL'))
        expect(run()).toBe('listened to')
        const [event] = bpf.ringBuffer<Event>('events').read()
        expect(event).toMatchObject({ args: first })
      }
    })
  })
})
