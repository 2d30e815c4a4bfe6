import { makeInsn } from '@tsbpf/isa'
import type { ProgLoadFields, Sys } from '@tsbpf/sys'
import { attachTypes, progFlags, progTypes } from '@tsbpf/uapi'
import type { AttachTypeName, ProgTypeName } from '@tsbpf/uapi'
import { helpers } from '@tsbpf/uapi/helpers'
import type { HelperName } from '@tsbpf/uapi/helpers'
import { cached, tryLoad } from './evidence.ts'
import type { FeatureEvidence } from './evidence.ts'

/** Types that are loaded only for a certain attach type (kernel/bpf/syscall.c, bpf_prog_load_check_attach). */
const attachTypeOf: ReadonlyMap<ProgTypeName, AttachTypeName> = new Map([
  ['cgroup_skb', 'cgroup_inet_ingress'],
  ['cgroup_sock_addr', 'cgroup_inet4_connect'],
  ['cgroup_sockopt', 'cgroup_getsockopt'],
  ['sk_lookup', 'sk_lookup'],
  ['lirc_mode2', 'lirc_mode2'],
  ['netfilter', 'netfilter'],
  ['tracing', 'trace_fentry'],
  ['lsm', 'lsm_mac'],
])

/** Programs of these types are for a type of the kernel's BTF: without one the verifier refuses them by words. */
const forKernelType = new Set<ProgTypeName>(['tracing', 'lsm', 'struct_ops', 'ext'])
/** Only sleepable programs of this type are loaded. */
const sleepable = new Set<ProgTypeName>(['syscall'])

function fieldsOf(type: ProgTypeName): Omit<ProgLoadFields, 'insns' | 'license'> {
  const attachType = attachTypeOf.get(type)
  return {
    prog_type: progTypes.value(type),
    expected_attach_type: attachType === undefined ? 0 : attachTypes.value(attachType),
    prog_flags: sleepable.has(type) ? progFlags.value('sleepable') : 0,
  }
}

/**
 * Whether this kernel has a program type: a program of it that does nothing is loaded. Types for functions of the kernel are
 * there if the verifier gets so far as to ask for one. Asked once for each door.
 * Throws LOADER_PROBE_DENIED where this process may not load programs.
 *
 * @example
 * ```ts no-run
 * import { probeProgramType } from '@tsbpf/loader'
 * const { supported, tried, answer } = probeProgramType(sys, 'netfilter')
 * ```
 */
export function probeProgramType(sys: Sys, type: ProgTypeName): FeatureEvidence {
  return cached(sys, `program type ${type}`, () => {
    const tried = `load a program of type ${type}: r0 = 0; exit`
    const insns = [makeInsn('mov64_imm', { dst: 0, imm: 0 }), makeInsn('exit')]
    const { loaded, log, answer } = tryLoad(sys, tried, insns, fieldsOf(type))
    // A type that the kernel does not know never comes to the verifier, which alone writes a log.
    return { supported: loaded || log !== '', tried, answer }
  })
}

/** What the verifier says of a helper that it does not know, or not for this type of program. */
const noHelper = /invalid func |unknown func |program of this type cannot use helper /

/**
 * Whether this kernel has a helper for programs of a type: a program that calls it is loaded, and the verifier may
 * refuse its arguments but not the helper. Types for functions of the kernel (`tracing`, `lsm`, `struct_ops`, `ext`) cannot
 * be asked so: that is a RangeError. Asked once for each door. Throws LOADER_PROBE_DENIED.
 *
 * @example
 * ```ts no-run
 * import { probeHelper } from '@tsbpf/loader'
 * console.log(probeHelper(sys, 'xdp', 'ringbuf_output').supported)
 * ```
 */
export function probeHelper(sys: Sys, type: ProgTypeName, helper: HelperName): FeatureEvidence {
  if (forKernelType.has(type)) throw new RangeError(`helpers of ${type} programs depend on what they are for`)
  return cached(sys, `helper ${type} ${helper}`, () => {
    const tried = `load a program of type ${type}: call ${helper}; exit`
    const insns = [makeInsn('call', { imm: helpers.value(helper) }), makeInsn('exit')]
    const { loaded, log, answer } = tryLoad(sys, tried, insns, fieldsOf(type))
    return { supported: loaded || (log !== '' && !noHelper.test(log)), tried, answer }
  })
}
