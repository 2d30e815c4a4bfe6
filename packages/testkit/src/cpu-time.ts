/**
 * Milliseconds of processor time that this process has used: how long work takes, however busy the machine is.
 * A browser does not tell: 0, and only the timeout of the test bounds it there.
 */
export function cpuTime(): number {
  const host = (globalThis as { process?: { cpuUsage?: () => { user: number; system: number } } }).process
  const used = host?.cpuUsage?.()
  return used === undefined ? 0 : (used.user + used.system) / 1000
}
