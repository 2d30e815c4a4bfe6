import { textUntilNul } from '@tsbpf/base'
import type { FieldType, Layout } from '@tsbpf/base'
import { objGetInfo } from '@tsbpf/sys'
import type { AttrPointer, Sys } from '@tsbpf/sys'
import { attachTypes, linkInfo as head, linkInfoArms, linkTypes, perfEventTypes } from '@tsbpf/uapi'
import { readAll, readById } from './listing.ts'

/** A field of {@link KernelLinkInfo.details}. */
export type LinkDetail = number | bigint | string | readonly bigint[]

/** What the kernel says about a link (struct bpf_link_info). */
export interface KernelLinkInfo {
  /** System-wide id. */
  readonly id: number
  /** Kernel spelling in lower case: `kprobe_multi`. */
  readonly type: string
  readonly progId: number
  /**
   * The fields of its type by their kernel names: `tp_name`, `ifindex`, `cgroup_id`. Texts and arrays are what the
   * kernel's pointers lead to; attach types and types of perf events have their names.
   */
  readonly details: ReadonlyMap<string, LinkDetail>
}

/** What a pointer field leads to, and the field that says how much. */
type Pointee = { readonly size: string } & ({ readonly text: true } | { readonly element: 8 })

/** Room for a text whose length the kernel does not tell first: a path. */
const pathBytes = 4096
const text = (size: string): Pointee => ({ size, text: true })
const words = (size: string): Pointee => ({ size, element: 8 })

const pointees: ReadonlyMap<string, ReadonlyMap<string, Pointee>> = new Map([
  ['raw_tracepoint', new Map([['tp_name', text('tp_name_len')]])],
  ['iter', new Map([['target_name', text('target_name_len')]])],
  [
    'kprobe_multi',
    new Map([
      ['addrs', words('count')],
      ['cookies', words('count')],
    ]),
  ],
  [
    'uprobe_multi',
    new Map([
      ['path', text('path_size')],
      ['offsets', words('count')],
      ['ref_ctr_offsets', words('count')],
      ['cookies', words('count')],
    ]),
  ],
  [
    'perf_event',
    new Map([
      ['uprobe.file_name', text('uprobe.name_len')],
      ['kprobe.func_name', text('kprobe.name_len')],
      ['tracepoint.tp_name', text('tracepoint.name_len')],
    ]),
  ],
])

/** Which part of a perf event's union its type uses. */
const perfParts: ReadonlyMap<string, string> = new Map([
  ['uprobe', 'uprobe'],
  ['uretprobe', 'uprobe'],
  ['kprobe', 'kprobe'],
  ['kretprobe', 'kprobe'],
  ['tracepoint', 'tracepoint'],
  ['event', 'event'],
])
/** Which part of an iterator's union its target uses; others use none (bpftool's link.c). */
const iterParts: ReadonlyMap<string, string> = new Map([
  ['bpf_map_elem', 'map'],
  ['bpf_sk_storage_map', 'map'],
  ['cgroup', 'cgroup'],
  ['task', 'task'],
  ['task_file', 'task'],
  ['task_vma', 'task'],
])

type AnyLayout = Layout<Readonly<Record<string, FieldType<number | bigint>>>>

/** What the kernel says about the link behind a descriptor (kernel 5.8). Throws `SyscallError`. */
export function linkInfo(sys: Sys, fd: number): KernelLinkInfo {
  const arms = new Map<string, unknown>(Object.entries(linkInfoArms))
  const first = new Uint8Array(128)
  objGetInfo(sys, fd, first)
  const { type: number, id, prog_id: progId } = head.readAt(new DataView(first.buffer), 0, true)
  const type = linkTypes.format(number)
  const arm = arms.get(type) as AnyLayout | undefined
  if (arm === undefined) return { id, type, progId, details: new Map() }
  return { id, type, progId, details: readDetails(sys, fd, type, arm, first) }
}

function readDetails(
  sys: Sys,
  fd: number,
  type: string,
  arm: AnyLayout,
  first: Uint8Array,
): ReadonlyMap<string, LinkDetail> {
  const known = Object.entries(arm.readAt(new DataView(first.buffer), 0, true))
  const told = new Map(known.map(([name, value]) => [name, Number(value)]))
  const perfType = type === 'perf_event' ? perfEventTypes.format(told.get('type') ?? 0) : ''
  let part = perfParts.get(perfType)
  const info = new Uint8Array(first.length)
  const view = new DataView(info.buffer)
  const pointers: AttrPointer[] = []
  const buffers = new Map<string, { readonly bytes: Uint8Array; readonly text: boolean }>()
  for (const [name, pointee] of pointees.get(type) ?? []) {
    if (name.includes('.') && !name.startsWith(`${part ?? '-'}.`)) continue
    const isText = 'text' in pointee
    const size = isText ? pathBytes : (told.get(pointee.size) ?? 0) * pointee.element
    if (size === 0) continue
    const bytes = new Uint8Array(size)
    buffers.set(name, { bytes, text: isText })
    pointers.push({ at: arm.offsets[name] ?? 0, buffer: bytes })
    view.setUint32(arm.offsets[pointee.size] ?? 0, isText ? size : (told.get(pointee.size) ?? 0), true)
  }
  if (pointers.length > 0) objGetInfo(sys, fd, info, pointers)
  else info.set(first)

  const details = new Map<string, LinkDetail>()
  const sizes = new Set([...(pointees.get(type) ?? [])].map(([, { size }]) => size))
  if (type === 'iter')
    part = iterParts.get(textUntilNul(buffers.get('target_name')?.bytes ?? new Uint8Array(0)))
  for (const [name, value] of Object.entries(arm.readAt(view, 0, true))) {
    if (name in head.offsets && arm.offsets[name] === head.offsets[name as keyof typeof head.offsets])
      continue
    if (name.includes('.') && !name.startsWith(`${part ?? '-'}.`)) continue
    const buffer = buffers.get(name)
    const plain = name.replace(/^.*\./, '')
    if (buffer !== undefined) details.set(plain, contents(buffer.bytes, buffer.text))
    else if (pointees.get(type)?.has(name) === true || (sizes.has(name) && name !== 'count')) continue
    else if (name === 'attach_type') details.set(plain, attachTypes.format(Number(value)))
    else if (name === 'type') details.set(plain, perfType)
    else details.set(plain, value)
  }
  return details
}

function contents(bytes: Uint8Array, isText: boolean): LinkDetail {
  if (isText) return textUntilNul(bytes)
  const view = new DataView(bytes.buffer)
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(i * 8, true))
}

/** All links in the kernel, by rising id. Needs CAP_SYS_ADMIN (LOADER_LISTING says so). */
export function kernelLinks(sys: Sys): Generator<KernelLinkInfo, void, void> {
  return readAll(sys, 'link', linkInfo)
}

/** The link of that id; `undefined` where there is none. Needs CAP_SYS_ADMIN (LOADER_LISTING says so). */
export function kernelLink(sys: Sys, id: number): KernelLinkInfo | undefined {
  return readById(sys, 'link', id, linkInfo)
}
