import { isTsbpfError } from '@tsbpf/base'
import { parseBtf } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import { btfGetInfo, btfGetName, fdById, objectIds, readFile } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { maxModuleBtfBytes, maxModuleListBytes } from './limits.ts'

/** BTF of a kernel module, split from the kernel's own. */
export interface ModuleBtf {
  readonly name: string
  readonly btf: Btf
  /** Id of the BTF object; `undefined` where this process may not list them (CAP_SYS_ADMIN): then only its types are known. */
  readonly id: number | undefined
}

/**
 * BTF of all modules that are loaded: by the kernel's ids (kernel 5.11), or for those who may not list them by the files
 * of sysfs. A module that goes away meanwhile, or whose BTF is damaged, is left out.
 */
export function openModules(sys: Sys, base: Btf): readonly ModuleBtf[] {
  const ids = idsOf(sys)
  const modules: ModuleBtf[] = []
  for (const one of ids ?? namesOf(sys)) {
    try {
      const module = typeof one === 'number' ? byId(sys, base, one) : byFile(sys, base, one)
      if (module !== undefined) modules.push(module)
    } catch (error) {
      if (!isTsbpfError(error)) throw error
    }
  }
  return modules
}

function idsOf(sys: Sys): readonly number[] | undefined {
  try {
    return [...objectIds(sys, 'btf')]
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return undefined
  }
}

function namesOf(sys: Sys): readonly string[] {
  try {
    const list = new TextDecoder().decode(readFile(sys, '/proc/modules', { limit: maxModuleListBytes }))
    return list.split('\n').flatMap((line) => /^\w+/.exec(line)?.[0] ?? [])
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return []
  }
}

function byId(sys: Sys, base: Btf, id: number): ModuleBtf | undefined {
  const fd = fdById(sys, 'btf', id)
  try {
    const { name, kernel } = btfGetName(sys, fd)
    if (!kernel || name === 'vmlinux') return undefined
    return { name, id, btf: parseBtf(btfGetInfo(sys, fd).bytes, { base, name }) }
  } finally {
    sys.close(fd)
  }
}

function byFile(sys: Sys, base: Btf, name: string): ModuleBtf {
  const bytes = readFile(sys, `/sys/kernel/btf/${name}`, { limit: maxModuleBtfBytes })
  return { name, id: undefined, btf: parseBtf(bytes, { base, name }) }
}
