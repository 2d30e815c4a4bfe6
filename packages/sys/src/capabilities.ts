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
