import { isTsbpfError } from '@tsbpf/base'
import { kfunc } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import type { ExternSpec, ObjectSpec } from '@tsbpf/object'
import type { Sys } from '@tsbpf/sys'
import { linux } from '@tsbpf/uapi'
import { checked } from '@tsbpf/sys'
import { errors } from './errors.ts'
import type { LazyKernelBtf } from './kernel-btf.ts'
import type { ModuleBtf } from './kernel-modules.ts'

/** What a ksym or kfunc of an object is on the kernel that it will run on. */
export type ResolvedKsym =
  /** A variable or function of the kernel's BTF, or a module's, by its type id. */
  | { readonly kind: 'btf'; readonly id: number; readonly module: ModuleBtf | undefined }
  /** A symbol without a type. */
  | { readonly kind: 'address'; readonly address: bigint }
  /** Weak, and not there: its address is 0, and calling it is refused. */
  | { readonly kind: 'missing' }

/** Finds the ksyms and kfuncs that are used. Throws LOADER_KSYM_MISSING for what is not weak and not there. */
export function resolveKsyms(
  spec: ObjectSpec,
  used: ReadonlySet<string>,
  sources: { readonly sys: () => Sys; readonly kernel: LazyKernelBtf },
): ReadonlyMap<string, ResolvedKsym> {
  const found = new Map<string, ResolvedKsym>()
  const untyped: ExternSpec[] = []
  for (const extern of spec.externs) {
    const { name, kind } = extern
    if (kind === 'kconfig' || !used.has(name)) continue
    if (kind === 'ksym' && isVoid(spec, extern)) {
      untyped.push(extern)
      continue
    }
    const reason = `${kind} ${name}`
    const id = (btf: Btf): number | undefined =>
      kind === 'kfunc' ? kfunc(btf, name)?.func.id : btf.find(name, 'var')?.id
    const own = id(sources.kernel.get(reason))
    const there =
      own === undefined ? inModules(sources.kernel.modules(reason), id) : { id: own, module: undefined }
    if (there !== undefined) found.set(name, { kind: 'btf', ...there })
    else found.set(name, missing(extern, 'the BTF of the kernel and its modules'))
  }
  if (untyped.length > 0) {
    const addresses = symbolAddresses(sources.sys(), new Set(untyped.map(({ name }) => name)))
    for (const extern of untyped) {
      const address = addresses.get(extern.name)
      found.set(
        extern.name,
        address === undefined ? missing(extern, '/proc/kallsyms') : { kind: 'address', address },
      )
    }
  }
  return found
}

/** The first module that has it; damaged BTF of another is no reason to fail. */
function inModules(
  modules: readonly ModuleBtf[],
  idIn: (btf: Btf) => number | undefined,
): { readonly id: number; readonly module: ModuleBtf } | undefined {
  for (const module of modules) {
    try {
      const id = idIn(module.btf)
      if (id !== undefined) return { id, module }
    } catch (error) {
      if (!isTsbpfError(error)) throw error
    }
  }
  return undefined
}

function missing(extern: ExternSpec, where: string): ResolvedKsym {
  if (!extern.weak) throw errors.LOADER_KSYM_MISSING({ kind: extern.kind, name: extern.name, where })
  return { kind: 'missing' }
}

function isVoid({ btf }: ObjectSpec, { type }: ExternSpec): boolean {
  return type === undefined || btf === undefined || btf.resolve(type).kind === 'void'
}

const newline = 10

/**
 * Addresses of symbols by /proc/kallsyms, read in pieces: some 10 MB of which nearly nothing is wanted. A user without
 * CAP_SYSLOG sees zeroes: LOADER_KSYM_HIDDEN.
 */
function symbolAddresses(sys: Sys, wanted: ReadonlySet<string>): ReadonlyMap<string, bigint> {
  const path = '/proc/kallsyms'
  const fd = checked(sys.openat(linux.AT_FDCWD, path, linux.O_RDONLY), 'openat', undefined, path)
  const decoder = new TextDecoder('latin1')
  const found = new Map<string, bigint>()
  try {
    const buffer = new Uint8Array(1 << 18)
    for (let kept = 0; ;) {
      const count = checked(sys.read(fd, buffer.subarray(kept)), 'read', undefined, path)
      const end = kept + count
      const last = buffer.lastIndexOf(newline, end - 1)
      if (count === 0 || last < 0) break
      for (const line of decoder.decode(buffer.subarray(0, last)).split('\n')) {
        const [address = '', , name = ''] = line.split(/[ \t]/, 3)
        if (!wanted.has(name) || found.has(name)) continue
        const value = BigInt(`0x${address}`)
        if (value === 0n) throw errors.LOADER_KSYM_HIDDEN({ name })
        found.set(name, value)
      }
      buffer.copyWithin(0, last + 1, end)
      kept = end - last - 1
    }
    return found
  } finally {
    sys.close(fd)
  }
}
