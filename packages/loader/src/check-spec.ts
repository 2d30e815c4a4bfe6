import type { LinkedProgram, MapSpec, ObjectSpec, ProgramSpec } from '@tsbpf/object'
import { progTypes } from '@tsbpf/uapi'
import { hasAttachTarget } from './attach-target.ts'
import { errors } from './errors.ts'

/** Map types whose creation takes more than sizes and flags. */
const unsupportedMaps = new Set(['struct_ops', 'arena', 'insn_array'])

/** Program types that name something of the kernel's BTF, or of another program's, at load. */
const needsTarget = new Set(['tracing', 'lsm', 'ext', 'struct_ops'])

/**
 * The programs to load: those named, else those that load by themselves.
 * Throws LOADER_UNKNOWN_PROGRAM for a name that no program has.
 */
export function selectPrograms(
  spec: ObjectSpec,
  named: readonly string[] | undefined,
): readonly ProgramSpec[] {
  if (named === undefined) return spec.programs.filter((program) => program.autoload)
  const known = spec.programs.map((program) => program.name)
  for (const name of named) {
    if (!known.includes(name)) throw errors.LOADER_UNKNOWN_PROGRAM({ name, known })
  }
  return spec.programs.filter((program) => named.includes(program.name))
}

/** Refuses what cannot be loaded, by name and before anything is created. */
export function checkSpec(spec: ObjectSpec, programs: readonly ProgramSpec[]): void {
  // Both architectures that have a door are little-endian.
  if (spec.byteOrder !== 'little')
    throw errors.LOADER_BYTE_ORDER({ object: spec.byteOrder, kernel: 'little' })
  for (const map of spec.maps) checkMap(map)
  for (const program of programs) checkProgram(program)
}

function checkMap(map: MapSpec): void {
  if (unsupportedMaps.has(map.type)) {
    throw errors.LOADER_UNSUPPORTED_MAP({ what: `map ${map.name} of type ${map.type}` })
  }
  if (map.pinning !== 'none') throw errors.LOADER_UNSUPPORTED_PIN({ what: `map ${map.name}` })
}

/** Refuses what a program, with all that it calls, refers to and cannot have. */
export function checkReferences(linked: LinkedProgram): void {
  for (const { ref } of linked.relocations) {
    if (ref.kind === 'jump_table') {
      throw errors.LOADER_UNSUPPORTED_MAP({ what: `jump table ${ref.name} (used by program ${linked.name})` })
    }
  }
}

/**
 * True for a program type, with its attach type, that {@link load} loads; kernel spellings.
 *
 * @example
 * ```ts
 * import { loadable } from '@tsbpf/loader'
 * console.log(loadable('lsm', 'lsm_mac'), loadable('ext', undefined)) // true false
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
