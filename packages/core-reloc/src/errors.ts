import { defineErrors, TsbpfError } from '@tsbpf/base'
import type { ErrorContext } from '@tsbpf/base'

/** Why one relocation failed, before it is known where it stands; {@link locateError} adds that. */
interface Problem {
  readonly problem: string
}

const problem = (c: Problem): string => c.problem

/**
 * Everything that can go wrong with CO-RE relocations. An error of one relocation names program, instruction, source
 * line, local type and access in its message and, as data, in its context.
 */
export const errors = defineErrors({
  /** The accessor string does not fit the local type; clang never writes such a thing. */
  CORE_ACCESS: {
    message: problem,
    hint: 'the object is damaged or was changed after compilation: compile it again',
  },
  /** The kind is not one of enum bpf_core_relo_kind, or does not apply to such an access. */
  CORE_UNSUPPORTED_KIND: {
    message: problem,
    hint: 'the object may need a newer @tsbpf/core-reloc; libbpf 1.5 refuses it too',
  },
  /** The local type has no name, so no candidate can be looked for. */
  CORE_ANONYMOUS: {
    message: problem,
    hint: 'give the struct, union or enum a name, or a typedef and access it through that',
  },
  /** Two candidates fit, and would give different instructions. */
  CORE_AMBIGUOUS: {
    message: problem,
    hint: 'read a member that only the intended type has before this one: that rules the other one out',
  },
  /** A candidate, or the local type, cannot be laid out: no size, a bitfield wider than a load, an offset too large. */
  CORE_VALUE: {
    message: problem,
    hint: 'read the field with bpf_core_read or bpf_probe_read_kernel instead, or check that the BTF is whole',
  },
  /** The instruction is none that CO-RE can patch, or its place is not within the function. */
  CORE_INSN: {
    message: problem,
    hint: 'the object was changed after compilation, or relocated already: compile it again',
  },
  /** The instruction does not hold the value that the local type asks for. */
  CORE_INSN_VALUE: {
    message: problem,
    hint: 'relocate the object that clang made, once; a 32-bit enumerator of 2^31 or more fails in libbpf too',
  },
  /** The target's offset does not fit the signed 16 bits of a load or store. */
  CORE_RANGE: {
    message: problem,
    hint: 'take the address of the field first (BPF_CORE_READ does), so that the offset is an immediate operand',
  },
  /** The size of the memory access cannot become that of the target's field. */
  CORE_MEM_SIZE: {
    message: problem,
    hint: 'read the field with bpf_core_read, whose size is relocated by itself',
  },
  /** Types nest deeper, or ask for more work, than any real object does. */
  CORE_LIMIT: {
    message: problem,
    hint: 'no compiler writes this: look at the BTF with bpftool btf dump',
  },
  /** The BTF is malformed at a type that the relocation needs; `cause` says how. */
  CORE_BTF: { message: problem, hint: 'check the BTF with bpftool btf dump, and make it again' },
  /** There are relocations, but the object has no BTF that could say what they mean. */
  CORE_NO_BTF: {
    message: (c: { readonly program: string }) => `${c.program} has CO-RE relocations, but there is no BTF`,
    hint: 'compile with clang -g, and strip with llvm-strip -g, which keeps .BTF',
  },
  /** There are relocations, but nothing to relocate to. */
  CORE_NO_TARGET: {
    message: (c: { readonly program: string }) =>
      `${c.program} has CO-RE relocations, but no target BTF is given`,
    hint: 'give the BTF of the kernel: /sys/kernel/btf/vmlinux, or a file made for it',
  },
  /** Made smaller, the BTF would change what becomes of a relocation. */
  CORE_MIN_BTF: {
    message: (c: { readonly where: string }) => `with a minimal BTF, ${c.where} would come out otherwise`,
    hint: 'keep the whole BTF of this kernel, and please report it with object and BTF',
  },
})

/** A failure of the relocation at hand, to be caught and located by the caller. */
export function fail(
  code: Exclude<keyof typeof errors, 'CORE_NO_BTF' | 'CORE_NO_TARGET' | 'CORE_MIN_BTF'>,
  text: string,
) {
  return errors[code]({ problem: text })
}

/** The same error, saying where it happened and which candidates lost; the facts go into its context. */
export function locateError(
  error: TsbpfError,
  where: string,
  lost: readonly string[],
  facts: ErrorContext,
): TsbpfError {
  if (!error.code.startsWith('CORE_')) {
    return locateError(errors.CORE_BTF({ problem: error.message }, { cause: error }), where, lost, facts)
  }
  const candidates = lost.length === 0 ? '' : ` (candidates that lost: ${lost.join('; ')})`
  return new TsbpfError(error.code, `${where}: ${error.message}${candidates}`, {
    context: { ...facts, ...error.context },
    hint: error.hint,
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  })
}
