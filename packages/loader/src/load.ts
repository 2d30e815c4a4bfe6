import { isTsbpfError } from '@tsbpf/base'
import { sanitizeBtf, sanitizeRules } from '@tsbpf/btf'
import type { BtfFeature } from '@tsbpf/btf'
import { btfLoad, errnoName, progLoad, progLoadAsync } from '@tsbpf/sys'
import type { LoadResult, ProgLoadFields, Sys } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import type { ObjectSpec } from '@tsbpf/object'
import { createPlannedMap, putSlots } from './create-maps.ts'
import type { CreatedMap } from './create-maps.ts'
import { lazyKernelBtf } from './kernel-btf.ts'
import { runningKernelVersion } from './kernel-config.ts'
import { loadProgram } from './load-program.ts'
import type { LoadSteps } from './load-program.ts'
import { LoadedObject } from './loaded-object.ts'
import { ownedFds } from './owned-fds.ts'
import type { OwnedFds } from './owned-fds.ts'
import { makePlan } from './plan.ts'
import type { Plan, PlanOptions } from './plan.ts'

/** A step of a load that has been done. */
export interface LoadProgress {
  readonly step: 'relocate' | 'btf' | 'map' | 'program'
  /** Name of the map or program; empty for the others. */
  readonly name: string
  /** Something that went otherwise than usual, and that the load went on without. */
  readonly note: string | undefined
}

/** Options of {@link loadSync}. */
export interface LoadSyncOptions extends PlanOptions {
  /** Door to the kernel; the native one unless given. */
  readonly sys?: Sys
  /**
   * 0 (unless given): a log is fetched only for a program that is refused. 1 and 2 fetch it for every program, with
   * ever more detail; 4 adds statistics (BPF_LOG_LEVEL1, BPF_LOG_LEVEL2, BPF_LOG_STATS of the kernel).
   */
  readonly logLevel?: number
  /** Called after each step. */
  readonly onProgress?: (progress: LoadProgress) => void
}

/** Options of {@link load}. */
export interface LoadOptions extends LoadSyncOptions {
  /** Ends the load between two steps; what has been made is closed, and `load` rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * Loads an object into the kernel: relocates it to the kernel's BTF, creates its maps, gives variables their initial
 * values, and loads its programs, while the event loop goes on.
 *
 * All or nothing: when it rejects, every descriptor made so far has been closed. It rejects with `LOADER_…` (a
 * {@link VerifierError} where the verifier refused a program), with `CORE_…`, `MAP_CREATE…` and `SYS_…`.
 * Needs CAP_BPF, CAP_PERFMON for tracing and CAP_NET_ADMIN for networking; CAP_SYS_ADMIN before kernel 5.8.
 * Before 5.11 the memory of maps counts against RLIMIT_MEMLOCK, which is not raised.
 *
 * @example
 * ```ts no-run
 * import { readFile } from 'node:fs/promises'
 * import { parseObject } from '@tsbpf/object'
 * import { load } from '@tsbpf/loader'
 * const spec = parseObject(await readFile('syscount.bpf.o'))
 * await using bpf = await load(spec)
 * using link = bpf.program('count_syscalls').attach()
 * for (const [pid, count] of bpf.map('syscall_count')) console.log(pid, count)
 * ```
 */
export async function load(spec: ObjectSpec, options: LoadOptions = {}): Promise<LoadedObject> {
  const { signal } = options
  signal?.throwIfAborted()
  const sys = options.sys ?? nativeSys()
  const steps = loadSteps(sys, spec, options)
  let step = steps.next()
  while (step.done !== true) {
    let answer: LoadResult
    try {
      answer = await progLoadAsync(sys, step.value)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    if (signal?.aborted === true) {
      if (answer.fd >= 0) sys.close(answer.fd)
      step = steps.throw(signal.reason)
    } else {
      step = steps.next(answer)
    }
  }
  return step.value
}

/** As {@link load}, at once: it returns when the verifier is done, which may take seconds. */
export function loadSync(spec: ObjectSpec, options: LoadSyncOptions = {}): LoadedObject {
  const sys = options.sys ?? nativeSys()
  const steps = loadSteps(sys, spec, options)
  let step = steps.next()
  while (step.done !== true) step = steps.next(progLoad(sys, step.value))
  return step.value
}

/** All steps of a load; it stops at each call that can take long, and closes what it made when one fails. */
function* loadSteps(sys: Sys, spec: ObjectSpec, options: LoadSyncOptions): LoadSteps<LoadedObject> {
  const owned = ownedFds(sys)
  try {
    return yield* loadInto(owned, sys, spec, options)
  } catch (error) {
    owned.closeAll()
    throw error
  }
}

function* loadInto(
  owned: OwnedFds,
  sys: Sys,
  spec: ObjectSpec,
  options: LoadSyncOptions,
): Generator<ProgLoadFields, LoadedObject, LoadResult> {
  const progress = (step: LoadProgress['step'], name: string, note?: string): void => {
    options.onProgress?.({ step, name, note })
  }
  const plan = planFor(sys, spec, options)
  progress('relocate', '')

  const btfFd = loadBtf(sys, owned, plan, (note) => progress('btf', '', note))
  const maps: CreatedMap[] = []
  for (const planned of plan.maps) {
    maps.push(createPlannedMap({ sys, owned, btfFd }, planned))
    progress('map', planned.spec.name)
  }
  const mapFds = new Map(maps.map((map) => [map.spec.name, map.fd]))
  for (const map of maps) {
    if (map.spec.inner !== undefined) putSlots(sys, map, (name) => mapFds.get(name))
  }

  const context = {
    sys,
    license: spec.license,
    kernelVersion: spec.kernelVersion,
    targets: { spec: plan.spec, fds: mapFds, ksyms: plan.ksyms },
    btfFd,
    relocations: plan.relocations,
    logLevel: options.logLevel ?? 0,
  }
  const programs: { fd: number; spec: Plan['programs'][number]['spec']; log: string }[] = []
  for (const planned of plan.programs) {
    const { fd, log } = yield* loadProgram(context, planned)
    programs.push({ fd: owned.add(fd), spec: planned.spec, log })
    progress('program', planned.spec.name)
  }
  const programFds = new Map(programs.map((program) => [program.spec.name, program.fd]))
  for (const map of maps) {
    if (map.spec.inner === undefined) putSlots(sys, map, (name) => programFds.get(name))
  }
  // Programs and maps hold the BTF themselves.
  if (btfFd !== undefined) owned.close(btfFd)
  return new LoadedObject(sys, { spec: plan.spec, maps, programs, relocations: plan.relocations })
}

function planFor(sys: Sys, spec: ObjectSpec, options: PlanOptions): Plan {
  using kernel = lazyKernelBtf(() => sys, options.kernelBtf)
  return makePlan(spec, options, kernel, () => sys)
}

/** True for what BTF of the kernel that runs here has, as far as its version tells; of all where that cannot be read. */
function kernelHas(sys: Sys): (feature: BtfFeature) => boolean {
  let version = Infinity
  try {
    version = runningKernelVersion(sys)
  } catch (error) {
    if (!isTsbpfError(error)) throw error
  }
  return (feature) => {
    const since = sanitizeRules.find((rule) => rule.feature === feature)?.since
    if (since === undefined) return false
    const [major = 0, minor = 0] = since.split('.').map(Number)
    return version >= (major << 16) + (minor << 8)
  }
}

/** Gives the object's BTF to the kernel. A kernel that does not take it does without, as in libbpf. */
function loadBtf(
  sys: Sys,
  owned: OwnedFds,
  plan: Plan,
  done: (note: string | undefined) => void,
): number | undefined {
  const { btf } = plan.spec
  if (btf === undefined) return undefined
  const own = sanitizeBtf(btf, (feature) => feature !== 'extern')
  let { fd } = btfLoad(sys, { btf: own.bytes })
  if (fd < 0) {
    const older = sanitizeBtf(btf, kernelHas(sys))
    if (older.bytes.length !== own.bytes.length || older.bytes.some((byte, i) => byte !== own.bytes[i])) {
      fd = btfLoad(sys, { btf: older.bytes }).fd
    }
  }
  if (fd < 0) {
    done(`the kernel does not take the object's BTF (${errnoName(fd)}): no source lines, no types of maps`)
    return undefined
  }
  owned.add(fd)
  done(undefined)
  return fd
}
