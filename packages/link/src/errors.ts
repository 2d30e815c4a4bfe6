import { defineErrors, suggest } from '@tsbpf/base'

interface OfProgram {
  /** Name of the program. */
  readonly program: string
  /** What it is attached to, as its section name spells it. */
  readonly target: string
}

interface Refused extends OfProgram {
  /** The system call or command that failed. */
  readonly step: string
  readonly errno: string
}

interface OfKind {
  /** Name of the program. */
  readonly program: string
  /** A row of the table of kinds. */
  readonly kind: string
}

/** What can go wrong with attaching. */
export const errors = defineErrors({
  LINK_DISPOSED: {
    message: (c: OfProgram) => `the link of program ${c.program} to ${c.target} has been detached`,
    hint: 'attach the program again',
  },
  LINK_NO_TARGET: {
    message: (c: { readonly program: string; readonly expected: string }) =>
      `program ${c.program} names nothing to attach to: expected ${c.expected}`,
    hint: 'give the target in the section name, or in the options of attach',
  },
  LINK_BAD_TARGET: {
    message: (c: OfProgram & { readonly expected: string }) =>
      `program ${c.program} cannot be attached to ${JSON.stringify(c.target)}: expected ${c.expected}`,
    hint: 'correct the section name, or give the target in the options of attach',
  },
  LINK_UNKNOWN_TRACEPOINT: {
    message: (c: OfProgram & { readonly known: readonly string[] }) =>
      `program ${c.program}: this kernel has no tracepoint ${c.target}`,
    hint: (c: OfProgram & { readonly known: readonly string[] }) =>
      c.known.length === 0
        ? 'look into /sys/kernel/tracing/available_events; a module may have to be loaded first'
        : suggest(c.target, c.known),
  },
  LINK_TRACEFS: {
    message: (c: OfProgram & { readonly path: string; readonly errno: string }) =>
      `program ${c.program}: cannot read the id of tracepoint ${c.target} from tracefs: ${c.path}: ${c.errno}`,
    hint: 'run as root, or let a group of this user read tracefs: mount -o remount,gid=GROUP,mode=750 /sys/kernel/tracing',
  },
  LINK_DENIED: {
    message: (c: Refused & { readonly missing: readonly string[] }) =>
      `program ${c.program} may not be attached to ${c.target}: ${c.step} failed with ${c.errno}` +
      (c.missing.length === 0 ? '' : `, because this process lacks ${c.missing.join(' and ')}`),
    hint: (c: { readonly missing: readonly string[] }) =>
      c.missing.length === 0
        ? "a container's seccomp profile, a security module or kernel lockdown forbids it"
        : `run as root, or grant ${c.missing.join(' and ')} (before kernel 5.8: CAP_SYS_ADMIN)`,
  },
  LINK_REFUSED: {
    message: (c: Refused) =>
      `program ${c.program} cannot be attached to ${c.target}: ${c.step} failed with ${c.errno}`,
  },
  LINK_NO_UPDATE: {
    message: (c: OfKind) => `the ${c.kind} link of program ${c.program} cannot take another program`,
    hint: 'detach it and attach the other program; cgroup, network namespace, XDP, tcx and netkit links can be updated',
  },
  LINK_CHANGED: {
    message: (c: OfProgram) =>
      `program ${c.program} is no longer the one at ${c.target}: nothing was replaced`,
    hint: 'somebody else has updated the link; look at its info and decide again',
  },
  LINK_NO_PIN: {
    message: (c: OfKind) =>
      `the ${c.kind} attachment of program ${c.program} has no kernel link that could be pinned`,
    hint: 'it needs a newer kernel, or this kind has none: docs/support.md has the table',
  },
  LINK_NO_LEAVE: {
    message: (c: OfKind) =>
      `the ${c.kind} attachment of program ${c.program} ends with this process: it cannot be left behind`,
    hint: 'pin its link in a BPF file system: link.pin(path)',
  },
  LINK_UNKNOWN_DEVICE: {
    message: (c: OfProgram) => `program ${c.program}: this network namespace has no device ${c.target}`,
    hint: 'list the devices with "ip link"; a device of another namespace can only be reached from inside it',
  },
  LINK_NO_CGROUP2: {
    message: (c: OfProgram) =>
      `program ${c.program}: no cgroup2 file system is mounted, so ${c.target} cannot be found`,
    hint: 'mount one: mount -t cgroup2 none /sys/fs/cgroup, or give an absolute path',
  },
  LINK_OPEN: {
    message: (c: OfProgram & { readonly path: string; readonly errno: string }) =>
      `program ${c.program} cannot be attached to ${c.target}: opening ${c.path} failed with ${c.errno}`,
    hint: 'check that it is there and that this user may open it',
  },
  LINK_NETLINK: {
    message: (c: OfProgram & { readonly request: string; readonly errno: string; readonly text: string }) =>
      `program ${c.program} cannot be attached to ${c.target}: ${c.request} failed with ${c.errno}` +
      (c.text === '' ? '' : `: ${c.text}`),
    hint: 'what the kernel says is in the message; CAP_NET_ADMIN in the namespace of the device is needed',
  },
  LINK_NO_PROBES: {
    message: (c: { readonly program: string; readonly name: string }) =>
      `program ${c.program}: this kernel cannot make a ${c.name} by perf_event_open`,
    hint: 'it needs kernel 4.17 with CONFIG_KPROBE_EVENTS or CONFIG_UPROBE_EVENTS, and sysfs mounted',
  },
  LINK_UNKNOWN_PROBE: {
    message: (c: OfProgram & { readonly known: readonly string[] }) =>
      `program ${c.program}: there is no USDT probe ${c.target}`,
    hint: (c: OfProgram & { readonly known: readonly string[] }) =>
      c.known.length === 0
        ? 'the file has no USDT probes; a package with debugging or tracing built in may have them'
        : suggest(c.target, c.known),
  },
  LINK_USDT_FULL: {
    message: (c: OfProgram & { readonly map: string; readonly maxEntries: number }) =>
      `program ${c.program}: map ${c.map} has no room for the arguments of ${c.target}: it has ${c.maxEntries} entries`,
    hint: 'define BPF_USDT_MAX_SPEC_CNT before including usdt.bpf.h, or give the map more entries when loading',
  },
  LINK_USDT_ARGUMENTS: {
    message: (c: OfProgram & { readonly count: number; readonly limit: number }) =>
      `program ${c.program}: the probe ${c.target} has ${c.count} arguments, programs can look up ${c.limit}`,
    hint: 'attach to another probe, or read the arguments from ctx by yourself',
  },
  LINK_UNKNOWN_FUNCTION: {
    message: (c: OfProgram & { readonly where: string }) =>
      `program ${c.program} cannot be attached to ${c.target}: ${c.where} has no such function`,
    hint: 'look for the name in /proc/kallsyms or with nm; a compiler may have inlined or renamed it (name.isra.0, name.part.0)',
  },
  LINK_AMBIGUOUS_FUNCTION: {
    message: (c: OfProgram) =>
      `program ${c.program} cannot be attached to ${c.target}: several functions of the kernel have that name`,
    hint: 'give the address of the one that is meant, from /proc/kallsyms: 0xffff…',
  },
  LINK_NO_BINARY: {
    message: (c: OfProgram & { readonly name: string; readonly what: string }) =>
      `program ${c.program} cannot be attached to ${c.target}: no ${c.what} ${c.name} can be read`,
    hint: 'give the whole path',
  },
  LINK_BAD_ORDER: {
    message: (c: OfProgram & { readonly expected: string }) =>
      `program ${c.program}: the order at ${c.target} is wrong: expected ${c.expected}`,
    hint: 'give one of before and after',
  },
  LINK_UNSUPPORTED_OPTION: {
    message: (c: OfProgram & { readonly option: string; readonly since: string }) =>
      `program ${c.program}: attaching to ${c.target} with ${c.option} needs kernel ${c.since}`,
    hint: 'leave the option out, or run on a newer kernel',
  },
  LINK_UNSUPPORTED_KIND: {
    message: (c: { readonly program: string; readonly kind: string }) =>
      `program ${c.program}: attaching a program of ${c.kind} is not supported yet`,
    hint: 'the README of @tsbpf/link has the table of kinds',
  },
})
