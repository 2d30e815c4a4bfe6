import { nulTerminated, type ValueOf } from '@tsbpf/base'
import { commands, linux, progLoadAttr, type ProgLoadAttrFields } from '@tsbpf/uapi'
import { littleEndian, pointerTo } from './command.ts'
import { objectName } from './object-name.ts'
import type { AttrPointer, Sys } from './sys.ts'

type Derived =
  | 'prog_name'
  | 'insns'
  | 'insn_cnt'
  | 'license'
  | 'log_buf'
  | 'log_size'
  | 'log_true_size'
  | 'func_info'
  | 'func_info_cnt'
  | 'line_info'
  | 'line_info_cnt'
  | 'core_relos'
  | 'core_relo_cnt'
  | 'fd_array'
  | 'fd_array_cnt'
  | 'signature'
  | 'signature_size'

/**
 * Fields of BPF_PROG_LOAD by their kernel names; those left out are 0. Pointers are bytes, and what counts them
 * (`insn_cnt`, `log_size`, `func_info_cnt`, …) follows from their length.
 */
export interface ProgLoadFields extends Omit<Partial<ValueOf<ProgLoadAttrFields>>, Derived> {
  readonly prog_type: number
  /** Whole 8-byte instructions. */
  readonly insns: Uint8Array
  readonly license: string
  /** At most 15 bytes are kept, of letters, digits, `_` and `.`: the kernel refuses others. */
  readonly prog_name?: string
  /** Receives the verifier's log, as text that ends with NUL; goes with a `log_level` above 0. */
  readonly log_buf?: Uint8Array
  /** Whole records of `func_info_rec_size` bytes. */
  readonly func_info?: Uint8Array
  /** Whole records of `line_info_rec_size` bytes. */
  readonly line_info?: Uint8Array
  /** Whole records of `core_relo_rec_size` bytes. */
  readonly core_relos?: Uint8Array
  /** Descriptors of maps and BTF objects, 4 bytes each. */
  readonly fd_array?: Uint8Array
  /** Descriptors in `fd_array` that the program then holds (Linux 6.14); left out, the kernel does not count them. */
  readonly fd_array_cnt?: number
  readonly signature?: Uint8Array
}

/** What came of a load; see {@link progLoad}. */
export interface LoadResult {
  /** The descriptor, which the caller closes, or a negated errno: then the log says why. */
  readonly fd: number
  /** Bytes that the whole log needs, NUL included (Linux 6.4); 0 where the kernel does not say. */
  readonly logTrueSize: number
}

interface Request {
  readonly attr: Uint8Array
  readonly pointers: readonly AttrPointer[]
}

const logTrueSize = ({ attr }: Request): number =>
  new DataView(attr.buffer).getUint32(progLoadAttr.offsets.log_true_size, littleEndian)

/** Records in `bytes`; a record size of 0 is for the kernel to refuse. */
const records = (bytes: Uint8Array | undefined, size: number | undefined): number =>
  bytes === undefined || size === undefined || size <= 0 ? 0 : Math.floor(bytes.length / size)

function request(fields: ProgLoadFields): Request {
  const {
    prog_name,
    insns,
    license,
    log_buf,
    func_info,
    line_info,
    core_relos,
    fd_array,
    signature,
    ...rest
  } = fields
  const attr = progLoadAttr.encode(
    {
      ...rest,
      insn_cnt: Math.floor(insns.length / 8),
      prog_name: objectName(prog_name, linux.BPF_OBJ_NAME_LEN),
      log_size: log_buf?.length ?? 0,
      func_info_cnt: records(func_info, rest.func_info_rec_size),
      line_info_cnt: records(line_info, rest.line_info_rec_size),
      core_relo_cnt: records(core_relos, rest.core_relo_rec_size),
      fd_array_cnt: rest.fd_array_cnt ?? 0,
      signature_size: signature?.length ?? 0,
    },
    littleEndian,
  )
  const pointers = [
    pointerTo(progLoadAttr, 'insns', insns),
    pointerTo(progLoadAttr, 'license', nulTerminated(license)),
  ]
  const optional = { log_buf, func_info, line_info, core_relos, fd_array, signature } as const
  for (const field of ['log_buf', 'func_info', 'line_info', 'core_relos', 'fd_array', 'signature'] as const) {
    const buffer = optional[field]
    if (buffer !== undefined) pointers.push(pointerTo(progLoadAttr, field, buffer))
  }
  return { attr, pointers }
}

/**
 * Loads a program (BPF_PROG_LOAD) and waits for the verifier, which may take seconds: see {@link progLoadAsync}.
 *
 * A refusal does not throw, because its reason is in `log_buf`: `fd` is then a negated errno.
 *
 * @example
 * ```ts
 * import { progLoad } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * import { progTypes } from '@tsbpf/uapi'
 * const insns = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0) // r0 = 0; exit
 * const sys = nativeSys()
 * const { fd } = progLoad(sys, { prog_type: progTypes.value('socket_filter'), insns, license: 'GPL' })
 * sys.close(fd)
 * ```
 */
export function progLoad(sys: Sys, fields: ProgLoadFields): LoadResult {
  const made = request(fields)
  const fd = sys.bpf(commands.value('prog_load'), made.attr, made.pointers)
  return { fd, logTrueSize: logTrueSize(made) }
}

/**
 * The same on the thread pool: the event loop goes on meanwhile. `log_buf` is filled when the promise resolves; leave
 * the buffers alone until then.
 */
export async function progLoadAsync(sys: Sys, fields: ProgLoadFields): Promise<LoadResult> {
  const made = request(fields)
  const fd = await sys.bpfAsync(commands.value('prog_load'), made.attr, made.pointers)
  return { fd, logTrueSize: logTrueSize(made) }
}
