import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import type { AttachableProgram, Link } from './link.ts'
import { attachRawTracepoint, attachTracing } from './raw-tracepoint.ts'
import { attachTracepoint } from './tracepoint.ts'

/** Options that some kind of attachment takes. */
export interface AttachOptions {
  /** Attach here instead of where the section name says. */
  readonly target?: string
  /** What `bpf_get_attach_cookie` gives the program. */
  readonly cookie?: bigint
}

/** One kind of attachment. */
export interface AttachKind {
  readonly kind: string
  /** Program type, in the kernel's spelling. */
  readonly type: string
  /** Attach type; `undefined` where the program type has none. */
  readonly attachType: string | undefined
  /** Section names that lead here. */
  readonly sections: readonly string[]
  readonly sinceKernel: string
  /** The attachment is gone when the process ends, however it ends. */
  readonly endsWithProcess: boolean
  /** The target was fixed when the program was loaded. */
  readonly targetAtLoad: boolean
  /** What a target looks like. */
  readonly targetShape: string
  attach(sys: Sys, program: AttachableProgram, target: string, options: AttachOptions): Link
}

/** Every kind of attachment there is, by program type and attach type: the registry and the support table. */
export const attachKinds: readonly AttachKind[] = [
  {
    kind: 'tracepoint',
    type: 'tracepoint',
    attachType: undefined,
    sections: ['tracepoint/', 'tp/'],
    sinceKernel: '4.7',
    endsWithProcess: true,
    targetAtLoad: false,
    targetShape: 'category/name, such as raw_syscalls/sys_enter',
    attach: attachTracepoint,
  },
  {
    kind: 'raw_tracepoint',
    type: 'raw_tracepoint',
    attachType: undefined,
    sections: ['raw_tracepoint/', 'raw_tp/'],
    sinceKernel: '4.17',
    endsWithProcess: true,
    targetAtLoad: false,
    targetShape: 'a name such as sys_enter',
    attach: attachRawTracepoint,
  },
  {
    kind: 'tp_btf',
    type: 'tracing',
    attachType: 'trace_raw_tp',
    sections: ['tp_btf/'],
    sinceKernel: '5.5',
    endsWithProcess: true,
    targetAtLoad: true,
    targetShape: 'a name such as sys_enter',
    attach: attachTracing,
  },
]

/** What is to be attached: a program with what its section name says. */
export interface SectionProgram extends AttachableProgram {
  readonly type: string | undefined
  readonly attachType: string | undefined
  readonly attachTo: string | undefined
}

/** The kind of attachment for a program type and attach type, or `undefined`. */
export function attachKindOf(
  type: string | undefined,
  attachType: string | undefined,
): AttachKind | undefined {
  return attachKinds.find((kind) => kind.type === type && kind.attachType === attachType)
}

/**
 * Attaches a program where its section name says, or to `options.target`.
 *
 * Throws LINK_UNSUPPORTED_KIND, LINK_NO_TARGET, and what the kind's own function throws.
 */
export function attach(sys: Sys, program: SectionProgram, options: AttachOptions = {}): Link {
  const kind = attachKindOf(program.type, program.attachType)
  if (kind === undefined) {
    const type = program.type === undefined ? 'an unknown type' : `type ${program.type}`
    const attachType = program.attachType === undefined ? '' : ` (${program.attachType})`
    throw errors.LINK_UNSUPPORTED_KIND({ program: program.name, kind: type + attachType })
  }
  const target = options.target ?? program.attachTo
  if (target === undefined || target === '') {
    throw errors.LINK_NO_TARGET({ program: program.name, expected: kind.targetShape })
  }
  if (kind.targetAtLoad && target !== program.attachTo) {
    const expected = `${program.attachTo ?? 'its own target'}, for which it was loaded`
    throw errors.LINK_BAD_TARGET({ program: program.name, target, expected })
  }
  return kind.attach(sys, program, target, options)
}
