import { enableStats, Fd } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { listingError } from './listing.ts'

/**
 * Lets the kernel count runs and run time of all programs until it is disposed of (BPF_ENABLE_STATS, kernel 5.8):
 * `runCnt` and `runTimeNs` of {@link ProgramInfo}. It costs each run some 20 ns. Needs CAP_SYS_ADMIN (LOADER_LISTING says
 * so). Throws `SyscallError`.
 *
 * @example
 * ```ts no-run
 * import { kernelProgram, runStatistics } from '@tsbpf/loader'
 * using statistics = runStatistics(sys)
 * // …
 * console.log(kernelProgram(sys, 7)?.runCnt)
 * ```
 */
export function runStatistics(sys: Sys): Disposable {
  try {
    return new Fd(sys, enableStats(sys), 'run statistics')
  } catch (error) {
    throw listingError(sys, 'statistics of runs', error)
  }
}
