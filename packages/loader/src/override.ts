import type { ObjectSpec, ProgramSpec } from '@tsbpf/object'
import { errors } from './errors.ts'

/** What is said otherwise of a program than its section name does. */
export interface ProgramOverride {
  /** Program type in the kernel's spelling: `xdp`. */
  readonly type?: string
  /** Attach type in the kernel's spelling: `trace_fexit`. */
  readonly attachType?: string
  /** What stands behind the section prefix's first `/`: a function, `module:function`, `category/tracepoint`. */
  readonly attachTo?: string
  /** `BPF_F_*` of `progFlags` of `@tsbpf/uapi`, instead of those that the section name asks for. */
  readonly flags?: number
  /** As the option `logLevel`, for this program alone. */
  readonly logLevel?: number
  /** The program whose function `attachTo` is meant: that a freplace program replaces, or fentry and fexit watch. */
  readonly target?: { readonly fd: number }
}

/** Overrides by program name. */
export type ProgramOverrides = Readonly<Record<string, ProgramOverride>>

/** The object with its programs as the overrides have them. Throws LOADER_UNKNOWN_PROGRAM. */
export function overridden(spec: ObjectSpec, overrides: ReadonlyMap<string, ProgramOverride>): ObjectSpec {
  if (overrides.size === 0) return spec
  const known = spec.programs.map((program) => program.name)
  for (const name of overrides.keys()) {
    if (!known.includes(name)) throw errors.LOADER_UNKNOWN_PROGRAM({ name, known })
  }
  const programs = spec.programs.map((program): ProgramSpec => {
    const one = overrides.get(program.name)
    if (one === undefined) return program
    const { type, attachType, attachTo, flags } = one
    return {
      ...program,
      type: type ?? program.type,
      // Another type has other attach types.
      attachType: attachType ?? (type === undefined ? program.attachType : undefined),
      attachTo: attachTo ?? program.attachTo,
      flags: flags ?? program.flags,
    }
  })
  return { ...spec, programs }
}
