import { progLoad, progLoadAsync } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import type { ObjectSpec } from '@tsbpf/object'
import { programsAtOnce } from './limits.ts'
import type { LoadedFd, LoadSteps } from './load-program.ts'
import type { LoadedObject } from './loaded-object.ts'
import { makeLive } from './make-live.ts'
import type { Loading, LiveOptions } from './make-live.ts'

/** Options of {@link loadSync}. */
export interface LoadSyncOptions extends LiveOptions {
  /** Door to the kernel; the native one unless given. */
  readonly sys?: Sys
}

/** Options of {@link load}. */
export interface LoadOptions extends LoadSyncOptions {
  /**
   * Ends the load before the next program is begun, and when those that the kernel has in hand are done; what has been
   * made is closed, and `load` rejects with the signal's reason.
   */
  readonly signal?: AbortSignal
}

/**
 * Loads an object into the kernel: relocates it to the kernel's BTF, creates its maps, gives variables their initial
 * values, and loads its programs side by side on the thread pool, while the event loop goes on.
 *
 * All or nothing: when it rejects, every descriptor made so far has been closed and every pin removed. It rejects with
 * `LOADER_…` (a {@link VerifierError} where the verifier refused a program; of several the first in the object), with
 * `CORE_…`, `MAP_…` and `SYS_…`.
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
  const loading = makeLive(sys, spec, options)
  try {
    await loadSideBySide(sys, loading, signal)
    return loading.finish()
  } catch (error) {
    loading.undo()
    throw error
  }
}

/** As {@link load}, at once and one after the other: it returns when the verifier is done, which may take seconds. */
export function loadSync(spec: ObjectSpec, options: LoadSyncOptions = {}): LoadedObject {
  const sys = options.sys ?? nativeSys()
  const loading = makeLive(sys, spec, options)
  try {
    for (const [index, { steps }] of loading.programs.entries()) {
      let step = steps.next()
      while (step.done !== true) step = steps.next(progLoad(sys, step.value))
      loading.add(index, step.value)
    }
    return loading.finish()
  } catch (error) {
    loading.undo()
    throw error
  }
}

/** Loads the programs on the thread pool; after a failure none is begun, and those on their way are waited for. */
async function loadSideBySide(sys: Sys, loading: Loading, signal: AbortSignal | undefined): Promise<void> {
  const { programs } = loading
  const failures = new Map<number, unknown>()
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < programs.length && failures.size === 0; index = next++) {
      try {
        const steps = programs[index]?.steps
        if (steps !== undefined) loading.add(index, await onThreadPool(sys, steps, signal))
      } catch (error) {
        failures.set(index, error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(programsAtOnce, programs.length) }, work))
  const first = Math.min(...failures.keys())
  if (failures.size > 0) throw failures.get(first)
}

async function onThreadPool(
  sys: Sys,
  steps: LoadSteps<LoadedFd>,
  signal: AbortSignal | undefined,
): Promise<LoadedFd> {
  signal?.throwIfAborted()
  let step = steps.next()
  while (step.done !== true) {
    const answer = await progLoadAsync(sys, step.value)
    if (signal?.aborted === true) {
      if (answer.fd >= 0) sys.close(answer.fd)
      throw signal.reason
    }
    step = steps.next(answer)
  }
  return step.value
}
