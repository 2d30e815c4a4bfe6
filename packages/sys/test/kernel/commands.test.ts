import { linux, mapFlags, mapTypes, progTypes } from '@tsbpf/uapi'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  checked,
  enableStats,
  failure,
  fdById,
  linkGetInfo,
  mapBatch,
  mapCreate,
  mapElements,
  mapFreeze,
  mapGetInfo,
  objectIds,
  progBindMap,
  progGetInfo,
  progLoad,
  progLoadAsync,
  progTestRun,
  rawTracepointOpen,
  SyscallError,
} from '../../src/index.ts'
import { nativeSys } from '../../src/native/index.ts'
import { bpfObjects, objectsLeft } from '../support/objects.ts'
import { heavyProgram, returnTwo } from '../support/programs.ts'

const gate = requires({ root: true, kernel: [6, 1], reason: 'bpf(2)' })

describe.skipIf(gate.skip)(gate.title('commands of bpf(2)'), () => {
  const sys = gate.skip ? undefined! : nativeSys()
  let openBefore: ReturnType<typeof descriptors>
  let objectsBefore: ReadonlySet<string>

  beforeEach(() => {
    objectsBefore = bpfObjects(sys)
    openBefore = descriptors()
  })
  afterEach(async () => {
    expectNoLeak(openBefore, descriptors())
    expect(await objectsLeft(sys, objectsBefore)).toEqual([])
  })

  const withFd = <T>(fd: number, use: (fd: number) => T): T => {
    try {
      return use(fd)
    } finally {
      expect(sys.close(fd)).toBe(0)
    }
  }
  const u32 = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

  it('creates a map and works on its elements', () => {
    withFd(
      mapCreate(sys, {
        map_type: mapTypes.value('hash'),
        key_size: 4,
        value_size: 8,
        max_entries: 4,
        map_name: 'a_name_of_more_than_fifteen_bytes',
      }),
      (fd) => {
        const info = mapGetInfo(sys, fd)
        expect([info.type, info.key_size, info.value_size, info.max_entries]).toEqual([1, 4, 8, 4])
        expect(new TextDecoder().decode(info.name)).toBe('a_name_of_more_\0')

        const elements = mapElements(sys, fd, { keySize: 4, valueSize: 8 })
        expect(elements.lookup()).toBe(failure('ENOENT'))
        expect(elements.getFirstKey()).toBe(failure('ENOENT'))
        u32(elements.key).setUint32(0, 77, true)
        u32(elements.value).setBigUint64(0, 2n ** 63n, true)
        expect(elements.update(1)).toBe(0)
        expect(elements.update(1)).toBe(failure('EEXIST'))
        expect(elements.update()).toBe(0)
        elements.value.fill(0)
        expect(elements.lookup()).toBe(0)
        expect(u32(elements.value).getBigUint64(0, true)).toBe(2n ** 63n)
        expect(elements.getFirstKey()).toBe(0)
        expect(u32(elements.nextKey).getUint32(0, true)).toBe(77)
        expect(elements.getNextKey()).toBe(failure('ENOENT'))
        elements.value.fill(0)
        expect(elements.lookupAndDelete()).toBe(0)
        expect(u32(elements.value).getBigUint64(0, true)).toBe(2n ** 63n)
        expect(elements.delete()).toBe(failure('ENOENT'))
      },
    )
  })

  it('works on elements in batches', () => {
    withFd(mapCreate(sys, { map_type: 1, key_size: 4, value_size: 8, max_entries: 1000 }), (fd) => {
      const batch = mapBatch(sys, fd, { keySize: 4, valueSize: 8, capacity: 600 })
      for (let i = 0; i < 600; i++) {
        u32(batch.keys).setUint32(4 * i, i, true)
        u32(batch.values).setBigUint64(8 * i, BigInt(i) * 3n, true)
      }
      expect(batch.update(600)).toEqual({ result: 0, count: 600 })
      const seen = new Map<number, bigint>()
      let first = true
      for (;;) {
        const { result, count } = batch.lookup(first, 256)
        for (let i = 0; i < count; i++) {
          seen.set(u32(batch.keys).getUint32(4 * i, true), u32(batch.values).getBigUint64(8 * i, true))
        }
        first = false
        if (result === failure('ENOENT')) break
        expect(result).toBe(0)
      }
      expect(seen.size).toBe(600)
      expect([...seen].every(([key, value]) => value === BigInt(key) * 3n)).toBe(true)
      const all = batch.lookupAndDelete(true)
      expect(all).toEqual({ result: failure('ENOENT'), count: 600 })
      expect(batch.delete(1).count).toBe(0)
      expect(() => batch.lookup(true, 601)).toThrow(RangeError)
    })
  })

  it('freezes a map', () => {
    withFd(mapCreate(sys, { map_type: 2, key_size: 4, value_size: 8, max_entries: 1 }), (fd) => {
      mapFreeze(sys, fd)
      expect(mapElements(sys, fd, { keySize: 4, valueSize: 8 }).update()).toBe(failure('EPERM'))
    })
  })

  it('says what the kernel refused', () => {
    let error: unknown
    try {
      mapCreate(sys, { map_type: 1, key_size: 0, value_size: 8, max_entries: 1, map_name: 'bad' })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(SyscallError)
    expect(error).toMatchObject({
      code: 'SYS_CALL_FAILED',
      call: 'bpf',
      command: 'map_create',
      errnoName: 'EINVAL',
      message: 'bpf(map_create) of bad failed with EINVAL',
    })
    expect(() => fdById(sys, 'map', 0x7fffffff)).toThrow(
      'bpf(map_get_fd_by_id) of map id 2147483647 failed with ENOENT',
    )
  })

  it('loads a program, tells about it and runs it', () => {
    const { fd } = progLoad(sys, {
      prog_type: progTypes.value('socket_filter'),
      insns: returnTwo,
      license: 'GPL',
      prog_name: 'two',
    })
    withFd(checked(fd, 'bpf', 'prog_load'), () => {
      const { info, arrays } = progGetInfo(sys, fd, ['xlated_prog_insns', 'map_ids', 'jited_prog_insns'])
      expect(info.type).toBe(progTypes.value('socket_filter'))
      expect(arrays.get('xlated_prog_insns')).toEqual(returnTwo)
      expect(arrays.get('map_ids')).toHaveLength(0)
      expect(arrays.get('jited_prog_insns')?.length).toBeGreaterThan(0)
      const run = progTestRun(sys, {
        prog_fd: fd,
        data_in: new Uint8Array(64),
        data_out: new Uint8Array(64),
        repeat: 3,
      })
      expect([run.retval, run.dataSizeOut]).toEqual([2, 64])
      withFd(fdById(sys, 'prog', info.id), (again) => {
        expect(progGetInfo(sys, again).info.id).toBe(info.id)
      })
      withFd(mapCreate(sys, { map_type: 2, key_size: 4, value_size: 8, max_entries: 1 }), (map) => {
        progBindMap(sys, fd, map)
        const ids = progGetInfo(sys, fd, ['map_ids']).arrays.get('map_ids')!
        expect(u32(ids).getUint32(0, true)).toBe(mapGetInfo(sys, map).id)
      })
    })
  })

  it('gives the log of a refused program, and its whole size', () => {
    const log_buf = new Uint8Array(4096)
    const refused = progLoad(sys, {
      prog_type: progTypes.value('socket_filter'),
      insns: returnTwo.subarray(8), // exit with nothing in r0
      license: 'GPL',
      log_level: 1,
      log_buf,
    })
    expect(refused.fd).toBe(failure('EACCES'))
    const text = new TextDecoder().decode(log_buf.subarray(0, log_buf.indexOf(0)))
    expect(text).toContain('R0 !read_ok')
    if (refused.logTrueSize > 0) expect(refused.logTrueSize).toBe(text.length + 1)
  })

  it('loads on the thread pool while the event loop goes on', async () => {
    const heavy = heavyProgram(60)
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    const start = performance.now()
    const log_buf = new Uint8Array(1 << 16)
    const { fd } = await progLoadAsync(sys, {
      prog_type: progTypes.value('socket_filter'),
      insns: heavy,
      license: 'GPL',
      log_level: 4, // statistics
      log_buf,
    })
    const took = performance.now() - start
    clearInterval(timer)
    expect(fd).toBe(failure('E2BIG'))
    expect(new TextDecoder().decode(log_buf)).toContain('processed 1000001 insns')
    expect(took).toBeGreaterThan(50)
    expect(ticks).toBeGreaterThan(took / 20)
  })

  it('opens a raw tracepoint as a link', () => {
    const { fd } = progLoad(sys, {
      prog_type: progTypes.value('raw_tracepoint'),
      insns: returnTwo,
      license: 'GPL',
    })
    withFd(checked(fd, 'bpf', 'prog_load'), () => {
      withFd(rawTracepointOpen(sys, 'sched_process_exit', fd), (link) => {
        const info = linkGetInfo(sys, link)
        expect(info.prog_id).toBe(progGetInfo(sys, fd).info.id)
        expect([...objectIds(sys, 'link')]).toContain(info.id)
      })
      expect(() => rawTracepointOpen(sys, 'no_such_tracepoint', fd)).toThrow(
        'no_such_tracepoint failed with ENOENT',
      )
    })
  })

  it('turns on statistics', () => {
    withFd(enableStats(sys), (fd) => {
      expect(fd).toBeGreaterThan(2)
    })
  })

  it('maps an array that allows it', () => {
    const flags = mapFlags.value('mmapable')
    withFd(
      mapCreate(sys, { map_type: 2, key_size: 4, value_size: 8, max_entries: 512, map_flags: flags }),
      (fd) => {
        const mapping = sys.mmap(fd, 4096, linux.PROT_READ | linux.PROT_WRITE, linux.MAP_SHARED, 0)
        if (typeof mapping === 'number') throw new SyscallError(mapping, { call: 'mmap' })
        const view = new DataView(mapping.memory)
        view.setBigUint64(8 * 5, 12345n, true)
        const elements = mapElements(sys, fd, { keySize: 4, valueSize: 8 })
        elements.key[0] = 5
        expect(elements.lookup()).toBe(0)
        expect(u32(elements.value).getBigUint64(0, true)).toBe(12345n)
        elements.value.fill(9)
        expect(elements.update()).toBe(0)
        expect(view.getUint8(47)).toBe(9)
        mapping.unmap()
        expect(mapping.memory.byteLength).toBe(0)
        expect(() => view.getUint8(0)).toThrow(TypeError)
        mapping.unmap()
      },
    )
  })
})
