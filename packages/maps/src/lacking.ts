import { effectiveCapabilities } from '@tsbpf/sys'
import type { CapabilityName, Sys } from '@tsbpf/sys'

/** Which of `wanted` this process lacks; none where that cannot be told. CAP_SYS_ADMIN stands for all of them. */
export function lacking(sys: Sys, wanted: readonly CapabilityName[]): readonly CapabilityName[] {
  try {
    const own = effectiveCapabilities(sys)
    return own === undefined || own.has('CAP_SYS_ADMIN') ? [] : wanted.filter((name) => !own.has(name))
  } catch {
    return []
  }
}
