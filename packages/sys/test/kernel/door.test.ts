import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { linux } from '@tsbpf/uapi'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { failure, Fd, mapFile, objUnpin, readFile } from '../../src/index.ts'
import { nativeSys } from '../../src/native/index.ts'
import { bpfObjects, objectsLeft } from '../support/objects.ts'
import { runScript } from '../support/child.ts'
import { heavyProgram } from '../support/programs.ts'

const gate = requires({ reason: 'the native door' })
const privileged = requires({ root: true, reason: 'bpf(2)' })
const readinesses = ['uv', 'epoll'] as const

describe.skipIf(gate.skip)(gate.title('native door'), () => {
  const sys = gate.skip ? undefined! : nativeSys()
  let folder: string
  let file: string
  let openBefore: ReturnType<typeof descriptors>

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbpf-door-'))
    file = join(folder, 'mapped')
    writeFileSync(file, new Uint8Array(8192).fill(0x61))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    openBefore = descriptors()
  })
  afterEach(() => {
    expectNoLeak(openBefore, descriptors())
  })
  const fifo = (name: string): string => {
    const path = join(folder, name)
    execFileSync('mkfifo', [path])
    return path
  }
  const open = (path: string, flags: number = linux.O_RDONLY): Fd =>
    new Fd(sys, sys.openat(linux.AT_FDCWD, path, flags), path)
  const mapped = (path: string): number => readFileSync('/proc/self/maps', 'utf8').split(path).length - 1

  it('is one door in an environment', () => {
    expect(nativeSys()).toBe(sys)
    expect(nativeSys({ readiness: 'epoll' })).not.toBe(nativeSys({ readiness: 'uv' }))
  })

  it('closes what it opened, once, and nothing else', () => {
    const fd = sys.openat(linux.AT_FDCWD, file, linux.O_RDONLY)
    expect(sys.fileSize(fd)).toBe(8192)
    const bytes = new Uint8Array(8)
    expect(sys.read(fd, bytes)).toBe(8)
    const again = new Uint8Array(4)
    expect([sys.pread(fd, again, 4), again]).toEqual([4, bytes.slice(4, 8)])
    expect(sys.pread(-1, again, 0)).toBe(failure('EBADF'))
    expect(bytes).toEqual(new Uint8Array(8).fill(0x61))
    expect(sys.close(fd)).toBe(0)
    expect(sys.close(fd)).toBe(failure('EBADF'))
    for (const foreign of [0, 1, 2, -1, 2 ** 31 - 1]) expect(sys.close(foreign)).toBe(failure('EBADF'))
    expect(descriptors().has(1)).toBe(true)
  })

  it('keeps account of many descriptors', () => {
    const fds = Array.from({ length: 200 }, () => sys.openat(linux.AT_FDCWD, file, linux.O_RDONLY))
    expect(new Set(fds).size).toBe(200)
    for (const fd of fds) expect(sys.close(fd)).toBe(0)
  })

  it('opens with close-on-exec', () => {
    using fd = open(file)
    expect(readFileSync(`/proc/self/fdinfo/${fd.value}`, 'utf8')).toMatch(/flags:\s*02\d+/)
  })

  it('removes names of files, and no folders', () => {
    const path = join(folder, 'removed')
    writeFileSync(path, '')
    expect(sys.unlinkat(linux.AT_FDCWD, folder, 0)).toBe(failure('EISDIR'))
    expect(sys.unlinkat(linux.AT_FDCWD, path, 0)).toBe(0)
    expect(sys.unlinkat(linux.AT_FDCWD, path, 0)).toBe(failure('ENOENT'))
    // Were it cut to what the system call takes, it would name something else.
    expect(() => objUnpin(sys, `${'./'.repeat(2048)}${path}`)).toThrow(/ENAMETOOLONG/)
  })

  it('answers with the negated errno', () => {
    expect(sys.openat(linux.AT_FDCWD, join(folder, 'missing'), linux.O_RDONLY)).toBe(failure('ENOENT'))
    expect(sys.read(-1, new Uint8Array(1))).toBe(failure('EBADF'))
    expect(sys.openat(linux.AT_FDCWD, 'x'.repeat(10_000), linux.O_RDONLY)).toBe(failure('ENAMETOOLONG'))
    expect(sys.geteuid()).toBe(process.geteuid?.())
  })

  it('makes and removes folders and files', () => {
    const made = join(folder, 'made')
    expect(sys.mkdirat(linux.AT_FDCWD, made, 0o700)).toBe(0)
    expect(sys.mkdirat(linux.AT_FDCWD, made, 0o700)).toBe(failure('EEXIST'))
    writeFileSync(join(made, 'one'), '')
    expect(sys.unlinkat(linux.AT_FDCWD, made, linux.AT_REMOVEDIR)).toBe(failure('ENOTEMPTY'))
    expect(sys.unlinkat(linux.AT_FDCWD, join(made, 'one'), 0)).toBe(0)
    expect(sys.unlinkat(linux.AT_FDCWD, made, linux.AT_REMOVEDIR)).toBe(0)
    expect(sys.unlinkat(linux.AT_FDCWD, made, 0)).toBe(failure('ENOENT'))
  })

  it('reads files of any kind whole', () => {
    expect(readFile(sys, file)).toEqual(new Uint8Array(8192).fill(0x61))
    expect(new TextDecoder().decode(readFile(sys, '/proc/self/status'))).toContain('CapEff:')
    expect(new TextDecoder().decode(readFile(sys, '/proc/cpuinfo')).length).toBeGreaterThan(100)
    expect(readFile(sys, '/dev/null')).toHaveLength(0)
    expect(() => readFile(sys, file, { limit: 100 })).toThrow('is larger than 100 bytes')
    expect(() => readFile(sys, '/dev/zero', { limit: 100_000 })).toThrow('is larger than 100000 bytes')
    expect(() => readFile(sys, join(folder, 'missing'))).toThrow('failed with ENOENT')
  })

  it('maps files, and unmaps them at once', () => {
    const before = mapped(file)
    const bytes = mapFile(sys, file)
    expect(bytes.mapped).toBe(true)
    expect(bytes.bytes).toEqual(new Uint8Array(8192).fill(0x61))
    expect(mapped(file)).toBe(before + 1)
    bytes.dispose()
    expect(bytes.bytes).toHaveLength(0)
    expect(mapped(file)).toBe(before)
    bytes.dispose()
    using copied = mapFile(sys, '/proc/self/status')
    expect([copied.mapped, copied.bytes.length > 100]).toEqual([false, true])
  })

  it('maps no more than an ArrayBuffer holds, and nothing at an address', () => {
    using fd = open(file)
    expect(() => sys.mmap(fd.value, 2 ** 40, 1, linux.MAP_PRIVATE, 0)).toThrow(RangeError)
    expect(() => sys.mmap(fd.value, 4096, 1, linux.MAP_PRIVATE | linux.MAP_FIXED, 0)).toThrow(RangeError)
    expect(sys.mmap(fd.value, 0, 1, linux.MAP_PRIVATE, 0)).toBe(failure('EINVAL'))
    const large = sys.mmap(fd.value, 0xfffff000, linux.PROT_READ, linux.MAP_PRIVATE, 0)
    if (typeof large === 'number') throw new Error(`mmap of 4 GiB: ${large}`)
    expect(new Uint8Array(large.memory)[8191]).toBe(0x61)
    large.unmap()
  })

  it('unmaps what nothing holds any more', async () => {
    const { code, stdout, stderr } = await runScript('gc-unmaps.mjs', [file], ['--expose-gc'])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ before: 52, after: 2, fd: 0 })
  })

  describe.each(readinesses)('readiness by %s', (readiness) => {
    const door = gate.skip ? undefined! : nativeSys({ readiness })
    const uv = readiness === 'uv' ? '1' : '0'

    it('calls while the descriptor is readable, until stopped', async () => {
      using fd = open(fifo(`fifo-${readiness}`), linux.O_RDWR | linux.O_NONBLOCK)
      let calls = 0
      const bytes = new Uint8Array(1)
      const seen: number[] = []
      const watch = await new Promise<ReturnType<typeof door.watch>>((resolve) => {
        const started = door.watch(fd.value, () => {
          calls++
          // Leave it unread the first time: it must be called again.
          if (calls > 1 && door.read(fd.value, bytes) === 1) seen.push(bytes[0]!)
          if (seen.length === 3) resolve(started)
        })
        expect(door.watch(fd.value, () => undefined)).toBe(failure('EEXIST'))
        for (const byte of [1, 2, 3]) door.write(fd.value, Uint8Array.of(byte))
      })
      if (typeof watch === 'number') throw new Error(`watch: ${watch}`)
      expect(seen).toEqual([1, 2, 3])
      watch.stop()
      watch.stop()
      const after = calls
      door.write(fd.value, Uint8Array.of(4))
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(calls).toBe(after)
    })

    it('refuses what it does not own and what cannot be watched', () => {
      expect(door.watch(0, () => undefined)).toBe(failure('EBADF'))
      using fd = open(file)
      expect(door.watch(fd.value, () => undefined)).toBe(failure('EPERM'))
      expect(() => door.watch(fd.value, undefined as never)).toThrow(TypeError)
    })

    it('watches many, and starts and stops them again', async () => {
      const path = fifo(`many-${readiness}`)
      for (let round = 0; round < 3; round++) {
        const fds = Array.from({ length: 40 }, () => open(path, linux.O_RDWR | linux.O_NONBLOCK))
        const ready = new Set<number>()
        for (const fd of fds) {
          const watch = door.watch(fd.value, () => {
            ready.add(fd.value)
            if (ready.size === fds.length) door.read(fd.value, new Uint8Array(16))
          })
          expect(typeof watch).toBe('object')
        }
        door.write(fds[0]!.value, Uint8Array.of(1))
        while (ready.size < fds.length) await new Promise((resolve) => setTimeout(resolve, 1))
        // Closing stops the watches.
        for (const fd of fds) fd.dispose()
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    })

    it.each([
      ['stop', 'calls: 1\n'],
      ['close', 'calls: 1\n'],
      ['unused', 'calls: 0\n'],
      ['late', 'calls: 1\n'],
    ])('lets the process end after %s', async (what, expected) => {
      const end = await runScript('watch-life.mjs', [fifo(`${what}-${readiness}`), uv, what])
      expect(end).toMatchObject({ code: 0, stdout: expected, stderr: '' })
    })

    it('makes uncaught exceptions of what the callback throws', async () => {
      const end = await runScript('watch-life.mjs', [fifo(`throw-${readiness}`), uv, 'throw'])
      expect(end).toMatchObject({ code: 0, stderr: '' })
      expect(end.stdout).toBe('uncaught: thrown 1\nuncaught: thrown 2\ncalls: 2\n')
    })

    it('lets the callback exit', async () => {
      const end = await runScript('watch-life.mjs', [fifo(`exit-${readiness}`), uv, 'exit'])
      expect(end).toMatchObject({ code: 7, stdout: 'calls: 1\n', stderr: '' })
    })
  })

  describe('in Workers', () => {
    interface Told {
      readonly fds: readonly number[]
      readonly mapped: number
      readonly watch0: number
      readonly watch1: number
    }
    const start = async (workerData: object): Promise<{ worker: Worker; told: Told }> => {
      const worker = new Worker(new URL('../support/worker.mjs', import.meta.url), { workerData })
      const told = await new Promise<Told>((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
      return { worker, told }
    }
    /** Descriptors of ours only: the runtime keeps some of its own for a while after a Worker ended. */
    const ours = (): string[] =>
      [...descriptors().values()].filter((target) => target.includes(folder) || target.includes('bpf'))

    it('closes and unmaps all that a terminated one owned, and nothing of another', async () => {
      fifo('worker0')
      fifo('worker1')
      fifo('worker-b0')
      fifo('worker-b1')
      const first = await start({ file, fifo: join(folder, 'worker') })
      const second = await start({ file, fifo: join(folder, 'worker-b'), transfer: true })
      expect(first.told.fds).toHaveLength(5)
      expect(first.told.fds.every((fd) => fd >= 0)).toBe(true)
      expect([first.told.mapped, second.told.mapped]).toEqual([8192, 8192])
      expect(first.told.watch0).toBeGreaterThan(0)
      expect(first.told.watch1).toBeGreaterThan(0)
      for (const fd of first.told.fds) expect(sys.close(fd)).toBe(failure('EBADF'))
      expect(ours()).toHaveLength(10)
      await first.worker.terminate()
      expect(ours()).toHaveLength(5)
      expect(mapped(file)).toBeGreaterThan(0)
      for (const fd of second.told.fds) expect(descriptors().has(fd)).toBe(true)
      await second.worker.terminate()
      expect(ours()).toEqual([])
      expect(mapped(file)).toBe(0)
    })

    it('can be started and ended again and again', async () => {
      for (let i = 0; i < 10; i++) {
        const { worker } = await start({ file })
        await worker.terminate()
      }
      expect(ours()).toEqual([])
      expect(mapped(file)).toBe(0)
    })

    it.skipIf(privileged.skip)('can end while the thread pool loads', async () => {
      const before = bpfObjects(sys)
      const insns = heavyProgram(60)
      const attr = new Uint8Array(72)
      new DataView(attr.buffer).setUint32(0, 1, true)
      new DataView(attr.buffer).setUint32(4, insns.length / 8, true)
      const license = new TextEncoder().encode('GPL\0')
      const load = { attr: [...attr], slots: [8, 16], buffers: [[...insns], [...license]] }
      const { worker } = await start({ file, load })
      await worker.terminate()
      expect(ours()).toEqual([])
      expect(await objectsLeft(sys, before)).toEqual([])
    })

    it.skipIf(privileged.skip)('closes what a load that is still running returns later', async () => {
      const before = bpfObjects(sys)
      const { returnTwo } = await import('../support/programs.ts')
      const attr = new Uint8Array(72)
      new DataView(attr.buffer).setUint32(0, 1, true)
      new DataView(attr.buffer).setUint32(4, 2, true)
      const license = new TextEncoder().encode('GPL\0')
      const load = { attr: [...attr], slots: [8, 16], buffers: [[...returnTwo], [...license]] }
      for (let i = 0; i < 10; i++) {
        const { worker } = await start({ file, load })
        await worker.terminate()
      }
      expect(ours()).toEqual([])
      expect(await objectsLeft(sys, before)).toEqual([])
    })
  })

  it.skipIf(privileged.skip)('leaves nothing behind when the process is killed', async () => {
    const before = bpfObjects(sys)
    const script = fileURLToPath(new URL('../support/hold.mjs', import.meta.url))
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const told = await new Promise<Record<string, number>>((resolve) => {
      child.stdout.once('data', (line: Buffer) => {
        resolve(JSON.parse(line.toString()) as Record<string, number>)
      })
    })
    expect(Object.values(told).every((value) => value > 0)).toBe(true)
    expect([...bpfObjects(sys)].filter((object) => !before.has(object)).length).toBeGreaterThanOrEqual(3)
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
    expect(await objectsLeft(sys, before)).toEqual([])
  })
})
