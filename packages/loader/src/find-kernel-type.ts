import { isTsbpfError } from '@tsbpf/base'
import type { TypeId } from '@tsbpf/base'
import type { Btf, BtfKind, BtfTypeOf } from '@tsbpf/btf'
import type { LazyKernelBtf } from './kernel-btf.ts'
import type { ModuleBtf } from './kernel-modules.ts'

/** A type of the kernel's BTF, or of a module's. */
export interface KernelType<K extends BtfKind> {
  readonly id: TypeId
  readonly type: BtfTypeOf<K>
  readonly btf: Btf
  /** `undefined` for the kernel's own BTF. */
  readonly module: ModuleBtf | undefined
}

/** What {@link findKernelType} looks for. */
export interface KernelTypeQuery<K extends BtfKind> {
  readonly name: string
  readonly kind: K
  /** What it is needed for, for errors. */
  readonly reason: string
  /** Where alone to look: `vmlinux` or a module's name. */
  readonly module?: string | undefined
}

/** Finds a type in the kernel's BTF, and only where that has none in its modules' (libbpf's find_kernel_btf_id). */
export function findKernelType<K extends BtfKind>(
  kernel: LazyKernelBtf,
  { name, kind, reason, module: wanted }: KernelTypeQuery<K>,
): KernelType<K> | undefined {
  const main = kernel.get(reason)
  const found = wanted === undefined || wanted === 'vmlinux' ? main.find(name, kind) : undefined
  if (found !== undefined) return { id: found.id, type: found, btf: main, module: undefined }
  if (wanted === 'vmlinux') return undefined
  for (const module of kernel.modules(reason)) {
    if (wanted !== undefined && module.name !== wanted) continue
    const type = findIn(module, name, kind)
    if (type !== undefined) return { id: type.id, type, btf: module.btf, module }
  }
  return undefined
}

/** Damaged BTF of a module is no reason to fail where another has the type. */
function findIn<K extends BtfKind>(module: ModuleBtf, name: string, kind: K): BtfTypeOf<K> | undefined {
  try {
    return module.btf.find(name, kind)
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return undefined
  }
}
