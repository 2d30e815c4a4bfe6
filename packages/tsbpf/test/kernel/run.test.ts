import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeObject, parseObject } from '@tsbpf/object'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kernelObjects, untilGone } from '../../src/kernel-objects.ts'
import { main } from '../../src/main.ts'
import { schemaProblems } from '../support/schema.ts'
import { testIo } from '../support/test-io.ts'

const path = (name: string): string => fileURLToPath(new URL(`../../../../${name}`, import.meta.url))
const object = path('examples/syscount/syscount.bpf.o')
const bin = path('packages/tsbpf/bin/tsbpf.js')
const start = path('tools/start.mjs')

const gate = requires({ root: true, kernel: [5, 8], reason: 'loads programs' })
const built =
  existsSync(path('packages/tsbpf/dist/main.js')) && existsSync(path('examples/dist/syscount/main.js'))
const unbuilt = built ? '' : ' [not run: nothing has been built, npm run build does it]'

/** What is in the kernel now and was not there before. */
async function left(before: ReadonlySet<string>): Promise<readonly string[]> {
  const added = (): string[] => [...kernelObjects()].filter((one) => !before.has(one))
  await untilGone(added())
  return added()
}

interface Line {
  readonly type: string
  readonly time: number
  readonly map?: string
  readonly entries?: readonly { readonly key: number; readonly value: string }[]
  readonly reason?: string
}

function linesOf(text: string): readonly Line[] {
  expect(text).toMatch(/\n$/)
  const lines = text.slice(0, -1).split('\n')
  return lines.map((line) => JSON.parse(line) as Line)
}

/** The test runner asks for colours in CI, and its children would give them. */
const plain = { PATH: process.env['PATH'], NO_COLOR: '1' }

describe.skipIf(gate.skip)(gate.title('tsbpf run'), () => {
  let before: ReadonlySet<string>
  beforeEach(() => {
    before = kernelObjects()
  })
  afterEach(async () => {
    expect(await left(before)).toEqual([])
  })

  it('prints one JSON object per line, ends with the summary, and leaves no descriptor', async () => {
    await main(['run', object, '--duration', '0.1', '--json'], testIo())
    const open = descriptors()
    const io = testIo()
    expect(await main(['run', object, '--duration', '1.2', '--json'], io)).toBe(0)
    expectNoLeak(open, descriptors())
    expect(io.err()).toBe('')

    const lines = linesOf(io.out())
    for (const line of lines) expect(schemaProblems('run', line)).toBeUndefined()
    expect(lines.map(({ type }) => type)).toEqual(['map', 'map', 'summary'])
    expect(lines.map(({ time }) => Math.floor(time))).toEqual([1, 1, 1])
    const own = lines.map(({ entries }) => entries?.find(({ key }) => key === process.pid)?.value)
    expect(Number(own[0])).toBeGreaterThan(0)
    expect(Number(own[1])).toBeGreaterThanOrEqual(Number(own[0]))
    expect(lines.at(-1)).toMatchObject({
      programs: [{ name: 'count_syscalls', type: 'tracepoint', attachTo: 'raw_syscalls/sys_enter' }],
      maps: ['syscall_count', '.rodata'],
      reason: 'duration',
    })
  })

  it('prints records and trace output as they come', async () => {
    const events = path('packages/loader/test/kernel/objects/events.bpf.o')
    const io = testIo()
    const calls = setInterval(() => getPriority(), 50)
    try {
      const argv = ['run', events, '--duration', '0.6', '--json', '--event', 'samples=struct event']
      expect(await main(argv, io)).toBe(0)
    } finally {
      clearInterval(calls)
    }
    expect(io.err()).toBe('')
    const lines = linesOf(io.out())
    for (const line of lines) expect(schemaProblems('run', line)).toBeUndefined()
    const event = { number: '0', tgid: process.pid, comm: expect.any(String) as string }
    expect(lines).toContainEqual(expect.objectContaining({ type: 'event', map: 'typed', value: event }))
    expect(lines).toContainEqual(expect.objectContaining({ type: 'event', map: 'samples', value: event }))
    const bytes = Buffer.from(new Uint32Array([process.pid]).buffer).toString('hex')
    expect(lines).toContainEqual(expect.objectContaining({ type: 'event', map: 'untyped', value: bytes }))
    const text = `event 0 of ${process.pid}`
    expect(lines).toContainEqual(expect.objectContaining({ type: 'trace', tid: process.pid, text }))
    const ofType = (wanted: string) => lines.filter(({ type, map }) => type === wanted && map !== 'untyped')
    expect(ofType('trace').length).toBeGreaterThan(3)
    expect(ofType('event')).toHaveLength(2 * ofType('trace').length)
  })

  it('prints records and trace output in lines for people', async () => {
    const events = path('packages/loader/test/kernel/objects/events.bpf.o')
    const io = testIo()
    const calls = setInterval(() => getPriority(), 50)
    try {
      expect(await main(['run', events, '--duration', '0.4'], io)).toBe(0)
    } finally {
      clearInterval(calls)
    }
    const event = String.raw`\{"number":"0","tgid":${process.pid},"comm":"[^"]*"\}`
    expect(io.out()).toMatch(new RegExp(`^ +0\\.\\d{3} typed ${event}$`, 'm'))
    expect(io.out()).toMatch(new RegExp(`^ +0\\.\\d{3} trace .*-${process.pid} \\[\\d+\\] event 0 of`, 'm'))
  })

  it.each([
    { event: 'typed', code: 'CLI_EVENT_TYPE', hint: 'give both' },
    { event: 'tiped=struct event', code: 'CLI_EVENT_MAP', hint: 'did you mean typed?' },
    { event: 'typed=struct evnt', code: 'BTF_NO_TYPE', hint: 'did you mean event?' },
  ])('refuses --event $event with $code before anything is loaded', async ({ event, code, hint }) => {
    const events = path('packages/loader/test/kernel/objects/events.bpf.o')
    const io = testIo()
    expect(await main(['run', events, '--event', event], io)).toBe(1)
    expect(io.err()).toMatch(`error[${code}]: `)
    expect(io.err()).toMatch(`hint: ${hint}`)
  })

  it('pins no map, whatever the object asks for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsbpf-run-'))
    try {
      const file = join(folder, 'pinned.bpf.o')
      const spec = parseObject(new Uint8Array(readFileSync(object)))
      const maps = spec.maps.map((map) =>
        map.data === undefined ? { ...map, pinning: 'by_name' as const } : map,
      )
      writeFileSync(file, encodeObject({ ...spec, maps }))
      const io = testIo()
      expect(await main(['inspect', file, '--json'], io)).toBe(0)
      expect(io.out()).toMatch(/"pinning": *"by_name"/)
      const pins = readdirSync('/sys/fs/bpf')
      expect(await main(['run', file, '--duration', '0.2'], io)).toBe(0)
      expect(readdirSync('/sys/fs/bpf')).toEqual(pins)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('prints tables for people', async () => {
    const io = testIo()
    expect(await main(['run', object, '--duration', '0.2'], io)).toBe(0)
    expect(io.out()).toMatch(/^attached count_syscalls to tracepoint raw_syscalls\/sys_enter\n/)
    expect(io.out()).toMatch(new RegExp(`^ +key +value\\n(.*\\n)* +${process.pid} +\\d+$`, 'm'))
    expect(io.out()).toMatch(/\ndone after 0\.\d s: 1 program detached, nothing is left\n$/)
  })

  it('ends with the summary when it is interrupted', async () => {
    const io = testIo()
    const done = main(['run', object, '--json'], io)
    setTimeout(io.interrupt, 700)
    expect(await done).toBe(0)
    expect(linesOf(io.out()).at(-1)).toMatchObject({ type: 'summary', reason: 'interrupted' })
  })

  it('is interrupted while it loads, too', async () => {
    const io = testIo({ impatient: true })
    expect(await main(['run', object, '--json'], io)).toBe(0)
    expect(linesOf(io.out()).at(-1)).toMatchObject({ type: 'summary', reason: 'interrupted' })
  })

  it.each([
    {
      argv: [object, '--program', 'count_sysclls'],
      code: 'LOADER_UNKNOWN_PROGRAM',
      hint: 'did you mean count_syscalls?',
    },
    {
      argv: [path('packages/tsbpf/test/golden/objects/many.bpf.o'), '--program', 'first'],
      code: 'CLI_NOTHING_TO_RUN',
      hint: 'tsbpf inspect',
    },
  ])('refuses $argv with $code and leaves nothing', async ({ argv, code, hint }) => {
    const io = testIo()
    expect(await main(['run', ...argv], io)).toBe(1)
    expect(io.out()).toBe('')
    expect(io.err()).toMatch(`error[${code}]: `)
    expect(io.err()).toMatch(`hint: ${hint}`)
  })

  it('prints what the verifier refuses as compilers print errors, and leaves nothing', async () => {
    const io = testIo()
    expect(await main(['run', path('packages/loader/test/kernel/objects/rejected.bpf.o')], io)).toBe(1)
    expect(io.out()).toBe('')
    expect(io.err()).toContain(
      [
        "error[LOADER_REJECTED]: the kernel's verifier refuses program forgets_null_check: R0 invalid mem access 'map_value_or_null'",
        '  --> ./rejected.bpf.c:15:9',
        '   |',
        '15 | *slot = 1;',
        '   | ^^^^^^^^^^',
        'instruction 8 of forgets_null_check:\n',
      ].join('\n'),
    )
    expect(io.err()).toMatch(/\n> +8: \(7b\) \*\(u64 \*\)\(r0 \+0\) = r1\n/)
    expect(io.err()).toMatch(/\nregisters and stack before it:\n {2}R0 += map_value_or_null\(/)
    expect(io.err()).toMatch(/\nmeaning: .*\nhint: compare the pointer with NULL .*\nlog: .*\n$/)
  })

  describe.skipIf(!built)(`as a process${unbuilt}`, () => {
    const begin = (...argv: string[]) => {
      const child = spawn(process.execPath, [bin, 'run', object, ...argv], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let out = ''
      let err = ''
      child.stdout.on('data', (data: Buffer) => (out += data.toString()))
      child.stderr.on('data', (data: Buffer) => (err += data.toString()))
      const attached = new Promise((resolve) => child.stdout.once('data', resolve))
      const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
        child.on('close', (code, signal) => {
          resolve({ code, signal })
        })
      })
      return { child, attached, exit, out: () => out, err: () => err }
    }

    it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
      '%s detaches, prints the summary and exits 0',
      async (signal) => {
        const run = begin()
        await run.attached
        run.child.kill(signal)
        expect(await run.exit).toEqual({ code: 0, signal: null })
        expect(run.err()).toBe('')
        expect(run.out()).toMatch(/stopped after \d+\.\d s: 1 program detached, nothing is left\n$/)
      },
    )

    it('SIGKILL while attached leaves nothing behind', async () => {
      const run = begin()
      await run.attached
      expect([...kernelObjects()].filter((one) => !before.has(one)).length).toBeGreaterThanOrEqual(3)
      run.child.kill('SIGKILL')
      expect(await run.exit).toEqual({ code: null, signal: 'SIGKILL' })
    })

    it(
      'npm start counts system calls for five seconds and leaves nothing behind',
      { timeout: 30_000 },
      () => {
        const started = performance.now()
        const { status, stdout, stderr } = spawnSync(process.execPath, [start], {
          encoding: 'utf8',
          env: plain,
        })
        // Whoever looks right after it has ended finds nothing, without waiting.
        expect([...kernelObjects()].filter((one) => !before.has(one))).toEqual([])
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
        expect(stdout).toMatch(/^ +pid +command +syscalls +per second\n( +\d+ +.* +\d+ +\d+\n)+5 s\n$/)
        expect(performance.now() - started).toBeGreaterThan(5000)
      },
    )

    it('npm start -- FILE.o runs any object', () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [start, object, '--duration', '0.2'], {
        encoding: 'utf8',
        env: plain,
      })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(/^attached count_syscalls .*\n(.*\n)*done after 0\.\d s: .*\n$/)
    })

    it('ends quietly when the reader has gone', async () => {
      const run = begin('--json')
      await run.attached
      run.child.stdout.destroy()
      expect(await run.exit).toEqual({ code: 0, signal: null })
      expect(run.err()).toBe('')
    })
  })
})

const nobody = 65534
const canBeNobody =
  built && !gate.skip
    ? spawnSync(process.execPath, [bin, '--version'], { uid: nobody, gid: nobody }).status === 0
    : false
const nobodyGate = requires({
  root: true,
  kernel: [5, 8],
  missing: !canBeNobody,
  reason: 'another user who can read the built files of this folder',
})

describe.skipIf(nobodyGate.skip)(nobodyGate.title('without privilege'), () => {
  const asNobody = (...argv: string[]) =>
    spawnSync(process.execPath, argv, {
      uid: nobody,
      gid: nobody,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    })

  it('tsbpf run exits 1 and says which capability is missing', () => {
    const { status, stdout, stderr } = asNobody(bin, 'run', object, '--duration', '1', '--json')
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(
      /^error\[MAP_CREATE_DENIED\]: .*EPERM.*CAP_BPF\nhint: run as root, or grant CAP_BPF.*\n$/,
    )
  })

  it.each([[[]], [[object]]])('npm start is a dry run: %s', (argv) => {
    const { status, stdout, stderr } = asNobody(start, ...argv)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^dry run of .*syscount\.bpf\.o: nothing is loaded into the kernel\n/)
    expect(stdout).toMatch(/count_syscalls +12 +byte_off +struct task_struct\.real_parent .* 8 -> \d+\n/)
    expect(stdout).toMatch(/count_syscalls +tracepoint +55 +tracepoint raw_syscalls\/sys_enter\n/)
    for (const name of ['CAP_BPF', 'CAP_PERFMON', '/sys/kernel/tracing']) {
      expect(stdout).toMatch(new RegExp(`\\n  ${name}, needed to .*\\n    .*(root|grant|mount)`))
    }
  })

  it('tsbpf run --dry-run says the same as JSON', () => {
    const { status, stdout, stderr } = asNobody(bin, 'run', object, '--dry-run', '--json')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const document = JSON.parse(stdout) as { missing: { name: string }[] }
    expect(schemaProblems('run', document)).toBeUndefined()
    expect(document.missing.map(({ name }) => name)).toEqual([
      'CAP_BPF',
      'CAP_PERFMON',
      '/sys/kernel/tracing',
    ])
  })
})

/** A file system of one's own, in which the kernel's BTF can be hidden. */
const canUnshare = built && !gate.skip ? spawnSync('unshare', ['-m', 'true']).status === 0 : false
const hiddenGate = requires({
  root: true,
  missing: !canUnshare,
  reason: 'unshare(1), and the built files of this folder',
})

describe.skipIf(hiddenGate.skip)(hiddenGate.title('on a kernel that shows no BTF'), () => {
  const withoutBtf = (...argv: string[]) =>
    spawnSync(
      'unshare',
      ['-m', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"', process.execPath, ...argv],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
      },
    )

  it('tsbpf run exits 1 and says so', () => {
    const { status, stdout, stderr } = withoutBtf(bin, 'run', object, '--duration', '1')
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^error\[LOADER_NO_KERNEL_BTF\]: .*\nhint: .*\n$/)
  })

  it('core-reloc asks for a target', () => {
    const { status, stdout, stderr } = withoutBtf(bin, 'core-reloc', object)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^error\[CLI_NO_KERNEL_BTF\]: .*\nhint: .*--target.*\n$/)
  })

  it('npm start relocates to the pinned BTF and is a dry run', () => {
    const { status, stdout, stderr } = withoutBtf(start)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/real_parent .* 8 -> 2448\n/)
    expect(stdout).toMatch(/\nmissing\n {2}the kernel's BTF is needed/)
  })
})
