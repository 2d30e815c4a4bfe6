import { isTsbpfError } from '@tsbpf/base'
import { sanitizeBtf, sanitizeRules } from '@tsbpf/btf'
import type { Btf, BtfFeature } from '@tsbpf/btf'
import { btfLoad, errnoName } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { mapFlags } from '@tsbpf/uapi'
import { runningKernelVersion } from './kernel-config.ts'
import type { OwnedFds } from './owned-fds.ts'

/** True for what BTF of the kernel that runs here has, as far as its version tells; of all where that cannot be read. */
function kernelHas(sys: Sys): (feature: BtfFeature) => boolean {
  let version = Infinity
  try {
    version = runningKernelVersion(sys)
  } catch (error) {
    if (!isTsbpfError(error)) throw error
  }
  return (feature) => {
    const since = sanitizeRules.find((rule) => rule.feature === feature)?.since
    if (since === undefined) return false
    const [major = 0, minor = 0] = since.split('.').map(Number)
    return version >= (major << 16) + (minor << 8)
  }
}

/** Gives the object's BTF to the kernel. A kernel that does not take it does without, as in libbpf. */
export function loadBtf(
  sys: Sys,
  owned: OwnedFds,
  { btf, externs }: { readonly btf: Btf | undefined; readonly externs: boolean },
  token: number | undefined,
  done: (note: string | undefined) => void,
): number | undefined {
  if (btf === undefined) return undefined
  const fields = token === undefined ? {} : { btf_flags: mapFlags.value('token_fd'), btf_token_fd: token }
  const own = externs ? sanitizeBtf(btf, (feature) => feature !== 'extern') : btf
  let { fd } = btfLoad(sys, { ...fields, btf: own.bytes })
  if (fd < 0) {
    const older = sanitizeBtf(btf, kernelHas(sys))
    if (older.bytes.length !== own.bytes.length || older.bytes.some((byte, i) => byte !== own.bytes[i])) {
      fd = btfLoad(sys, { ...fields, btf: older.bytes }).fd
    }
  }
  if (fd < 0) {
    done(`the kernel does not take the object's BTF (${errnoName(fd)}): no source lines, no types of maps`)
    return undefined
  }
  owned.add(fd)
  done(undefined)
  return fd
}
