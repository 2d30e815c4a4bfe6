/** One process in the table. */
export interface Row {
  readonly pid: number
  readonly command: string
  readonly syscalls: bigint
  /** System calls in one second, as of the last interval. */
  readonly perSecond: number
}

const widths = { pid: 8, command: 16, syscalls: 14, perSecond: 12 }

/** The table as lines of text, titles first. */
export function tableText(rows: readonly Row[]): string {
  const lines = [line('pid', 'command', 'syscalls', 'per second')]
  for (const { pid, command, syscalls, perSecond } of rows) {
    lines.push(line(String(pid), command, syscalls.toString(), perSecond.toFixed(0)))
  }
  return lines.join('')
}

function line(pid: string, command: string, syscalls: string, perSecond: string): string {
  // A process chooses its own name: control characters in it must not reach the terminal.
  const name = command.replace(/\p{Cc}/gu, '?').padEnd(widths.command)
  return `${pid.padStart(widths.pid)}  ${name}${syscalls.padStart(widths.syscalls)}${perSecond.padStart(widths.perSecond)}\n`
}
