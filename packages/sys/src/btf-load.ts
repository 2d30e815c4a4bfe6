import type { ValueOf } from '@tsbpf/base'
import { btfLoadAttr, type BtfLoadAttrFields } from '@tsbpf/uapi'
import { command, littleEndian, pointerTo } from './command.ts'
import type { LoadResult } from './prog-load.ts'
import type { Sys } from './sys.ts'

/** Fields of BPF_BTF_LOAD by their kernel names; sizes follow from the bytes. */
export interface BtfLoadFields extends Omit<
  Partial<ValueOf<BtfLoadAttrFields>>,
  'btf' | 'btf_size' | 'btf_log_buf' | 'btf_log_size' | 'btf_log_true_size'
> {
  readonly btf: Uint8Array
  /** Receives the log, as text that ends with NUL; goes with a `btf_log_level` above 0. */
  readonly btf_log_buf?: Uint8Array
}

/** Loads a BTF object (BPF_BTF_LOAD, Linux 4.18); as with `progLoad`, `fd` is a negated errno for a refusal. */
export function btfLoad(sys: Sys, fields: BtfLoadFields): LoadResult {
  const { btf, btf_log_buf: log, ...rest } = fields
  const pointers = [pointerTo(btfLoadAttr, 'btf', btf)]
  if (log !== undefined) pointers.push(pointerTo(btfLoadAttr, 'btf_log_buf', log))
  const { result, attr } = command(
    sys,
    'btf_load',
    btfLoadAttr,
    { ...rest, btf_size: btf.length, btf_log_size: log?.length ?? 0 },
    pointers,
  )
  return { fd: result, logTrueSize: attr.getUint32(btfLoadAttr.offsets.btf_log_true_size, littleEndian) }
}
