import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  binaryCache,
  buildIdStackCodec,
  formatFrame,
  kernelSymbols,
  stackCodec,
  symbolizeStack,
  userSymbols,
} from '../../src/index.ts'
import type { UserSymbols } from '../../src/index.ts'
import { StackProgram, StackTracer } from '../support/stacks.ts'

const gate = requires({
  root: true,
  kernel: [5, 8],
  commands: ['gcc', 'nm', 'addr2line', 'readelf', 'strip', 'objcopy', 'unshare'],
  missing: process.arch !== 'x64',
  reason: 'stacks of processes',
})
const chain = ['library_inner', 'library_entry', 'outer', 'main']

/** What addr2line says of an offset of a file. */
function addr2line(file: string, fileOffset: number): string {
  const segments = execFileSync('readelf', ['-lW', file], { encoding: 'utf8' })
  for (const match of segments.matchAll(/LOAD\s+(0x\w+) (0x\w+) 0x\w+ (0x\w+)/g)) {
    const [offset, vaddr, size] = match.slice(1).map(Number) as [number, number, number]
    if (fileOffset < offset || fileOffset >= offset + size) continue
    const address = (fileOffset - offset + vaddr).toString(16)
    return execFileSync('addr2line', ['-f', '-e', file, address], { encoding: 'utf8' }).split('\n')[0] ?? ''
  }
  return 'no segment'
}

describe.skipIf(gate.skip)(gate.title('stacks'), () => {
  const sys = gate.skip ? undefined! : nativeSys()
  let before: ReturnType<typeof descriptors>
  beforeEach(() => {
    nativeSys()
    before = descriptors()
  })
  afterEach(() => {
    expectNoLeak(before, descriptors())
  })

  const expectFunctions = (symbols: UserSymbols, functions: ReadonlyMap<string, bigint>): void => {
    for (const [name, address] of functions) {
      expect(symbols.find(address)).toMatchObject({ name, offset: 0 })
      expect(symbols.find(address + 3n)).toMatchObject({ name, offset: 3 })
    }
  }

  it.each([
    ['a program at random addresses', ['-pie', '-fPIE']],
    ['a program at a fixed address', ['-no-pie', '-fno-pie']],
  ])('names the frames of %s and its library', async (_what, options) => {
    using built = new StackProgram(options)
    await using running = await built.start()
    using tracer = new StackTracer(sys, running.pid, stackCodec(127))
    await running.run()
    using user = userSymbols(sys, running.pid)
    expectFunctions(user, running.functions)
    const frames = symbolizeStack(tracer.stack('user'), { user })
    expect(frames.slice(0, 4).map(({ name }) => name)).toEqual(chain)
    expect(frames.slice(0, 4).map(({ module }) => module)).toEqual([
      built.library,
      built.library,
      built.program,
      built.program,
    ])
    for (const { name, address, offset, module, fileOffset } of frames.slice(0, 4)) {
      // A return address may be behind the function's end: the call is one byte before at most.
      expect(addr2line(module ?? '', (fileOffset ?? 0) - 1)).toBe(name)
      const start = (address ?? 0n) - BigInt(offset ?? 0)
      expect(running.functions.get(name ?? '') ?? start).toBe(start)
    }
    // main is called by the C library, of which nm knows the exported names alone.
    expect(frames[4]?.module).toMatch(/libc\.so/)
    expect(user.unreadable.size).toBe(0)

    const kernel = kernelSymbols(sys)
    const inKernel = symbolizeStack(tracer.stack('kernel'), { kernel, user })
    const names = inKernel.map(({ name }) => name)
    expect(names).toContain('do_syscall_64')
    expect(names).toContain('entry_SYSCALL_64_after_hwframe')
    const kallsyms = readFileSync('/proc/kallsyms', 'latin1')
    for (const frame of inKernel) {
      const start = (frame.address ?? 0n) - BigInt(frame.offset ?? 0)
      const line = ` ${frame.name}${frame.module === undefined ? '' : `\t[${frame.module}]`}\n`
      expect(kallsyms).toMatch(new RegExp(`${start.toString(16)} .${line.replaceAll(/[[\].]/g, '\\$&')}`))
    }
    // The program that took the stack is itself in it.
    expect(
      inKernel.some(({ name, module }) => name?.startsWith('bpf_prog_') === true && module === 'bpf'),
    ).toBe(true)
    expect(formatFrame(inKernel.at(-1)!)).toMatch(/^entry_SYSCALL_64_after_hwframe\+0x[0-9a-f]+$/)
  })

  it('names the functions of the vDSO', () => {
    const maps = readFileSync('/proc/self/maps', 'latin1')
    const [, from = '', to = ''] = /^(\w+)-(\w+) .*\[vdso\]$/m.exec(maps) ?? []
    const start = BigInt(`0x${from}`)
    const image = new Uint8Array(Number(BigInt(`0x${to}`) - start))
    const folder = mkdtempSync(join(tmpdir(), 'tsbpf-vdso-'))
    const memory = openSync('/proc/self/mem', 'r')
    try {
      expect(readSync(memory, image, 0, image.length, start)).toBe(image.length)
      writeFileSync(join(folder, 'vdso'), image)
      const nm = execFileSync('nm', ['-D', '-S', '--defined-only', join(folder, 'vdso')], {
        encoding: 'utf8',
      })
      const functions = [...nm.matchAll(/^(\w+) \w+ T (__vdso_\w+)/gm)]
      expect(functions.map(([, , name]) => name)).toContain('__vdso_clock_gettime')
      using symbols = userSymbols(sys, 'self')
      for (const [, at = '', name] of functions) {
        const found = symbols.find(start + BigInt(`0x${at}`) + 1n)
        expect(found).toMatchObject({ name, offset: 1, file: '[vdso]' })
      }
      expect(symbols.unreadable.size).toBe(0)
    } finally {
      closeSync(memory)
      rmSync(folder, { recursive: true })
    }
  })

  it('names the frames of stacks by build id', async () => {
    using built = new StackProgram()
    await using running = await built.start()
    using tracer = new StackTracer(sys, running.pid, buildIdStackCodec(20), { buildId: true })
    await running.run()
    const stack = tracer.stack('user')
    const readelf = execFileSync('readelf', ['-n', built.library], { encoding: 'utf8' })
    const id = /Build ID: (\w+)/.exec(readelf)?.[1]
    expect(stack[0]).toMatchObject({ buildId: id })
    using user = userSymbols(sys, running.pid)
    const frames = symbolizeStack(stack, { user })
    expect(frames.slice(0, 4).map(({ name }) => name)).toEqual(chain)
    expect(frames[0]?.address).toBeUndefined()
    expect(formatFrame(frames[0]!)).toMatch(/^library_inner\+0x\w+ \(.*libstack\.so\)$/)
  })

  it('reads files that were deleted, and those of another mount namespace', async () => {
    using built = new StackProgram()
    {
      await using running = await built.start()
      rmSync(built.library)
      rmSync(built.program)
      using user = userSymbols(sys, running.pid)
      expectFunctions(user, running.functions)
      expect(user.unreadable.size).toBe(0)
    }
    using hidden = new StackProgram()
    const script =
      'mkdir in && mount -t tmpfs none in && cp program libstack.so in && rm program libstack.so && exec ./in/program'
    await using running = await hidden.start(['unshare', '-m', 'sh', '-c', script])
    using user = userSymbols(sys, running.pid)
    expectFunctions(user, running.functions)
    expect(user.find(running.functions.get('main')!)?.file).toBe(`${hidden.folder}/in/program`)
  })

  it('finds the symbols that were split off, by build id and by .gnu_debuglink', async () => {
    for (const options of [[], ['-Wl,--build-id=none']]) {
      using built = new StackProgram(options)
      execFileSync('objcopy', ['--only-keep-debug', 'program', 'program.debug'], { cwd: built.folder })
      execFileSync('strip', ['program'], { cwd: built.folder })
      {
        await using running = await built.start()
        using user = userSymbols(sys, running.pid)
        expect(user.find(running.functions.get('outer')!)?.name).not.toBe('outer')
      }
      execFileSync('objcopy', ['--add-gnu-debuglink=program.debug', 'program'], { cwd: built.folder })
      await using running = await built.start()
      using user = userSymbols(sys, running.pid)
      expectFunctions(user, running.functions)
    }
  })

  it('keeps what it knows of a process that has ended, and shares files', async () => {
    using built = new StackProgram()
    const cache = binaryCache()
    const running = await built.start()
    using user = userSymbols(sys, running.pid, { maxAge: 0, cache })
    expectFunctions(user, running.functions)
    await using second = await built.start()
    using other = userSymbols(sys, second.pid, { cache })
    const { count, byteLength } = cache
    expectFunctions(other, second.functions)
    expect([cache.count, cache.byteLength]).toEqual([count, byteLength])
    await running.stop()
    expectFunctions(user, running.functions)
    expect(() => userSymbols(sys, running.pid)).toThrow(/cannot be read/)
    user.dispose()
    user.dispose()
    expect(() => user.find(0n)).toThrow(expect.objectContaining({ code: 'SYMBOLS_DISPOSED' }) as Error)
  })
})
