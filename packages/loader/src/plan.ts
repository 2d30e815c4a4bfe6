import { relocate } from '@tsbpf/core-reloc'
import type { CoreResult } from '@tsbpf/core-reloc'
import type { Btf } from '@tsbpf/btf'
import { linkSubprograms } from '@tsbpf/object'
import type { LinkedProgram, MapSpec, ObjectSpec, ProgramSpec } from '@tsbpf/object'
import type { Sys } from '@tsbpf/sys'
import { attachTarget } from './attach-target.ts'
import { checkReferences, checkSpec, selectPrograms } from './check-spec.ts'
import { errors } from './errors.ts'
import { initialData } from './initial-data.ts'
import type { VariableValues } from './initial-data.ts'
import { kconfigData } from './kconfig.ts'
import type { LazyKernelBtf } from './kernel-btf.ts'
import { resolveKsyms } from './ksyms.ts'
import type { ResolvedKsym } from './ksyms.ts'
import { maxProgramInsns } from './limits.ts'

/** Options of a load that decide what is loaded; {@link preview} takes the same. */
export interface PlanOptions {
  /** Initial values of constants (`const volatile`) by name, of the types that they were declared with. */
  readonly rodata?: VariableValues
  /** Initial values of other global variables by name. */
  readonly data?: VariableValues
  /** Values for kconfig externs that go before the running kernel's: lines such as `CONFIG_HZ=250`. */
  readonly kconfig?: string
  /** Number of entries by map name, instead of the object's. */
  readonly maxEntries?: Readonly<Record<string, number>>
  /** Names of the programs to load; those that load by themselves (section name without `?`) unless given. */
  readonly programs?: readonly string[]
  /** BTF to relocate to; the running kernel's unless given, opened only if it is needed. */
  readonly kernelBtf?: Btf
}

/** A map that will be created. */
export interface PlannedMap {
  readonly spec: MapSpec
  readonly maxEntries: number
  /** Bytes of a data section; `undefined` for other maps, and where zeroes will do. */
  readonly contents: Uint8Array | undefined
  readonly freeze: boolean
}

/** A program that will be loaded. */
export interface PlannedProgram {
  /** As it is after relocation. */
  readonly spec: ProgramSpec
  readonly linked: LinkedProgram
  /** Type id in the kernel's BTF of what it is loaded for; 0 for none. */
  readonly attachBtfId: number
}

/** Everything that a load will do, decided without the kernel. */
export interface Plan {
  readonly spec: ObjectSpec
  readonly maps: readonly PlannedMap[]
  readonly programs: readonly PlannedProgram[]
  readonly relocations: readonly CoreResult[]
  /** What the ksyms and kfuncs are that its programs use. */
  readonly ksyms: ReadonlyMap<string, ResolvedKsym>
}

/** Decides everything about a load: nothing is created, and only the kernel's BTF is read. */
export function makePlan(
  spec: ObjectSpec,
  options: PlanOptions,
  kernel: LazyKernelBtf,
  sys: () => Sys,
): Plan {
  const selected = selectPrograms(spec, options.programs)
  checkSpec(spec, selected)
  const maps = planMaps(spec, options, kconfigData(spec, { sys, kernel, given: options.kconfig }))
  const { relocated, results } = relocateTo(spec, selected, kernel)
  const programs = selected.map(({ name }) => {
    const program = relocated.programs.find((one) => one.name === name)
    if (program === undefined) throw errors.LOADER_UNKNOWN_PROGRAM({ name, known: [] })
    const linked = linkSubprograms(relocated, program)
    const insns = linked.insns.length / 8
    if (insns > maxProgramInsns) {
      throw errors.LOADER_TOO_LARGE({ what: `program ${name}`, actual: insns, limit: maxProgramInsns })
    }
    checkReferences(linked)
    return { spec: program, linked, attachBtfId: attachTarget(program, kernel) }
  })
  const used = new Set<string>()
  for (const { linked } of programs) {
    for (const { ref } of linked.relocations) if (ref.kind === 'extern') used.add(ref.name)
  }
  const ksyms = resolveKsyms(relocated, used, { sys, kernel })
  return { spec: relocated, maps, programs, relocations: results, ksyms }
}

function planMaps(
  spec: ObjectSpec,
  options: PlanOptions,
  kconfig: Uint8Array | undefined,
): readonly PlannedMap[] {
  const contents = initialData(spec, options)
  const sizes = new Map(Object.entries(options.maxEntries ?? {}))
  for (const name of sizes.keys()) {
    if (!spec.maps.some((map) => map.name === name && map.data === undefined)) {
      const known = spec.maps.filter((map) => map.data === undefined).map((map) => map.name)
      throw errors.LOADER_UNKNOWN_MAP({ name, known })
    }
  }
  return spec.maps.map((map) => {
    const section = map.data?.section
    return {
      spec: map,
      maxEntries: sizes.get(map.name) ?? map.maxEntries,
      // The memory of a new map is zero, which is all that .bss asks for.
      contents:
        (section === 'kconfig' ? kconfig : contents.get(map.name)) ??
        (section === 'bss' ? undefined : map.data?.bytes),
      freeze: section === 'rodata' || section === 'kconfig',
    }
  })
}

function relocateTo(
  spec: ObjectSpec,
  selected: readonly ProgramSpec[],
  kernel: LazyKernelBtf,
): { readonly relocated: ObjectSpec; readonly results: readonly CoreResult[] } {
  const include = (fn: { readonly name: string }): boolean =>
    selected.some(({ name }) => name === fn.name) || spec.subprograms.some(({ name }) => name === fn.name)
  // As libbpf does, all subprograms are relocated, whoever calls them.
  const functions = selected.length === 0 ? [] : [...spec.subprograms, ...selected]
  if (functions.every((fn) => fn.coreRelocations.length === 0)) return { relocated: spec, results: [] }
  const targets = [{ name: 'vmlinux', btf: kernel.get('CO-RE relocation') }]
  const { spec: relocated, results } = relocate(spec, { targets, include, onFailure: 'throw' })
  return { relocated, results }
}
