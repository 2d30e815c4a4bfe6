import type { ObjectSpec, ProgramSpec } from '@tsbpf/object'
import { progTypes } from '@tsbpf/uapi'
import { hasAttachTarget } from './attach-target.ts'
import { errors } from './errors.ts'

/** Program types that name something of the kernel's BTF at load, by their attach type. */
const needsTarget = new Set(['tracing', 'lsm'])

/**
 * The programs to load: those named, else those that load by themselves; of struct_ops programs those that a map has
 * which is created by itself, whatever their sections say (libbpf's bpf_object_adjust_struct_ops_autoload).
 * Throws LOADER_UNKNOWN_PROGRAM for a name that no program has.
 */
export function selectPrograms(
  spec: ObjectSpec,
  named: readonly string[] | undefined,
  live: ReadonlySet<string> = operationsOf(spec.maps.filter(({ structOps }) => structOps?.autocreate)),
): readonly ProgramSpec[] {
  if (named === undefined) {
    const used = operationsOf(spec.maps)
    return spec.programs.filter(({ name, autoload }) => live.has(name) || (autoload && !used.has(name)))
  }
  const known = spec.programs.map((program) => program.name)
  for (const name of named) {
    if (!known.includes(name)) throw errors.LOADER_UNKNOWN_PROGRAM({ name, known })
  }
  return spec.programs.filter((program) => named.includes(program.name))
}

/** Names of the programs that struct_ops maps have. */
function operationsOf(maps: ObjectSpec['maps']): ReadonlySet<string> {
  return new Set(maps.flatMap(({ structOps }) => structOps?.programs.map(({ program }) => program) ?? []))
}

/** Refuses what cannot be loaded, by name and before anything is created. */
export function checkSpec(spec: ObjectSpec, programs: readonly ProgramSpec[]): void {
  // Both architectures that have a door are little-endian.
  if (spec.byteOrder !== 'little')
    throw errors.LOADER_BYTE_ORDER({ object: spec.byteOrder, kernel: 'little' })
  for (const program of programs) checkProgram(program)
}

/**
 * True for a program type, with its attach type, that {@link load} loads; kernel spellings.
 *
 * @example
 * ```ts
 * import { loadable } from '@tsbpf/loader'
 * console.log(loadable('lsm', 'lsm_mac'), loadable('tracing', undefined)) // true false
 * ```
 */
export function loadable(type: string, attachType: string | undefined): boolean {
  if (progTypes.byName(type) === undefined) return false
  return !needsTarget.has(type) || hasAttachTarget(attachType)
}

function checkProgram(program: ProgramSpec): void {
  const { name, section, type, attachType } = program
  if (type === undefined) throw errors.LOADER_NO_PROGRAM_TYPE({ program: name, section })
  if (!loadable(type, attachType)) {
    const kind = attachType === undefined ? type : `${type} (${attachType})`
    throw errors.LOADER_UNSUPPORTED_PROGRAM({ what: `program ${name} of type ${kind}` })
  }
}
