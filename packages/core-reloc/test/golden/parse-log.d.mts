/** One relocation in libbpf's debug log. */
export interface LogRow {
  readonly program: string
  /** `null` where the log does not say. */
  readonly insn: number | null
  readonly kind: string | null
  readonly local: string
  readonly status: string
  readonly old: string | null
  readonly new: string | null
  readonly memSize: readonly [number, number] | null
  readonly fits: readonly string[]
}
export function parseLog(text: string): { readonly version: string; readonly rows: readonly LogRow[] }
