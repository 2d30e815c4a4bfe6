import { fdById, progBindMap } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { isTsbpfError } from '@tsbpf/base'
import { loadableBtf } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'
import { createPlannedMap, putSlots } from './create-maps.ts'
import type { CreatedMap } from './create-maps.ts'
import { errors } from './errors.ts'
import { lazyKernelBtf } from './kernel-btf.ts'
import type { ModuleBtf } from './kernel-modules.ts'
import { loadBtf } from './load-btf.ts'
import { loadProgram } from './load-program.ts'
import type { LoadedFd, LoadSteps } from './load-program.ts'
import { LoadedObject } from './loaded-object.ts'
import { ownedFds } from './owned-fds.ts'
import type { OwnedFds } from './owned-fds.ts'
import { makePlan } from './plan.ts'
import type { Plan, PlanOptions, PlannedProgram } from './plan.ts'
import { createToken } from './token.ts'

/** A step of a load that has been done. */
export interface LoadProgress {
  readonly step: 'relocate' | 'btf' | 'map' | 'program'
  /** Name of the map or program; empty for the others. */
  readonly name: string
  /** Something that went otherwise than usual, and that the load went on without. */
  readonly note: string | undefined
}

/** Options of a load besides those that decide what is loaded. */
export interface LiveOptions extends PlanOptions {
  /**
   * 0 (unless given): a log is fetched only for a program that is refused. 1 and 2 fetch it for every program, with
   * ever more detail; 4 adds statistics (BPF_LOG_LEVEL1, BPF_LOG_LEVEL2, BPF_LOG_STATS of the kernel).
   */
  readonly logLevel?: number
  /**
   * A BPF file system that an administrator has delegated to this user namespace: a token of it lends the right to load
   * (kernel 6.9), as libbpf's `bpf_token_path`.
   */
  readonly tokenPath?: string
  /** Called after each step; programs that load side by side report as they come. */
  readonly onProgress?: (progress: LoadProgress) => void
}

/** A load whose maps are there, and whose programs are to come. */
export interface Loading {
  /** The programs, each to be loaded by its own steps; they do not depend on one another. */
  readonly programs: readonly { readonly name: string; readonly steps: LoadSteps<LoadedFd> }[]
  /** Takes a loaded program over. */
  add(index: number, loaded: LoadedFd): void
  /** Puts programs into maps, and hands everything over. */
  finish(): LoadedObject
  /** Closes and removes all that was made. */
  undo(): void
}

/** Makes all of an object that comes before its programs: BTF and maps. What it made is gone when it throws. */
export function makeLive(sys: Sys, spec: ObjectSpec, options: LiveOptions): Loading {
  const owned = ownedFds(sys)
  const needed = ownedFds(sys)
  const undo = (): void => {
    needed.closeAll()
    owned.closeAll()
  }
  try {
    return { ...start(sys, { owned, needed }, spec, options), undo }
  } catch (error) {
    undo()
    throw error
  }
}

/** What is made. */
interface Made {
  /** Goes over to the loaded object. */
  readonly owned: OwnedFds
  /** Is needed for loading alone: afterwards programs and maps hold it themselves. */
  readonly needed: OwnedFds
}

function start(
  sys: Sys,
  { owned, needed }: Made,
  spec: ObjectSpec,
  options: LiveOptions,
): Omit<Loading, 'undo'> {
  const progress = (step: LoadProgress['step'], name: string, note?: string): void => {
    options.onProgress?.({ step, name, note })
  }
  const plan = planFor(sys, spec, options)
  progress('relocate', '')

  const { tokenPath } = options
  const token = tokenPath === undefined ? undefined : needed.add(createToken(sys, tokenPath))
  const types = { btf: loadableBtf(plan.spec), externs: plan.spec.externs.length > 0 }
  const btfFd = loadBtf(sys, needed, types, token, (note) => progress('btf', '', note))
  const moduleFd = moduleFds(sys, needed)
  const maps: CreatedMap[] = []
  for (const planned of plan.maps) {
    maps.push(createPlannedMap({ sys, owned, btfFd, token, moduleFd }, planned))
    progress('map', planned.spec.name)
  }
  const mapFds = new Map(maps.map((map) => [map.spec.name, map.fd]))
  for (const map of maps) {
    if (map.spec.inner !== undefined && !map.reused) putSlots(sys, map, (name) => mapFds.get(name))
  }

  const context = {
    sys,
    owned: needed,
    license: spec.license,
    kernelVersion: spec.kernelVersion,
    targets: { spec: plan.spec, fds: mapFds, ksyms: plan.ksyms, moduleFd },
    btfFd,
    relocations: plan.relocations,
    logLevel: options.logLevel ?? 0,
    token,
  }
  const loaded: LoadedFd[] = []
  return {
    programs: plan.programs.map((planned) => ({
      name: planned.spec.name,
      steps: loadProgram(context, planned),
    })),
    add(index, program) {
      loaded[index] = program
      owned.add(program.fd)
      progress('program', plan.programs[index]?.spec.name ?? '')
    },
    finish() {
      const programs = plan.programs.flatMap(({ spec: one }, index) => {
        const program = loaded[index]
        return program === undefined ? [] : [{ ...program, spec: one }]
      })
      const programFds = new Map(programs.map((program) => [program.spec.name, program.fd]))
      bindConstants(sys, plan.programs, programFds, maps)
      for (const map of maps) {
        if (map.spec.inner === undefined) putSlots(sys, map, (name) => programFds.get(name))
      }
      needed.closeAll()
      const live = { spec: plan.spec, maps, programs, relocations: plan.relocations }
      const object = new LoadedObject(sys, live)
      owned.keep()
      return object
    },
  }
}

/** Opens BTF of modules by id, each once. Throws LOADER_NO_MODULE_FD where it is not known by id. */
function moduleFds(sys: Sys, needed: OwnedFds): (module: ModuleBtf, what: string) => number {
  const fds = new Map<number, number>()
  return ({ id, name }, what) => {
    if (id === undefined) throw errors.LOADER_NO_MODULE_FD({ what, module: name })
    let fd = fds.get(id)
    if (fd === undefined) fds.set(id, (fd = needed.add(fdById(sys, 'btf', id))))
    return fd
  }
}

/**
 * Lets constants live as long as each program, also one that does not use them: tools find them by the program. A kernel
 * before 5.10 does without, as in libbpf.
 */
function bindConstants(
  sys: Sys,
  programs: readonly PlannedProgram[],
  fds: ReadonlyMap<string, number>,
  maps: readonly CreatedMap[],
): void {
  const constants = maps.filter(({ spec }) => spec.data?.section === 'rodata')
  for (const { spec, linked } of programs) {
    const used = new Set(linked.relocations.map(({ ref }) => (ref.kind === 'data' ? ref.map : '')))
    const fd = fds.get(spec.name)
    for (const map of constants) {
      if (fd === undefined || used.has(map.spec.name)) continue
      try {
        progBindMap(sys, fd, map.fd)
      } catch (error) {
        if (!isTsbpfError(error, 'SYS_CALL_FAILED')) throw error
        return
      }
    }
  }
}

function planFor(sys: Sys, spec: ObjectSpec, options: PlanOptions): Plan {
  using kernel = lazyKernelBtf(() => sys, options.kernelBtf)
  return makePlan(spec, options, kernel, () => sys)
}
