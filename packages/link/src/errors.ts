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
