import { textUntilNul } from '@tsbpf/base'
import type { FieldType, Layout, ValueOf } from '@tsbpf/base'
import {
  btfInfo,
  linkInfo,
  mapInfo,
  objInfoAttr,
  progInfo,
  type BtfInfoFields,
  type LinkInfoFields,
  type MapInfoFields,
  type ProgInfoFields,
} from '@tsbpf/uapi'
import { demand, littleEndian, pointerTo } from './command.ts'
import type { AttrPointer, Sys } from './sys.ts'

/**
 * Information of an object by its descriptor (BPF_OBJ_GET_INFO_BY_FD, Linux 4.13), written into `info`; returns how
 * many bytes the kernel knows. `pointers` are pointer fields of `info` for arrays, whose counts `info` already has.
 * Throws `SyscallError`.
 */
export function objGetInfo(
  sys: Sys,
  fd: number,
  info: Uint8Array,
  pointers: readonly AttrPointer[] = [],
): number {
  const { attr } = demand(sys, 'obj_get_info_by_fd', objInfoAttr, { bpf_fd: fd, info_len: info.length }, [
    { ...pointerTo(objInfoAttr, 'info', info), pointers },
  ])
  return attr.getUint32(objInfoAttr.offsets.info_len, littleEndian)
}

function read<F extends Readonly<Record<string, FieldType<unknown>>>>(
  sys: Sys,
  fd: number,
  layout: Layout<F>,
): ValueOf<F> {
  const info = new Uint8Array(layout.size)
  objGetInfo(sys, fd, info)
  return layout.readAt(new DataView(info.buffer), 0, littleEndian)
}

/** struct bpf_map_info of a map; fields that an older kernel does not fill are 0. Throws `SyscallError`. */
export function mapGetInfo(sys: Sys, fd: number): ValueOf<MapInfoFields> {
  return read(sys, fd, mapInfo)
}

/** The start of struct bpf_link_info; `linkInfoArms` of `@tsbpf/uapi` has the rest by type. Throws `SyscallError`. */
export function linkGetInfo(sys: Sys, fd: number): ValueOf<LinkInfoFields> {
  return read(sys, fd, linkInfo)
}

/** struct bpf_btf_info of a BTF object, and its bytes. Throws `SyscallError`. */
export function btfGetInfo(sys: Sys, fd: number): ValueOf<BtfInfoFields> & { readonly bytes: Uint8Array } {
  const { btf_size: size } = read(sys, fd, btfInfo)
  const bytes = new Uint8Array(size)
  const info = btfInfo.encode({ btf_size: size }, littleEndian)
  objGetInfo(sys, fd, info, [pointerTo(btfInfo, 'btf', bytes)])
  return { ...btfInfo.readAt(new DataView(info.buffer), 0, littleEndian), bytes }
}

/** What a BTF object is, without its bytes; see {@link btfGetName}. */
export interface BtfName {
  readonly id: number
  /** `vmlinux`, a module's name; empty for BTF that a process has loaded. */
  readonly name: string
  /** True for BTF of the kernel and its modules (Linux 5.11). */
  readonly kernel: boolean
}

/** A module's name has at most 55 bytes (MODULE_NAME_LEN). */
const nameBytes = 64

/** Name and origin of a BTF object, at no cost of its size. Throws `SyscallError`. */
export function btfGetName(sys: Sys, fd: number): BtfName {
  const name = new Uint8Array(nameBytes)
  const info = btfInfo.encode({ name_len: name.length }, littleEndian)
  objGetInfo(sys, fd, info, [pointerTo(btfInfo, 'name', name)])
  const { id, kernel_btf: kernel } = btfInfo.readAt(new DataView(info.buffer), 0, littleEndian)
  return { id, name: textUntilNul(name), kernel: kernel !== 0 }
}

/** Arrays of struct bpf_prog_info: the field that counts each, and the size of an element or the field that has it. */
const progArrays = {
  xlated_prog_insns: { count: 'xlated_prog_len', size: 1 },
  jited_prog_insns: { count: 'jited_prog_len', size: 1 },
  map_ids: { count: 'nr_map_ids', size: 4 },
  jited_ksyms: { count: 'nr_jited_ksyms', size: 8 },
  jited_func_lens: { count: 'nr_jited_func_lens', size: 4 },
  prog_tags: { count: 'nr_prog_tags', size: 8 },
  func_info: { count: 'nr_func_info', size: 'func_info_rec_size' },
  line_info: { count: 'nr_line_info', size: 'line_info_rec_size' },
  jited_line_info: { count: 'nr_jited_line_info', size: 'jited_line_info_rec_size' },
} as const

/** An array that {@link progGetInfo} can fetch, by its field in struct bpf_prog_info. */
export type ProgInfoArray = keyof typeof progArrays

type CountField = Exclude<(typeof progArrays)[ProgInfoArray]['count' | 'size'], number>

/** What the kernel says of a program; see {@link progGetInfo}. */
export interface ProgInfoResult {
  readonly info: ValueOf<ProgInfoFields>
  /** The arrays that were asked for, as bytes; one that the kernel does not give (to this user) is empty. */
  readonly arrays: ReadonlyMap<ProgInfoArray, Uint8Array>
}

/**
 * struct bpf_prog_info of a program with those arrays of it that are asked for. Throws `SyscallError`.
 *
 * @example
 * ```ts no-run
 * import { progGetInfo } from '@tsbpf/sys'
 * const { info, arrays } = progGetInfo(sys, fd, ['xlated_prog_insns', 'map_ids'])
 * console.log(info.id, arrays.get('xlated_prog_insns')?.length)
 * ```
 */
export function progGetInfo(sys: Sys, fd: number, wanted: readonly ProgInfoArray[] = []): ProgInfoResult {
  const first = read(sys, fd, progInfo)
  const arrays = new Map<ProgInfoArray, Uint8Array>()
  if (wanted.length === 0) return { info: first, arrays }
  const fields: Partial<Record<CountField, number>> = {}
  const pointers: AttrPointer[] = []
  for (const name of wanted) {
    const { count, size } = progArrays[name]
    const bytes = new Uint8Array(first[count] * (typeof size === 'number' ? size : first[size]))
    arrays.set(name, bytes)
    if (bytes.length === 0) continue
    fields[count] = first[count]
    // The kernel insists on the record sizes that it told.
    if (typeof size === 'string') fields[size] = first[size]
    pointers.push(pointerTo(progInfo, name, bytes))
  }
  const buffer = progInfo.encode(fields, littleEndian)
  objGetInfo(sys, fd, buffer, pointers)
  const info = progInfo.readAt(new DataView(buffer.buffer), 0, littleEndian)
  for (const name of wanted) {
    // Without the privilege to read kernel memory the kernel answers with a length of 0.
    if (info[progArrays[name].count] === 0) arrays.set(name, new Uint8Array(0))
  }
  return { info, arrays }
}
