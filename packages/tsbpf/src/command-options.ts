/** Examples at the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`
}

/** Collects the values of an option that can be given several times. */
export function append(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value]
}
