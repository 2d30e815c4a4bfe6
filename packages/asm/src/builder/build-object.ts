import type { ExternSpec, ObjectSpec } from '@tsbpf/object'
import type { ResolveSite } from './call-site.ts'
import type { CpuLevel } from './cpu-level.ts'
import type { Kfunc } from './definitions.ts'
import { dataMap, placeGlobals } from './object-data.ts'
import { programSpecs, subprogramSpecs } from './object-functions.ts'
import type { FunctionContext } from './object-functions.ts'
import { declareMaps } from './object-maps.ts'
import { addDatasec, objectTypes } from './object-types.ts'
import type { ObjectTypes } from './object-types.ts'
import { reach } from './reach.ts'
import type { Roots } from './reach.ts'

/** What an object is made of: programs, and with them all that they refer to. */
export interface ObjectDefinition extends Roots {
  /** `GPL` for helpers that ask for it. */
  readonly license: string
  /** For kprobes of kernels before 5.0. */
  readonly kernelVersion?: number
}

/** Options of {@link buildObject}. */
export interface BuildObjectOptions {
  /** Byte order of instructions, data and BTF; `true` unless given. */
  readonly littleEndian?: boolean
  /** What the instructions may use; `v4` unless given. */
  readonly cpu?: CpuLevel
  /** Source lines for the verifier's log; none unless given. {@link callLine} needs no file. */
  readonly resolveSite?: ResolveSite
  /** Name for the kernel's names of data sections: `syscount` gives `syscount.rodata`. */
  readonly name?: string
}

function addKfuncs(types: ObjectTypes, kfuncs: readonly Kfunc[]): readonly ExternSpec[] {
  const externs = kfuncs.map(({ name, signature, weak }): ExternSpec => {
    const type = types.protoOf(signature, {})
    return { name, kind: 'kfunc', weak, type: types.btf.add({ kind: 'func', name, type, linkage: 'extern' }) }
  })
  // Externs have no place: as compilers write them, all start at 0 and none has a size.
  if (kfuncs.length > 0)
    addDatasec(
      types,
      '.ksyms',
      externs.map(({ type }) => ({ type: type ?? 0, offset: 0, size: 0 })),
    )
  return externs
}

/**
 * Builds an object: everything that a compiled one says, as a spec that `load` of `@tsbpf/loader` takes and `encodeObject`
 * of `@tsbpf/object` writes. Programs stand by sections, in the order given; maps, variables, subprograms and kfuncs join
 * by being referred to. BTF has a FUNC for every function, a VAR for every map and variable. The same definitions give
 * the same spec.
 *
 * Errors: `ASM_DEFINITION`, `ASM_DUPLICATE` for two things of one name, those of {@link buildInsns} and of its builder.
 *
 * @example
 * ```ts
 * import { buildObject, global, program, r0, r1, u64 } from '@tsbpf/asm'
 * const seen = global('seen', u64)
 * const count = program('count', 'raw_tp/sys_enter', (b) =>
 *   b.lddw(r1, seen).mov(r0, 1).atomic_add(r1.at(0), r0).mov(r0, 0).exit(),
 * )
 * const spec = buildObject({ license: 'GPL', programs: [count] })
 * console.log(spec.maps[0]?.name) // .bss
 * ```
 */
export function buildObject(definition: ObjectDefinition, options: BuildObjectOptions = {}): ObjectSpec {
  const { littleEndian = true, cpu = 'v4', resolveSite, name = '' } = options
  const reached = reach(definition)
  const types = objectTypes()
  const sections = placeGlobals(types, reached.globals)
  const declared = declareMaps(types, reached.maps)
  const context: FunctionContext = { types, sections, cpu, littleEndian, resolveSite }
  const programs = programSpecs(reached.programs, context)
  const subprograms = subprogramSpecs(reached.subprograms, context)
  const externs = addKfuncs(types, reached.kfuncs)
  const btf = types.btf.open({ littleEndian })
  return {
    byteOrder: littleEndian ? 'little' : 'big',
    license: definition.license,
    kernelVersion: definition.kernelVersion,
    programs,
    subprograms,
    maps: [...declared, ...sections.map((section) => dataMap(section, btf, name))],
    variables: sections.flatMap((section) =>
      section.variables.map(({ name: variable, section: in_, offset, size, type }) => {
        return { name: variable, section: in_, offset, size, type }
      }),
    ),
    externs,
    btf,
  }
}
