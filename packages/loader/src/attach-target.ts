import type { ProgramSpec } from '@tsbpf/object'
import { errors } from './errors.ts'
import type { LazyKernelBtf } from './kernel-btf.ts'

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

/** Type id in the kernel's BTF of what a program is loaded for; 0 for programs that name nothing there. */
export function attachTarget(program: ProgramSpec, kernel: LazyKernelBtf): number {
  const row = program.attachType === undefined ? undefined : targets.get(program.attachType)
  if (row === undefined) return 0
  const target = row.prefix + (program.attachTo ?? '')
  const type = kernel.get(`the target of program ${program.name}`).find(target, row.kind)
  if (type === undefined) {
    throw errors.LOADER_NO_ATTACH_TARGET({ program: program.name, target: `${row.kind} ${target}` })
  }
  return type.id
}
