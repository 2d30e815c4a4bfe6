import { hexBytes, textUntilNul } from '@tsbpf/base'
import { progGetInfo } from '@tsbpf/sys'
import type { ProgInfoArray, Sys } from '@tsbpf/sys'
import { bpfFuncInfo, bpfLineInfo, progTypes } from '@tsbpf/uapi'
import { readAll, readById } from './listing.ts'

/** What the kernel says about a program (struct bpf_prog_info). What an older kernel does not tell is 0. */
export interface ProgramInfo {
  /** System-wide id. */
  readonly id: number
  /** Kernel spelling in lower case. */
  readonly type: string
  /** At most 15 bytes, as the kernel keeps it. */
  readonly name: string
  /** Hash of the instructions: 16 hexadecimal digits. */
  readonly tag: string
  readonly gplCompatible: boolean
  /** User id of the process that loaded it. */
  readonly uid: number
  /** Nanoseconds from boot to its load. */
  readonly loadTime: bigint
  /** Bytes of instructions after the verifier; 0 where this user may not see them. */
  readonly bytesXlated: number
  /** Bytes of native instructions; 0 where it is interpreted, or this user may not see them. */
  readonly bytesJited: number
  /** Ids of the maps that it uses. */
  readonly mapIds: readonly number[]
  /** Id of its BTF object; 0 for none. */
  readonly btfId: number
  /** Instructions that the verifier walked (kernel 5.16). */
  readonly verifiedInsns: number
  /** Nanoseconds and number of its runs while statistics were on, see `runStatistics` (kernel 5.1). */
  readonly runTimeNs: bigint
  readonly runCnt: bigint
  /** Runs that were left out because it was running on that processor already (kernel 5.12). */
  readonly recursionMisses: bigint
  /** What it was loaded for: BTF object (0 with an id: the kernel's own) and type id in it (kernel 6.0). */
  readonly attachBtfObjId: number
  readonly attachBtfId: number
  /** Device that runs it in place of the kernel; 0 for none. */
  readonly ifindex: number
  readonly netnsDev: bigint
  readonly netnsIno: bigint
}

/** A function of a program, in the order of its instructions. */
export interface ProgramFunction {
  /** Address and bytes of its native instructions; 0 where this user may not see them. */
  readonly address: bigint
  readonly bytesJited: number
  /** 16 hexadecimal digits; empty where the kernel does not tell. */
  readonly tag: string
  /** Slot of its first instruction; 0 without BTF. */
  readonly insnOffset: number
  /** Type id of its FUNC in the program's BTF; 0 without. */
  readonly typeId: number
}

/** A line of source of a program. */
export interface ProgramLine {
  readonly insnOffset: number
  /** Offsets of file name and text in the strings of the program's BTF. */
  readonly fileNameOffset: number
  readonly lineOffset: number
  readonly line: number
  readonly column: number
}

/** The instructions of a program as the kernel runs them; see {@link programCode}. */
export interface ProgramCode {
  /** Instructions after the verifier, 8 bytes a slot; maps are ids, helpers offsets of functions. */
  readonly xlated: Uint8Array
  /** Native instructions of all functions, one after the other. */
  readonly jited: Uint8Array
  readonly functions: readonly ProgramFunction[]
  readonly lines: readonly ProgramLine[]
  /** Address of the native instructions of each of `lines`; empty where this user may not see them. */
  readonly lineAddresses: readonly bigint[]
}

const tagText = (bytes: Uint8Array): string => hexBytes(bytes).replaceAll(' ', '')

/** Elements of an array as the kernel wrote them. */
function elements<T>(
  bytes: Uint8Array | undefined,
  size: number,
  read: (view: DataView, at: number) => T,
): readonly T[] {
  if (bytes === undefined || size === 0) return []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => read(view, i * size))
}

const u32 = (view: DataView, at: number): number => view.getUint32(at, true)
const u64 = (view: DataView, at: number): bigint => view.getBigUint64(at, true)

/** What the kernel says about the program behind a descriptor (BPF_OBJ_GET_INFO_BY_FD, kernel 4.13). Throws `SyscallError`. */
export function programInfo(sys: Sys, fd: number): ProgramInfo {
  const { info, arrays } = progGetInfo(sys, fd, ['map_ids'])
  return {
    id: info.id,
    type: progTypes.format(info.type),
    name: textUntilNul(info.name),
    tag: tagText(info.tag),
    gplCompatible: (info.gpl_compatible & 1) === 1,
    uid: info.created_by_uid,
    loadTime: info.load_time,
    bytesXlated: info.xlated_prog_len,
    bytesJited: info.jited_prog_len,
    mapIds: elements(arrays.get('map_ids'), 4, u32),
    btfId: info.btf_id,
    verifiedInsns: info.verified_insns,
    runTimeNs: info.run_time_ns,
    runCnt: info.run_cnt,
    recursionMisses: info.recursion_misses,
    attachBtfObjId: info.attach_btf_obj_id,
    attachBtfId: info.attach_btf_id,
    ifindex: info.ifindex,
    netnsDev: info.netns_dev,
    netnsIno: info.netns_ino,
  }
}

const codeArrays: readonly ProgInfoArray[] = [
  'xlated_prog_insns',
  'jited_prog_insns',
  'jited_ksyms',
  'jited_func_lens',
  'prog_tags',
  'func_info',
  'line_info',
  'jited_line_info',
]

/**
 * Translated and native instructions of the program behind a descriptor, with its functions and lines. Without
 * CAP_PERFMON (CAP_SYS_ADMIN before 5.8) or where addresses are hidden the kernel gives none: the arrays are empty.
 * Throws `SyscallError`.
 */
export function programCode(sys: Sys, fd: number): ProgramCode {
  const { info, arrays } = progGetInfo(sys, fd, codeArrays)
  const addresses = elements(arrays.get('jited_ksyms'), 8, u64)
  const lengths = elements(arrays.get('jited_func_lens'), 4, u32)
  const tags = arrays.get('prog_tags') ?? new Uint8Array(0)
  const infos = elements(arrays.get('func_info'), info.func_info_rec_size, (view, at) =>
    bpfFuncInfo.readAt(view, at, true),
  )
  const count = Math.max(addresses.length, lengths.length, infos.length)
  const functions = Array.from({ length: count }, (_, i) => ({
    address: addresses[i] ?? 0n,
    bytesJited: lengths[i] ?? 0,
    tag: tagText(tags.subarray(i * 8, i * 8 + 8)),
    insnOffset: infos[i]?.insn_off ?? 0,
    typeId: infos[i]?.type_id ?? 0,
  }))
  const lines = elements(arrays.get('line_info'), info.line_info_rec_size, (view, at) => {
    const row = bpfLineInfo.readAt(view, at, true)
    return {
      insnOffset: row.insn_off,
      fileNameOffset: row.file_name_off,
      lineOffset: row.line_off,
      line: row.line_col >>> 10,
      column: row.line_col & 1023,
    }
  })
  return {
    xlated: arrays.get('xlated_prog_insns') ?? new Uint8Array(0),
    jited: arrays.get('jited_prog_insns') ?? new Uint8Array(0),
    functions,
    lines,
    lineAddresses: elements(arrays.get('jited_line_info'), info.jited_line_info_rec_size, u64),
  }
}

/**
 * All programs in the kernel, by rising id. Needs CAP_SYS_ADMIN (LOADER_LISTING says so).
 *
 * @example
 * ```ts no-run
 * import { kernelPrograms } from '@tsbpf/loader'
 * for (const { id, type, name, runCnt } of kernelPrograms(sys)) console.log(id, type, name, runCnt)
 * ```
 */
export function kernelPrograms(sys: Sys): Generator<ProgramInfo, void, void> {
  return readAll(sys, 'prog', programInfo)
}

/** The program of that id; `undefined` where there is none. Needs CAP_SYS_ADMIN (LOADER_LISTING says so). */
export function kernelProgram(sys: Sys, id: number): ProgramInfo | undefined {
  return readById(sys, 'prog', id, programInfo)
}
