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
  LOADER_UNSUPPORTED_PROGRAM: unsupported,
  LOADER_PIN_NAME: {
    message: (c: { readonly map: string; readonly file: string }) =>
      `map ${c.map} cannot be pinned as ${JSON.stringify(c.file)}: that is no file name of a BPF file system`,
    hint: 'give a name without slashes and dots in the option pins, and the folder in pinPath',
  },
  LOADER_PIN: {
    message: (c: {
      readonly map: string
      readonly done: string
      readonly path: string
      readonly errno: string
    }) => `map ${c.map} cannot be ${c.done} ${c.path}: ${c.errno}`,
    hint: (c: { readonly errno: string }) =>
      c.errno === 'EEXIST'
        ? 'something else is pinned there again and again: give another folder in the option pinPath'
        : 'pinPath must be a folder of a BPF file system (mount -t bpf bpf /sys/fs/bpf) that this user may write to',
  },
  LOADER_NO_TEST_RUN: {
    message: (c: { readonly program: string; readonly type: string }) =>
      `program ${c.program}: this kernel does not run programs of type ${c.type} on given input`,
    hint: 'attach it and make its event happen; probe with a program of type xdp, sched_cls, raw_tracepoint or syscall',
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
    message: (c: { readonly program: string; readonly where: string; readonly target: string }) =>
      `program ${c.program}: ${c.where} has no ${c.target}`,
    hint: 'correct the section name (module:name says which module), or load the module; bpftool btf dump id 1 lists names',
  },
  LOADER_NO_TARGET_PROGRAM: {
    message: (c: { readonly program: string }) =>
      `program ${c.program} replaces a function of another program, and nobody says of which`,
    hint: (c: { readonly program: string }) =>
      `give it in the option override: { ${c.program}: { target: loaded.program('…') } }`,
  },
  LOADER_NO_MODULE_FD: {
    message: (c: { readonly what: string; readonly module: string }) =>
      `${c.what} is in module ${c.module}, whose BTF this process may not open by id`,
    hint: 'run as root, or grant CAP_SYS_ADMIN: the kernel takes BTF of modules by descriptor only',
  },
  LOADER_STRUCT_OPS: {
    message: (c: { readonly map: string; readonly member: string | undefined; readonly problem: string }) =>
      `struct_ops map ${c.map}${c.member === undefined ? '' : ` member ${c.member}`}: ${c.problem}`,
    hint: 'give another value in the option structOps, or run a kernel that has it',
  },
  LOADER_TOKEN: {
    message: (c: { readonly path: string; readonly errno: string }) =>
      `no BPF token can be made of ${c.path}: ${c.errno}`,
    hint: (c: { readonly errno: string }) =>
      c.errno === 'EOPNOTSUPP'
        ? 'tokens are for processes in a user namespace of their own; here capabilities count'
        : 'it must be a BPF file system that was mounted for this user namespace with delegate_cmds and the like (6.9)',
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
  LOADER_LISTING: {
    message: (c: Denied) =>
      `${c.what} cannot be asked for: ${c.errno}` +
      (c.missing.length === 0 ? '' : `, because this process lacks ${c.missing.join(' and ')}`),
    hint: 'run as root, or grant CAP_SYS_ADMIN: the kernel lets nobody else list or open objects by id (CAP_NET_ADMIN for what is attached to a place)',
  },
  LOADER_PROBE_DENIED: {
    message: (c: Denied) =>
      `${c.what}: ${c.errno}: this process may not try it` +
      (c.missing.length === 0 ? '' : `, it lacks ${c.missing.join(' and ')}`),
    hint: 'run as root: a refusal for lack of privilege says nothing of the kernel',
  },
  LOADER_FAILED: {
    message: (c: { readonly what: string; readonly errno: string }) => `${c.what}: ${c.errno}`,
    hint: (c: { readonly errno: string }) =>
      c.errno === 'ENOMEM' || c.errno === 'EPERM'
        ? 'memory is short; before kernel 5.11 raise RLIMIT_MEMLOCK (ulimit -l unlimited)'
        : c.errno === 'EAGAIN'
          ? 'signals interrupt the kernel, as those of a profiler (node --cpu-prof) do: load() works on other threads, which get none'
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
  LOADER_NO_HELPER: {
    message: (c: {
      readonly program: string
      readonly type: string
      readonly helper: string
      readonly newer: boolean
      readonly place: string
    }) =>
      `program ${c.program} calls helper ${c.helper}, which this kernel does not have` +
      `${c.newer ? '' : ` for programs of type ${c.type}`}${c.place}`,
  },
  LOADER_NO_KFUNC: {
    message: (c: { readonly program: string; readonly kfunc: string; readonly place: string }) =>
      `program ${c.program} calls kfunc ${c.kfunc}, which this kernel does not have${c.place}`,
    hint: 'guard the call with if (bpf_ksym_exists(…)), or run a kernel or load a module that has it',
  },
  LOADER_DISPOSED: {
    message: (c: { readonly what: string }) => `${c.what} has been disposed`,
    hint: 'use it before its object is disposed, or keep the object longer',
  },
}

/** What can go wrong with loading; errors of the floors below come through as they are. */
export const errors = defineErrors(rows)
