import { relocate } from '@tsbpf/core-reloc'
import type { CoreResult, TargetBtf } from '@tsbpf/core-reloc'
import type { Btf } from '@tsbpf/btf'
import { linkSubprograms } from '@tsbpf/object'
import type { LinkedProgram, MapSpec, ObjectSpec, ProgramSpec } from '@tsbpf/object'
import type { Sys } from '@tsbpf/sys'
import { attachTarget } from './attach-target.ts'
import type { AttachTarget } from './attach-target.ts'
import { checkSpec, selectPrograms } from './check-spec.ts'
import { errors } from './errors.ts'
import { initialData } from './initial-data.ts'
import type { VariableValues } from './initial-data.ts'
import { kconfigData } from './kconfig.ts'
import type { LazyKernelBtf } from './kernel-btf.ts'
import { resolveKsyms } from './ksyms.ts'
import type { ResolvedKsym } from './ksyms.ts'
import { maxProgramInsns } from './limits.ts'
import { overridden } from './override.ts'
import type { ProgramOverrides } from './override.ts'
import { planPins } from './pin-maps.ts'
import type { Pin, PinOptions } from './pin-maps.ts'
import { planStructOps } from './struct-ops.ts'
import type { PlannedStructOps, StructOpsValues } from './struct-ops.ts'

/** Options of a load that decide what is loaded; {@link preview} takes the same. */
export interface PlanOptions extends PinOptions {
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
  /** What is said otherwise of programs than their section names do, by name. */
  readonly override?: ProgramOverrides
  /** Values of members of struct_ops maps that go before the object's, by map name and member. */
  readonly structOps?: StructOpsValues
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
  /** Where it is pinned; `undefined` for nowhere. */
  readonly pin: Pin | undefined
  /** For a struct_ops map. */
  readonly structOps: PlannedStructOps | undefined
}

/** A program that will be loaded. */
export interface PlannedProgram {
  /** As it is after relocation. */
  readonly spec: ProgramSpec
  readonly linked: LinkedProgram
  readonly target: AttachTarget
  /** The verifier's log that is asked for; the load's own unless given. */
  readonly logLevel: number | undefined
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
  given: ObjectSpec,
  options: PlanOptions,
  kernel: LazyKernelBtf,
  sys: () => Sys,
): Plan {
  const overrides = new Map(Object.entries(options.override ?? {}))
  const spec = overridden(given, overrides)
  const structOps = planStructOps(spec, options.structOps, kernel)
  const selected = selectPrograms(spec, options.programs, operations(structOps))
  checkSpec(spec, selected)
  const contents = initialData(spec, options)
  const kconfig = kconfigData(spec, { sys, kernel, given: options.kconfig })
  const maps = planMaps(spec, options, { contents, kconfig, structOps })
  const { relocated, results } = relocateTo(spec, selected, kernel)
  const programs = selected.map(({ name }) => {
    const program = relocated.programs.find((one) => one.name === name)
    if (program === undefined) throw errors.LOADER_UNKNOWN_PROGRAM({ name, known: [] })
    const linked = linkSubprograms(relocated, program)
    const insns = linked.insns.length / 8
    if (insns > maxProgramInsns) {
      throw errors.LOADER_TOO_LARGE({ what: `program ${name}`, actual: insns, limit: maxProgramInsns })
    }
    const { target: targetProgram, logLevel } = overrides.get(name) ?? {}
    const target =
      program.type === 'struct_ops'
        ? memberTarget(name, structOps)
        : attachTarget(program, { sys, kernel, program: targetProgram })
    return { spec: program, linked, target, logLevel }
  })
  const used = new Set<string>()
  for (const { linked } of programs) {
    for (const { ref } of linked.relocations) if (ref.kind === 'extern') used.add(ref.name)
  }
  const ksyms = resolveKsyms(relocated, used, { sys, kernel })
  return { spec: relocated, maps, programs, relocations: results, ksyms }
}

/** Names of the programs that struct_ops maps have. */
function operations(plans: ReadonlyMap<string, PlannedStructOps>): ReadonlySet<string> {
  return new Set([...plans.values()].flatMap(({ programs }) => programs.map(({ program }) => program)))
}

/** A struct_ops program is loaded for the member of the first map that has it; another member is the kernel's to refuse. */
function memberTarget(name: string, plans: ReadonlyMap<string, PlannedStructOps>): AttachTarget {
  for (const { programs } of plans.values()) {
    const found = programs.find(({ program }) => program === name)
    if (found !== undefined) return found.target
  }
  const target = `member of a struct_ops map that is ${name}`
  throw errors.LOADER_NO_ATTACH_TARGET({ program: name, where: 'the object', target })
}

interface MapPlanning {
  readonly contents: ReadonlyMap<string, Uint8Array>
  readonly kconfig: Uint8Array | undefined
  readonly structOps: ReadonlyMap<string, PlannedStructOps>
}

function planMaps(
  spec: ObjectSpec,
  options: PlanOptions,
  { contents, kconfig, structOps }: MapPlanning,
): readonly PlannedMap[] {
  const pins = planPins(spec, options)
  const sizes = new Map(Object.entries(options.maxEntries ?? {}))
  for (const name of sizes.keys()) {
    if (!spec.maps.some((map) => map.name === name && map.data === undefined)) {
      const known = spec.maps.filter((map) => map.data === undefined).map((map) => map.name)
      throw errors.LOADER_UNKNOWN_MAP({ name, known })
    }
  }
  const created = spec.maps.filter((map) => map.structOps === undefined || structOps.has(map.name))
  return created.map((map) => {
    const section = map.data?.section
    const ops = structOps.get(map.name)
    return {
      // The kernel's struct may have another size than the object's.
      spec: ops === undefined ? map : { ...map, valueSize: ops.value.length },
      maxEntries: sizes.get(map.name) ?? map.maxEntries,
      // The memory of a new map is zero, which is all that .bss asks for.
      contents:
        (section === 'kconfig' ? kconfig : contents.get(map.name)) ??
        (section === 'bss' ? undefined : (map.data?.bytes ?? map.arena)),
      freeze: section === 'rodata' || section === 'kconfig',
      pin: pins.get(map.name),
      structOps: ops,
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
  const vmlinux = { name: 'vmlinux', btf: kernel.get('CO-RE relocation') }
  const first = relocate(spec, { targets: [vmlinux], include })
  const done = first.results.some(lacksCandidates) ? withModules(spec, vmlinux, include, kernel) : undefined
  const { spec: relocated, results } = done ?? first
  const failed = results.find(({ error }) => error !== undefined)
  if (failed?.error !== undefined) throw failed.error
  return { relocated, results }
}

/** True for a relocation that asks the kernel for a type that it does not have: a module may. */
function lacksCandidates(result: CoreResult): boolean {
  return result.candidates.length === 0 && result.kind !== 'local_type_id'
}

/** As libbpf does, modules are opened only when the kernel's own BTF lacks something. */
function withModules(
  spec: ObjectSpec,
  vmlinux: TargetBtf,
  include: (fn: { readonly name: string }) => boolean,
  kernel: LazyKernelBtf,
): ReturnType<typeof relocate> | undefined {
  const modules = kernel.modules('CO-RE relocation')
  return modules.length === 0 ? undefined : relocate(spec, { targets: [vmlinux, ...modules], include })
}
