import { enableStatsAttr, statsTypes } from '@tsbpf/uapi'
import { demand } from './command.ts'
import type { Sys } from './sys.ts'

/**
 * Lets the kernel count run time and runs of all programs until the descriptor that this returns is closed
 * (BPF_ENABLE_STATS, Linux 5.8). Throws `SyscallError`.
 */
export function enableStats(sys: Sys): number {
  return demand(sys, 'enable_stats', enableStatsAttr, { type: statsTypes.value('run_time') }).result
}
