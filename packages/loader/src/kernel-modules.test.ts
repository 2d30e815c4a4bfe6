import { readFileSync } from 'node:fs'
import { encodeBtf, parseBtf } from '@tsbpf/btf'
import type { BtfTypeInput } from '@tsbpf/btf'
import { encodeElf } from '@tsbpf/elf'
import { InsnView } from '@tsbpf/isa'
import { parseObject } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'
import { fakeSys } from '@tsbpf/sys'
import type { FakeBpfCall, FakeSys, RecordedCall } from '@tsbpf/sys'
import { btfInfo, errnos, objIdAttr, objInfoAttr, progLoadAttr } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { loadSync, openKernelBtf } from './index.ts'

const object = (name: string): ObjectSpec =>
  parseObject(readFileSync(new URL(`../test/kernel/objects/${name}.bpf.o`, import.meta.url)))

const vmlinux = encodeBtf([
  { kind: 'int', name: 'unsigned int', size: 4 },
  { kind: 'int', name: 'unsigned long', size: 8 },
  { kind: 'func_proto', returnType: 1, params: [] },
])
const base = parseBtf(vmlinux)
const split = (types: readonly BtfTypeInput[]): Uint8Array => encodeBtf(types, { base })
const modules = new Map([
  ['damaged', Uint8Array.of(1, 2, 3)],
  [
    'veth',
    split([
      {
        kind: 'struct',
        name: 'veth_priv',
        size: 16,
        members: [
          { name: 'dropped', type: 2, offsetBits: 0 },
          { name: 'requested_headroom', type: 1, offsetBits: 64 },
        ],
      },
      { kind: 'func', name: 'veth_xmit', type: 3, linkage: 'static' },
    ]),
  ],
  [
    'nf_conntrack',
    split([
      { kind: 'func', name: 'bpf_ct_release', type: 3, linkage: 'static' },
      { kind: 'func', name: 'bpf_skb_ct_lookup', type: 3, linkage: 'static' },
    ]),
  ],
])
const names = ['vmlinux', '', ...modules.keys()]

/** A kernel with these modules: ids are 1 for vmlinux, 2 for BTF of a process, then modules. */
function kernel(
  over: { readonly listing?: number; readonly files?: Record<string, Uint8Array | string> } = {},
): FakeSys {
  const ids = new Map<number, number>()
  return fakeSys({
    files: {
      '/sys/kernel/btf/vmlinux': vmlinux,
      '/proc/sys/kernel/osrelease': '6.12.1-test\n',
      ...over.files,
    },
    bpf: {
      btf_get_next_id: ({ attr }) => {
        if (over.listing !== undefined) return over.listing
        const id = attr.getUint32(objIdAttr.offsets.start_id, true)
        if (id >= names.length) return -errnos.value('ENOENT')
        attr.setUint32(objIdAttr.offsets.next_id, id + 1, true)
        return 0
      },
      btf_get_fd_by_id: ({ attr, newFd }) => {
        const id = attr.getUint32(objIdAttr.offsets.start_id, true)
        const fd = newFd(`btf of ${names[id - 1] ?? ''}`)
        ids.set(fd, id)
        return fd
      },
      obj_get_info_by_fd: (call) => info(call, ids),
      btf_load: (call) => call.newFd('btf'),
      map_create: (call) => call.newFd('map'),
      map_update_elem: 0,
      prog_load: (call) => call.newFd('prog'),
    },
  })
}

function info({ attr, pointers }: FakeBpfCall, ids: ReadonlyMap<number, number>): number {
  const id = ids.get(attr.getUint32(objInfoAttr.offsets.bpf_fd, true)) ?? 0
  const [{ buffer, pointers: inner = [] } = { buffer: new Uint8Array(0) }] = pointers
  const name = names[id - 1] ?? ''
  const bytes = modules.get(name) ?? vmlinux
  const view = new DataView(buffer.buffer, buffer.byteOffset)
  view.setUint32(btfInfo.offsets.btf_size, bytes.length, true)
  view.setUint32(btfInfo.offsets.id, id, true)
  view.setUint32(btfInfo.offsets.kernel_btf, name === '' ? 0 : 1, true)
  for (const pointer of inner) {
    const content = pointer.at === btfInfo.offsets.name ? new TextEncoder().encode(`${name}\0`) : bytes
    pointer.buffer.set(content.subarray(0, pointer.buffer.length))
  }
  return 0
}

const loads = (sys: FakeSys): readonly RecordedCall[] =>
  sys.recorded.filter(({ command }) => command === 'prog_load')
const field = (call: RecordedCall | undefined, at: number): number =>
  new DataView((call?.arguments[1] as Uint8Array).buffer).getUint32(at, true)
const buffer = (call: RecordedCall | undefined, at: number): Uint8Array =>
  (call?.arguments[2] as { at: number; buffer: Uint8Array }[]).find((one) => one.at === at)?.buffer ??
  new Uint8Array(0)
const { offsets } = progLoadAttr

describe('modules', () => {
  it('have what the kernel itself lacks: types, targets and kfuncs', () => {
    const sys = kernel()
    const bpf = loadSync(object('modular'), { sys })
    expect(
      bpf.relocations.map(({ status, newValue, targetType }) => [status, newValue, targetType?.source]),
    ).toEqual([['resolved', 8n, 'veth']])
    const [onXmit, lookup] = loads(sys)
    const fds = sys.recorded
      .filter(({ command }) => command === 'btf_get_fd_by_id')
      .map(({ result }) => result)
    // Each is opened once more when its descriptor is needed.
    const [veth, conntrack] = fds.slice(-2)
    expect(field(onXmit, offsets.attach_btf_obj_fd)).toBe(veth)
    expect(field(onXmit, offsets.attach_btf_id)).toBe(5)
    expect([...new Int32Array(buffer(lookup, offsets.fd_array).buffer)]).toEqual([0, conntrack])
    const insns = new InsnView(buffer(lookup, offsets.insns), { littleEndian: true })
    const calls = Array.from({ length: insns.count }, (_, i) => i).filter((i) => insns.opcode(i) === 0x85)
    expect(calls.map((i) => [insns.imm(i), insns.off(i)]).sort()).toEqual([
      [4, 1],
      [5, 1],
    ])
    expect([...sys.open.values()].filter((kind) => kind.startsWith('btf'))).toEqual([])
    bpf.dispose()
    expect(sys.open.size).toBe(0)
  })

  it('are not opened for what the kernel has', () => {
    const sys = kernel()
    loadSync(object('replaced'), { sys }).dispose()
    loadSync({ ...object('modular'), programs: [] }, { sys }).dispose()
    expect(sys.recorded.filter(({ command }) => command === 'btf_get_next_id')).toEqual([])
  })

  it('give types by sysfs to those who may not list them, and no descriptors', () => {
    const files = {
      '/proc/modules': 'veth 45056 0 - Live 0x0\nnf_conntrack 1 0 - Live 0x0\ngone 1 0 - Live 0x0\n',
      '/sys/kernel/btf/veth': modules.get('veth') ?? '',
      '/sys/kernel/btf/nf_conntrack': modules.get('nf_conntrack') ?? '',
    }
    const sys = kernel({ listing: -errnos.value('EPERM'), files })
    expect(() => loadSync(object('modular'), { sys })).toThrow(
      expect.objectContaining({
        code: 'LOADER_NO_MODULE_FD',
        message: 'the target of program on_xmit is in module veth, whose BTF this process may not open by id',
      }),
    )
    expect(sys.open.size).toBe(0)
  })

  it('can be named where several have a function; what none has is an error', () => {
    const attachTo = (target: string) => ({
      programs: ['on_xmit'],
      override: { on_xmit: { attachTo: target } },
    })
    loadSync(object('modular'), { sys: kernel(), ...attachTo('veth:veth_xmit') }).dispose()
    for (const [target, where] of [
      ['nf_conntrack:veth_none', 'the BTF of nf_conntrack'],
      ['vmlinux:veth_xmit', 'the BTF of vmlinux'],
      ['veth_none', "the kernel's BTF"],
    ] as const) {
      const sys = kernel()
      expect(() => loadSync(object('modular'), { sys, ...attachTo(target) }), target).toThrow(
        expect.objectContaining({
          code: 'LOADER_NO_ATTACH_TARGET',
          message: expect.stringContaining(`${where} has no func`) as string,
        }),
      )
      expect(sys.open.size).toBe(0)
    }
  })

  it("do not belong to BTF that is not the running kernel's", () => {
    const sys = kernel()
    expect(() => loadSync(object('modular'), { sys, kernelBtf: base, programs: ['lookup'] })).toThrow(
      expect.objectContaining({ code: 'LOADER_KSYM_MISSING' }),
    )
    using opened = openKernelBtf(sys)
    loadSync(object('modular'), { sys, kernelBtf: opened.btf }).dispose()
  })
})

describe('openKernelBtf', () => {
  const image = encodeElf({ machine: 62, sections: [{ name: '.BTF', data: vmlinux }] })

  it('looks for an image where sysfs has no BTF, and reads files', () => {
    const files = {
      '/usr/lib/debug/boot/vmlinux-6.12.1-test': image,
      '/proc/sys/kernel/osrelease': '6.12.1-test\n',
    }
    const sys = fakeSys({ files })
    {
      using kernelBtf = openKernelBtf(sys)
      expect(kernelBtf.btf.find('unsigned long', 'int')?.size).toBe(8)
    }
    const raw = fakeSys({ files: { '/tmp/other.btf': vmlinux, '/tmp/other': image } })
    for (const path of ['/tmp/other.btf', '/tmp/other']) {
      using other = openKernelBtf(raw, { path })
      expect(other.btf.endId).toBe(4)
    }
    expect(() => openKernelBtf(raw)).toThrow(
      expect.objectContaining({
        code: 'LOADER_NO_KERNEL_BTF',
        context: expect.objectContaining({ path: '/sys/kernel/btf/vmlinux', errno: 'ENOENT' }) as object,
      }),
    )
    expect(() => openKernelBtf(raw, { path: '/tmp/none' })).toThrow('/tmp/none cannot be read: ENOENT')
  })
})
