import { readdir } from 'node:fs/promises'
import { isTsbpfError } from '@tsbpf/base'
import { parseBtf } from '@tsbpf/btf'
import { relocate } from '@tsbpf/core-reloc'
import type { CoreResult, TargetBtf } from '@tsbpf/core-reloc'
import type { ObjectSpec } from '@tsbpf/object'
import { errors } from './errors.ts'
import { parseNamed, readInput } from './read-file.ts'

/** Folder in which the kernel shows its BTF and that of its modules, one file each. */
const folder = '/sys/kernel/btf'

/** BTF of the running kernel; CLI_NO_KERNEL_BTF where it shows none. */
async function runningKernel(): Promise<TargetBtf> {
  const file = `${folder}/vmlinux`
  try {
    const bytes = await readInput(file)
    return { name: 'vmlinux', btf: parseNamed(file, () => parseBtf(bytes, { name: 'vmlinux' })) }
  } catch (cause) {
    throw errors.CLI_NO_KERNEL_BTF({ reason: (cause as Error).message }, { cause })
  }
}

/** BTF of the running kernel's modules, each split from the kernel's own; one that is corrupt is left out. */
async function runningModules(kernel: TargetBtf): Promise<readonly TargetBtf[]> {
  const names = (await readdir(folder)).filter((name) => name !== kernel.name).sort()
  const targets = await Promise.all(
    names.map(async (name) => {
      try {
        const bytes = await readInput(`${folder}/${name}`)
        return { name, btf: parseBtf(bytes, { name, base: kernel.btf }) }
      } catch (error) {
        // A module may be gone by now, too.
        if (!isTsbpfError(error)) throw error
        return undefined
      }
    }),
  )
  return targets.filter((target) => target !== undefined)
}

/**
 * What becomes of an object's CO-RE relocations on the running kernel. As libbpf does, modules are asked only where
 * the kernel itself has no candidate; then only are they read.
 */
export async function relocateToRunningKernel(spec: ObjectSpec): Promise<readonly CoreResult[]> {
  const hasRelocations = [...spec.programs, ...spec.subprograms].some((fn) => fn.coreRelocations.length > 0)
  if (!hasRelocations) return []
  const kernel = await runningKernel()
  const { results } = relocate(spec, { targets: [kernel] })
  const needsModules = results.some(
    ({ candidates, kind }) => candidates.length === 0 && kind !== 'local_type_id',
  )
  if (!needsModules) return results
  const modules = await runningModules(kernel)
  return modules.length === 0 ? results : relocate(spec, { targets: [kernel, ...modules] }).results
}
