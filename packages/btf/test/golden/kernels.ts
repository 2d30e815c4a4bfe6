import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readBtf } from './verify-c.mjs'

/** The kernel whose BTF is in the repository. */
export const pinnedKernel: string = join(
  import.meta.dirname,
  '../../../testkit/btf/vmlinux-6.12-debian-amd64.btf.gz',
)

/**
 * Files with the BTF of kernels, each kernel once: the pinned one, those of the folder TSBPF_BTF, and the running one.
 * `whyNot` says for a title which are missing.
 */
export function kernelFiles(): { readonly files: readonly string[]; readonly whyNot: string } {
  const folder = process.env['TSBPF_BTF'] ?? ''
  if (process.env['CI'] === 'true' && folder === '') throw new Error('CI must set TSBPF_BTF')
  const named = folder === '' ? [] : readdirSync(folder).filter((name) => name.endsWith('.btf.gz'))
  const running = '/sys/kernel/btf/vmlinux'
  const candidates = [pinnedKernel, ...named.map((name) => join(folder, name)), running]
  const seen = new Set<string>()
  const files = candidates.filter((file) => {
    if (!existsSync(file)) return false
    const hash = createHash('sha256').update(readBtf(file)).digest('hex')
    return !seen.has(hash) && seen.add(hash)
  })
  return { files, whyNot: folder === '' ? ' [others not run: TSBPF_BTF is not set]' : '' }
}
