import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  attachTypes,
  linkTypes,
  linux,
  mapTypes,
  nlmsghdr,
  perfEventAttr,
  perfTypes,
  progTypes,
  sockaddrNl,
} from '@tsbpf/uapi'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  btfGetInfo,
  btfLoad,
  checked,
  effectiveCapabilities,
  failure,
  Fd,
  linkCreate,
  linkDetach,
  linkGetInfo,
  linkUpdate,
  mapCreate,
  mapFile,
  mapGetInfo,
  objGet,
  objPin,
  progGetInfo,
  progLoad,
  progTestRun,
  readFile,
  tracefs,
} from '../../src/index.ts'
import { nativeSys } from '../../src/native/index.ts'
import { bpfObjects, objectsLeft } from '../support/objects.ts'
import { btfOfInt, returnTwo, ringbufOutput } from '../support/programs.ts'

const gate = requires({ root: true, kernel: [6, 1], reason: 'system calls' })

describe.skipIf(gate.skip)(gate.title('calls beside bpf(2)'), () => {
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

  const load = (type: Parameters<typeof progTypes.value>[0], insns: Uint8Array = returnTwo): Fd => {
    const { fd } = progLoad(sys, { prog_type: progTypes.value(type), insns, license: 'GPL' })
    return new Fd(sys, checked(fd, 'bpf', 'prog_load'), 'prog')
  }
  const tracepointId = (name: string): number => {
    using dir = tracefs(sys)
    const text = new TextDecoder().decode(readFile(sys, `events/${name}/id`, { dirFd: dir.value }))
    return Number(text)
  }
  const openTracepoint = (name: string): Fd => {
    const attr = perfEventAttr.encode(
      {
        type: perfTypes.value('tracepoint'),
        size: perfEventAttr.size,
        config: BigInt(tracepointId(name)),
      },
      true,
    )
    return new Fd(sys, checked(sys.perfEventOpen(attr, -1, 0, -1, 0), 'perf_event_open'), name)
  }

  it('opens tracefs and leaves no mount behind', () => {
    const mountsBefore = readFile(sys, '/proc/self/mountinfo')
    expect(tracepointId('raw_syscalls/sys_enter')).toBeGreaterThan(0)
    using dir = tracefs(sys)
    expect(() => readFile(sys, 'events/no/such/id', { dirFd: dir.value })).toThrow('failed with ENOENT')
    expect(readFile(sys, '/proc/self/mountinfo')).toEqual(mountsBefore)
  })

  it('opens perf events and controls them', () => {
    using event = openTracepoint('raw_syscalls/sys_enter')
    expect(sys.ioctl(event.value, linux.PERF_EVENT_IOC_ENABLE, 0)).toBe(0)
    const count = new Uint8Array(8)
    expect(sys.read(event.value, count)).toBe(8)
    expect(sys.ioctl(event.value, linux.PERF_EVENT_IOC_DISABLE, 0)).toBe(0)
    expect(sys.ioctl(event.value, linux.PERF_EVENT_IOC_SET_BPF, 2 ** 31 - 1)).toBe(failure('EBADF'))
  })

  it('bounds the attr of a perf event by its own size', () => {
    const attr = perfEventAttr.encode({ size: 4096 }, true)
    expect(() => sys.perfEventOpen(attr, 0, -1, -1, 0)).toThrow(RangeError)
    expect(() => sys.perfEventOpen(attr.subarray(0, 63), 0, -1, -1, 0)).toThrow(RangeError)
  })

  it('links a program to a tracepoint, replaces nothing, and detaches it', () => {
    using prog = load('tracepoint')
    using event = openTracepoint('sched/sched_process_exit')
    const attach_type = attachTypes.value('perf_event')
    using link = new Fd(
      sys,
      linkCreate(sys, { prog_fd: prog.value, target_fd: event.value, attach_type }),
      'link',
    )
    const info = linkGetInfo(sys, link.value)
    expect(info.type).toBe(linkTypes.value('perf_event'))
    expect(info.prog_id).toBe(progGetInfo(sys, prog.value).info.id)
    expect(() => linkUpdate(sys, { link_fd: link.value, new_prog_fd: prog.value })).toThrow(
      /link_update.*EINVAL/,
    )
    // This kind of link cannot be detached but by closing it.
    expect(() => linkDetach(sys, link.value)).toThrow(/link_detach.*EOPNOTSUPP/)
  })

  it.each(['uv', 'epoll'] as const)('watches a ring buffer by %s', async (readiness) => {
    const door = nativeSys({ readiness })
    const page = 4096
    using map = new Fd(
      sys,
      mapCreate(sys, { map_type: mapTypes.value('ringbuf'), key_size: 0, value_size: 0, max_entries: page }),
      'ringbuf',
    )
    using prog = load('socket_filter', ringbufOutput(map.value, 4711))
    const consumer = sys.mmap(map.value, page, linux.PROT_READ | linux.PROT_WRITE, linux.MAP_SHARED, 0)
    const producer = sys.mmap(map.value, 3 * page, linux.PROT_READ, linux.MAP_SHARED, page)
    if (typeof consumer === 'number' || typeof producer === 'number') throw new Error('mmap')
    const seen = await new Promise<bigint>((resolve, reject) => {
      const watch = door.watch(map.value, () => {
        // The producer position, then after its page a record: header, 8 bytes.
        const position = new DataView(producer.memory).getBigUint64(0, true)
        if (position === 0n) return
        new DataView(consumer.memory).setBigUint64(0, position, true)
        if (typeof watch !== 'number') watch.stop()
        resolve(new DataView(producer.memory).getBigUint64(page + 8, true))
      })
      if (typeof watch === 'number') reject(new Error(`watch: ${watch}`))
      progTestRun(sys, { prog_fd: prog.value, data_in: new Uint8Array(64) })
    })
    expect(seen).toBe(4711n)
    consumer.unmap()
    producer.unmap()
  })

  it('loads BTF and reads it back', () => {
    const log = new Uint8Array(4096)
    const bad = btfLoad(sys, { btf: btfOfInt.subarray(0, 30), btf_log_buf: log, btf_log_level: 1 })
    expect(bad.fd).toBeLessThan(0)
    expect(log[0]).not.toBe(0)
    using btf = new Fd(sys, checked(btfLoad(sys, { btf: btfOfInt }).fd, 'bpf', 'btf_load'))
    expect(btfGetInfo(sys, btf.value).bytes).toEqual(btfOfInt)
  })

  it('maps the BTF of the kernel, or reads it where this kernel is too old', () => {
    const started = cpuTime()
    using btf = mapFile(sys, '/sys/kernel/btf/vmlinux')
    const took = cpuTime() - started
    expect([...btf.bytes.subarray(0, 4)]).toEqual([0x9f, 0xeb, 1, 0])
    if (btf.mapped) expect(took).toBeLessThan(50)
    expect(btf.bytes.length).toBe(readFile(sys, '/sys/kernel/btf/vmlinux').length)
  })

  it('pins and opens again', () => {
    const dir = mkdtempSync(join(tmpdir(), 'tsbpf-bpffs-'))
    execFileSync('mount', ['-t', 'bpf', 'bpf', dir])
    try {
      const fields = { map_type: mapTypes.value('array'), key_size: 4, value_size: 4, max_entries: 1 }
      using map = new Fd(sys, mapCreate(sys, fields), 'map')
      const path = join(dir, 'pinned')
      objPin(sys, path, map.value)
      expect(() => objPin(sys, path, map.value)).toThrow(`bpf(obj_pin) of ${path} failed with EEXIST`)
      using again = new Fd(sys, objGet(sys, path), 'map')
      expect(mapGetInfo(sys, again.value).id).toBe(mapGetInfo(sys, map.value).id)
    } finally {
      execFileSync('umount', [dir])
      rmSync(dir, { recursive: true })
    }
  })

  it('talks to the kernel over netlink', () => {
    using socket = new Fd(sys, checked(sys.socket(16, 3, 0), 'socket'), 'netlink') // AF_NETLINK, SOCK_RAW, ROUTE
    expect(sys.setsockopt(socket.value, 270, 11, Uint8Array.of(1, 0, 0, 0))).toBe(0) // NETLINK_EXT_ACK
    expect(sockaddrNl.size).toBe(12)
    const request = new Uint8Array(nlmsghdr.size + 16)
    // RTM_GETLINK (18) of interface 1, the loopback.
    request.set(
      nlmsghdr.encode({ nlmsg_len: request.length, nlmsg_type: 18, nlmsg_flags: 1, nlmsg_seq: 7 }, true),
    )
    new DataView(request.buffer).setInt32(nlmsghdr.size + 4, 1, true)
    expect(sys.sendto(socket.value, request, 0)).toBe(request.length)
    const answer = new Uint8Array(8192)
    const length = sys.recvfrom(socket.value, answer, 0)
    expect(length).toBeGreaterThan(nlmsghdr.size)
    const header = nlmsghdr.readAt(new DataView(answer.buffer), 0, true)
    expect([header.nlmsg_type, header.nlmsg_seq]).toEqual([16, 7]) // RTM_NEWLINK
    expect(new TextDecoder().decode(answer.subarray(0, length))).toContain('lo\0')
  })

  it('opens a process', () => {
    using fd = new Fd(sys, checked(sys.pidfdOpen(process.pid, 0), 'pidfd_open'), 'pidfd')
    expect(descriptors().get(fd.value)).toBe('anon_inode:[pidfd]')
    expect(sys.pidfdOpen(-1, 0)).toBe(failure('EINVAL'))
  })

  it('knows what this process may do', () => {
    const capabilities = effectiveCapabilities(sys)
    expect(capabilities?.has('CAP_SYS_ADMIN')).toBe(true)
  })
})
