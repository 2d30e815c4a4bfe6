import { isTsbpfError } from '@tsbpf/base'
import { capabilities } from '@tsbpf/uapi'
import { readFile } from './read-file.ts'
import type { Sys } from './sys.ts'

/** Name of a capability: `CAP_BPF`. */
export type CapabilityName = Parameters<typeof capabilities.value>[0]

/**
 * The capabilities that this process has now (CapEff of /proc/self/status); `undefined` where /proc does not say.
 * In a user namespace they hold only for what belongs to it. Throws `SyscallError` where the file cannot be read.
 *
 * @example
 * ```ts
 * import { effectiveCapabilities } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * console.log(effectiveCapabilities(nativeSys())?.has('CAP_BPF'))
 * ```
 */
export function effectiveCapabilities(sys: Sys): ReadonlySet<CapabilityName> | undefined {
  const status = new TextDecoder().decode(readFile(sys, '/proc/self/status'))
  const digits = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1]
  if (digits === undefined) return undefined
  const mask = BigInt(`0x${digits}`)
  const names = new Set<CapabilityName>()
  for (const { name, value } of capabilities.rows) if (((mask >> BigInt(value)) & 1n) === 1n) names.add(name)
  return names
}

/**
 * Those of `wanted` that this process lacks for bpf(2), in the same order; none where /proc cannot tell.
 * CAP_SYS_ADMIN stands for all of them (kernel/bpf/syscall.c, bpf_capable and perfmon_capable), and the kernel asks in
 * the initial user namespace: capabilities of a container's own namespace count for nothing. Makes no error of its own.
 *
 * @example
 * ```ts
 * import { lackingCapabilities } from '@tsbpf/sys'
 * import { nativeSys } from '@tsbpf/sys/native'
 * for (const name of lackingCapabilities(nativeSys(), ['CAP_BPF', 'CAP_PERFMON'])) console.log(`missing: ${name}`)
 * ```
 */
export function lackingCapabilities(sys: Sys, wanted: readonly CapabilityName[]): readonly CapabilityName[] {
  try {
    const own = effectiveCapabilities(sys)
    if (own === undefined) return []
    const real = ownsInitialNamespace(sys)
    if (real && own.has('CAP_SYS_ADMIN')) return []
    return wanted.filter((name) => !real || !own.has(name))
  } catch (error) {
    if (isTsbpfError(error)) return []
    throw error
  }
}

function ownsInitialNamespace(sys: Sys): boolean {
  try {
    const map = new TextDecoder().decode(readFile(sys, '/proc/self/uid_map', { limit: 64 * 1024 }))
    return /^\s*0\s+0\s+4294967295\s*$/.test(map)
  } catch (error) {
    if (isTsbpfError(error)) return true
    throw error
  }
}
