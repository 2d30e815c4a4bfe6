import type { ValueOf } from '@tsbpf/base'
import { progTestRunAttr, type ProgTestRunAttrFields } from '@tsbpf/uapi'
import { demand, littleEndian, pointerTo } from './command.ts'
import type { Sys } from './sys.ts'

type Derived =
  | 'retval'
  | 'duration'
  | 'data_in'
  | 'data_out'
  | 'data_size_in'
  | 'data_size_out'
  | 'ctx_in'
  | 'ctx_out'
  | 'ctx_size_in'
  | 'ctx_size_out'

/** Fields of BPF_PROG_TEST_RUN by their kernel names; sizes follow from the bytes. */
export interface ProgTestRunFields extends Omit<Partial<ValueOf<ProgTestRunAttrFields>>, Derived> {
  readonly prog_fd: number
  readonly data_in?: Uint8Array
  readonly data_out?: Uint8Array
  readonly ctx_in?: Uint8Array
  readonly ctx_out?: Uint8Array
}

/** What {@link progTestRun} found. */
export interface ProgTestRunResult {
  readonly retval: number
  /** Mean time of one run in nanoseconds. */
  readonly duration: number
  /** Bytes that the kernel has written to `data_out`. */
  readonly dataSizeOut: number
  /** Bytes that the kernel has written to `ctx_out`. */
  readonly ctxSizeOut: number
}

/**
 * Runs a loaded program on given input (BPF_PROG_TEST_RUN, Linux 4.12; which program types take part depends on the
 * kernel). Throws `SyscallError`: ENOSPC where `data_out` was too small.
 */
export function progTestRun(sys: Sys, fields: ProgTestRunFields): ProgTestRunResult {
  const { data_in, data_out, ctx_in, ctx_out, ...rest } = fields
  const given = { data_in, data_out, ctx_in, ctx_out }
  const pointers = []
  for (const field of ['data_in', 'data_out', 'ctx_in', 'ctx_out'] as const) {
    const buffer = given[field]
    if (buffer !== undefined) pointers.push(pointerTo(progTestRunAttr, field, buffer))
  }
  const { attr } = demand(
    sys,
    'prog_test_run',
    progTestRunAttr,
    {
      ...rest,
      data_size_in: data_in?.length ?? 0,
      data_size_out: data_out?.length ?? 0,
      ctx_size_in: ctx_in?.length ?? 0,
      ctx_size_out: ctx_out?.length ?? 0,
    },
    pointers,
  )
  const { offsets } = progTestRunAttr
  return {
    retval: attr.getUint32(offsets.retval, littleEndian),
    duration: attr.getUint32(offsets.duration, littleEndian),
    dataSizeOut: attr.getUint32(offsets.data_size_out, littleEndian),
    ctxSizeOut: attr.getUint32(offsets.ctx_size_out, littleEndian),
  }
}
