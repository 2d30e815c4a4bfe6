import { defineErrors, suggest } from '@tsbpf/base'

interface Named {
  readonly name: string
  readonly known: readonly string[]
}

interface Unsupported {
  /** What the object has: `kconfig extern CONFIG_HZ`. */
  readonly what: string
}

interface Denied {
  readonly what: string
  readonly errno: string
  /** Capabilities that this process lacks; empty where it lacks none that is known. */
  readonly missing: readonly string[]
}

const later = 'take it out of the object, or leave its programs out with the option programs'

const unsupported = {
  message: (c: Unsupported) => `${c.what} cannot be loaded yet`,
  hint: later,
}

/** Rows of the error table; {@link VerifierError} takes its texts from here too. */
export const rows = {
  LOADER_BYTE_ORDER: {
    message: (c: { readonly object: string; readonly kernel: string }) =>
      `the object is ${c.object}-endian, but this kernel is ${c.kernel}-endian`,
    hint: 'compile with clang -target bpf on this machine, or with -target bpfel for little-endian kernels',
  },
  LOADER_UNSUPPORTED_MAP: unsupported,
  LOADER_UNSUPPORTED_PROGRAM: unsupported,
  LOADER_UNSUPPORTED_PIN: {
    message: (c: Unsupported) => `${c.what} asks to be pinned by name, which cannot be done yet`,
    hint: 'remove pinning from the map definition',
  },
  LOADER_NO_PROGRAM_TYPE: {
    message: (c: { readonly program: string; readonly section: string }) =>
      `program ${c.program}: the section name ${c.section} names no program type`,
    hint: 'use a section name such as tracepoint/category/name, or leave the program out with the option programs',
  },
  LOADER_UNKNOWN_PROGRAM: {
    message: (c: Named) => `no program is named ${c.name}`,
    hint: (c: Named) => suggest(c.name, c.known),
  },
  LOADER_UNKNOWN_MAP: {
    message: (c: Named) => `no map is named ${c.name}`,
    hint: (c: Named) => suggest(c.name, c.known),
  },
  LOADER_UNKNOWN_VARIABLE: {
    message: (c: Named & { readonly where: string }) => `${c.where} has no variable named ${c.name}`,
    hint: (c: Named) => suggest(c.name, c.known),
  },
  LOADER_NO_TYPES: {
    message: (c: { readonly name: string }) => `the object has no BTF, so no type named ${c.name}`,
    hint: 'compile it with -g, or give decode instead of type',
  },
  LOADER_PROGRAM_NOT_LOADED: {
    message: (c: { readonly name: string }) => `program ${c.name} was not loaded`,
    hint: 'name it in the option programs: its section name starts with ?, or it was left out',
  },
  LOADER_VARIABLE_VALUE: {
    message: (c: { readonly name: string; readonly expected: string }) => `variable ${c.name}: ${c.expected}`,
    hint: 'give a value of the type that the variable was declared with',
  },
  LOADER_READ_ONLY_VARIABLE: {
    message: (c: { readonly name: string }) =>
      `variable ${c.name} is a constant: it cannot change after loading`,
    hint: 'give its value in the option rodata',
  },
  LOADER_BAD_REFERENCE: {
    message: (c: { readonly program: string; readonly insn: number; readonly what: string }) =>
      `program ${c.program} insn ${c.insn}: ${c.what}`,
    hint: 'the object is damaged: compile it again',
  },
  LOADER_TOO_LARGE: {
    message: (c: { readonly what: string; readonly actual: number; readonly limit: number }) =>
      `${c.what} has ${c.actual}, more than ${c.limit}`,
  },
  LOADER_NO_KERNEL_BTF: {
    message: (c: { readonly path: string; readonly errno: string; readonly reason: string }) =>
      `the kernel's BTF is needed (${c.reason}), but ${c.path} cannot be read: ${c.errno}`,
    hint: 'run a kernel with CONFIG_DEBUG_INFO_BTF, or give its BTF in the option kernelBtf',
  },
  LOADER_NO_KERNEL_CONFIG: {
    message: (c: { readonly tried: readonly string[] }) =>
      `the running kernel's configuration is needed, but none of ${c.tried.join(', ')} can be read`,
    hint: 'give the values in the option kconfig, or run a kernel with CONFIG_IKCONFIG_PROC',
  },
  LOADER_KCONFIG_MISSING: {
    message: (c: { readonly name: string }) =>
      `the running kernel's configuration has no value for ${c.name}`,
    hint: 'declare the extern weak, or give its value in the option kconfig',
  },
  LOADER_KCONFIG_VALUE: {
    message: (c: { readonly name: string; readonly value: string; readonly expected: string }) =>
      `the value ${c.value} of ${c.name} does not fit its declaration: expected ${c.expected}`,
    hint: 'declare the extern with the type that the option has in the kernel',
  },
  LOADER_KSYM_MISSING: {
    message: (c: { readonly kind: string; readonly name: string; readonly where: string }) =>
      `${c.kind} ${c.name} is not in ${c.where}`,
    hint: 'declare it weak and guard its use with bpf_ksym_exists, or run a kernel or load a module that has it',
  },
  LOADER_KSYM_HIDDEN: {
    message: (c: { readonly name: string }) => `the address of ksym ${c.name} is hidden from this user`,
    hint: 'run as root, or grant CAP_SYSLOG; kernel.kptr_restrict=2 hides addresses from everybody',
  },
  LOADER_NO_ATTACH_TARGET: {
    message: (c: { readonly program: string; readonly target: string }) =>
      `program ${c.program}: the kernel's BTF has no ${c.target}`,
    hint: 'correct the section name; names that end alike are listed by bpftool btf dump id 1',
  },
  LOADER_DENIED: {
    message: (c: Denied) =>
      `${c.what}: ${c.errno}` +
      (c.missing.length === 0 ? '' : `, because this process lacks ${c.missing.join(' and ')}`),
    hint: (c: Denied) =>
      c.missing.length === 0
        ? "a container's seccomp profile, a security module or kernel lockdown forbids it"
        : `run as root, or grant ${c.missing.join(' and ')} (before kernel 5.8: CAP_SYS_ADMIN)`,
  },
  LOADER_FAILED: {
    message: (c: { readonly what: string; readonly errno: string }) => `${c.what}: ${c.errno}`,
    hint: (c: { readonly errno: string }) =>
      c.errno === 'ENOMEM' || c.errno === 'EPERM'
        ? 'memory is short; before kernel 5.11 raise RLIMIT_MEMLOCK (ulimit -l unlimited)'
        : undefined,
  },
  LOADER_REJECTED: {
    message: (c: { readonly program: string; readonly summary: string; readonly place: string }) =>
      `the kernel's verifier refuses program ${c.program}: ${c.summary}${c.place}`,
  },
  LOADER_POISONED: {
    message: (c: { readonly program: string; readonly relocation: string; readonly place: string }) =>
      `program ${c.program} needs what this kernel does not have: CO-RE relocation ${c.relocation} could not be resolved${c.place}`,
    hint: 'guard the access with bpf_core_field_exists, bpf_core_type_exists or bpf_core_enum_value_exists',
  },
  LOADER_DISPOSED: {
    message: (c: { readonly what: string }) => `${c.what} has been disposed`,
    hint: 'use it before its object is disposed, or keep the object longer',
  },
}

/** What can go wrong with loading; errors of the floors below come through as they are. */
export const errors = defineErrors(rows)
