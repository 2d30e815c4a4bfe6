import { parseBtf } from '@tsbpf/btf'
import type { ProgramSpec } from '@tsbpf/object'
import { btfGetInfo, fdById, progGetInfo } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { findKernelType } from './find-kernel-type.ts'
import type { LazyKernelBtf } from './kernel-btf.ts'
import type { ModuleBtf } from './kernel-modules.ts'

/** What a program is loaded for. */
export interface AttachTarget {
  /** Type id in the kernel's BTF, the module's or the target program's; 0 for none. */
  readonly id: number
  /** The module whose BTF `id` is of. */
  readonly module?: ModuleBtf | undefined
  /** Descriptor of the program whose BTF `id` is of. */
  readonly programFd?: number
  /** For a struct_ops program: index of the member that it is. */
  readonly member?: number
}

/** What the target of a program is looked up with. */
export interface TargetSources {
  readonly sys: () => Sys
  readonly kernel: LazyKernelBtf
  /** A program whose function is meant, not the kernel's. */
  readonly program: { readonly fd: number } | undefined
}

/**
 * How the kernel names, in its BTF, what a program is loaded for (libbpf's find_kernel_btf_id), by attach type.
 */
const targets = new Map<string, { readonly prefix: string; readonly kind: 'typedef' | 'func' }>([
  ['trace_raw_tp', { prefix: 'btf_trace_', kind: 'typedef' }],
  ['trace_iter', { prefix: 'bpf_iter_', kind: 'func' }],
  ['lsm_mac', { prefix: 'bpf_lsm_', kind: 'func' }],
  ['lsm_cgroup', { prefix: 'bpf_lsm_', kind: 'func' }],
  ['trace_fentry', { prefix: '', kind: 'func' }],
  ['trace_fexit', { prefix: '', kind: 'func' }],
  ['trace_fsession', { prefix: '', kind: 'func' }],
  ['modify_return', { prefix: '', kind: 'func' }],
])

/** True for an attach type whose target in the kernel's BTF {@link attachTarget} finds. */
export function hasAttachTarget(attachType: string | undefined): boolean {
  return attachType !== undefined && targets.has(attachType)
}

/**
 * What a program is loaded for: a type of the kernel's or a module's BTF, where `module:name` says which module, or a
 * function of another program. Throws LOADER_NO_ATTACH_TARGET, LOADER_NO_TARGET_PROGRAM.
 */
export function attachTarget(program: ProgramSpec, sources: TargetSources): AttachTarget {
  const { name, attachType, type } = program
  if (type === 'ext' || sources.program !== undefined) return targetInProgram(program, sources)
  const row = attachType === undefined ? undefined : targets.get(attachType)
  if (row === undefined) return { id: 0 }
  const [, module, given = ''] = /^(?:([^:]*):)?(.*)$/s.exec(program.attachTo ?? '') ?? []
  const target = row.prefix + given
  const query = { name: target, kind: row.kind, reason: `the target of program ${name}`, module }
  const found = findKernelType(sources.kernel, query)
  if (found !== undefined) return { id: found.id, module: found.module }
  const where = module === undefined ? "the kernel's BTF" : `the BTF of ${module}`
  throw errors.LOADER_NO_ATTACH_TARGET({ program: name, where, target: `${row.kind} ${target}` })
}

function targetInProgram({ name, attachTo = '' }: ProgramSpec, sources: TargetSources): AttachTarget {
  const { program } = sources
  if (program === undefined) throw errors.LOADER_NO_TARGET_PROGRAM({ program: name })
  const sys = sources.sys()
  const { btf_id: btfId } = progGetInfo(sys, program.fd).info
  const fail = (): Error =>
    errors.LOADER_NO_ATTACH_TARGET({
      program: name,
      where: "the target program's BTF",
      target: `func ${attachTo}`,
    })
  if (btfId === 0) throw fail()
  const fd = fdById(sys, 'btf', btfId)
  try {
    const id = parseBtf(btfGetInfo(sys, fd).bytes, { name: `BTF of program ${name}'s target` }).find(
      attachTo,
      'func',
    )?.id
    if (id === undefined) throw fail()
    return { id, programFd: program.fd }
  } finally {
    sys.close(fd)
  }
}
