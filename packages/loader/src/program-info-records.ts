import type { LinkedProgram } from '@tsbpf/object'
import { bpfFuncInfo, bpfLineInfo } from '@tsbpf/uapi'

/** Bits that a line's column takes in `line_col` (include/uapi/linux/bpf.h, BPF_LINE_INFO_LINE_COL). */
const columnBits = 10

/** `func_info` of a linked program, as BPF_PROG_LOAD takes it; `undefined` unless every function has its FUNC. */
export function funcInfo(program: LinkedProgram): Uint8Array | undefined {
  const { functions } = program
  const bytes = new Uint8Array(functions.length * bpfFuncInfo.size)
  const view = new DataView(bytes.buffer)
  for (const [row, fn] of functions.entries()) {
    if (fn.btfFunc === undefined) return undefined
    bpfFuncInfo.write(view, row * bpfFuncInfo.size, { insn_off: fn.startSlot, type_id: fn.btfFunc }, true)
  }
  return bytes
}

/**
 * `line_info` of a linked program, as BPF_PROG_LOAD takes it; `undefined` unless it covers the first instruction of
 * every function, which the kernel demands (kernel/bpf/verifier.c, check_btf_line).
 */
export function lineInfo(program: LinkedProgram): Uint8Array | undefined {
  const lines = program.lineInfo
  const covered = new Set<number>(lines.map((line) => line.insn))
  if (lines.length === 0 || program.functions.some((fn) => !covered.has(fn.startSlot))) return undefined
  const bytes = new Uint8Array(lines.length * bpfLineInfo.size)
  const view = new DataView(bytes.buffer)
  for (const [row, line] of lines.entries()) {
    const fields = {
      insn_off: line.insn,
      file_name_off: line.fileOffset,
      line_off: line.textOffset,
      line_col: ((line.line << columnBits) | (line.column & ((1 << columnBits) - 1))) >>> 0,
    }
    bpfLineInfo.write(view, row * bpfLineInfo.size, fields, true)
  }
  return bytes
}
