/**
 * Turns what `libbpf-core` prints into rows, one for each relocation: program, number of the instruction (null where
 * the log does not say), kind, local access, status, values as decimal strings, sizes of a resized access, and the
 * accesses in the candidates that fit.
 */
export function parseLog(text) {
  const rows = []
  const seen = new Set()
  let version = ''
  let row
  for (const line of text.split('\n')) {
    const head = /^libbpf (v\S+)$/.exec(line)
    if (head) version = head[1]
    const relo = /^libbpf: prog '(.+?)': relo #(\d+): (.*)$/.exec(line)
    if (!relo) continue
    const [, program, number, message] = relo
    const start = /^<(\w+)> (\[\d+\] .*)$/.exec(message)
    const failedEarly = /^parsing (\[\d+\] .*) failed: -?\d+$/.exec(message)
    if (start || failedEarly) {
      row = {
        program,
        insn: null,
        kind: start?.[1] ?? null,
        local: start?.[2] ?? failedEarly[1],
        status: 'failed',
      }
      row.old = row.new = row.memSize = null
      row.fits = []
      const key = `${program} ${number}`
      // Subprograms are relocated again for each program.
      if (!seen.has(key)) rows.push(row)
      seen.add(key)
      continue
    }
    const fits = /^matching candidate #\d+ <\w+> (.*)$/.exec(message)
    const patched = /^patched insn #(\d+) \([\w/]+\) (?:off|imm|imm64) (\d+) -> (\d+)$/.exec(message)
    const resized = /^patched insn #\d+ \(LDX\/ST\/STX\) mem_sz (\d+) -> (\d+)$/.exec(message)
    const poisoned = /^substituting insn #(\d+) w\/ invalid insn$/.exec(message)
    const failed = /^failed to (?:patch insn #(\d+)|relocate): (-\d+)$/.exec(message)
    if (fits) row.fits.push(fits[1])
    else if (patched)
      Object.assign(row, { status: 'resolved', insn: +patched[1], old: patched[2], new: patched[3] })
    else if (resized) row.memSize = [+resized[1], +resized[2]]
    else if (poisoned) {
      if (row.status !== 'poisoned') row.insn = +poisoned[1]
      row.status = 'poisoned'
    } else if (failed) {
      if (failed[1] !== undefined) row.insn = +failed[1]
      Object.assign(row, { status: 'failed', old: null, new: null, errno: +failed[2] })
    }
  }
  return { version, rows }
}
