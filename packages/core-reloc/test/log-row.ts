import type { CoreResult } from '../src/index.ts'
import type { LogRow } from './golden/parse-log.mjs'

/** A result as the row that libbpf's log would give, as far as the log says anything. */
export function rowOf(result: CoreResult, logged: LogRow): LogRow {
  const { localType, accessText, memSize, candidates } = result
  const fits = candidates
    .filter(({ verdict }) => verdict === 'chosen' || verdict === 'agrees' || verdict === 'disagrees')
    .map((candidate) => `[${candidate.type.id}] ${candidate.accessText ?? ''}`)
  const resolved = result.status === 'resolved'
  return {
    program: result.program,
    insn: logged.insn === null ? null : result.insn,
    kind: logged.kind === null ? null : result.kind,
    local: `[${localType.id}] ${accessText}`,
    status: result.status,
    old: resolved ? String(result.oldValue) : null,
    new: resolved ? String(result.newValue) : null,
    memSize: memSize === undefined ? null : [memSize.from, memSize.to],
    fits,
  }
}

/** The row without what only the log has. */
export function loggedRow({ program, insn, kind, local, status, memSize, fits, ...row }: LogRow): LogRow {
  return { program, insn, kind, local, status, old: row.old, new: row.new, memSize, fits }
}
