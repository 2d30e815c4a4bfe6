import { setTimeout as sleep } from 'node:timers/promises'
import { isTsbpfError } from '@tsbpf/base'
import type { Codec } from '@tsbpf/btf'
import { attachesItself } from '@tsbpf/link'
import { load } from '@tsbpf/loader'
import type { LoadedObject } from '@tsbpf/loader'
import { mapOperations } from '@tsbpf/maps'
import type { MapSpec, ObjectSpec } from '@tsbpf/object'
import { errors } from '../errors.ts'
import type { Io } from '../io.ts'
import { objectsOf, untilGone } from '../kernel-objects.ts'
import { readMap } from '../read-map.ts'
import { readObject } from '../read-object.ts'
import { eventCodecs, isEventMap, readEvents } from '../run-events.ts'
import { jsonReporter, textReporter } from '../run-reporter.ts'
import type { RunReporter, RunSummary } from '../run-reporter.ts'
import { printsTrace } from '../trace-output.ts'

/** Options of {@link run}. */
export interface RunOptions {
  readonly json: boolean
  /** Seconds; until the user stops it unless given. */
  readonly duration: number | undefined
  /** Names of the programs to load and attach; those that load by themselves for none. */
  readonly programs: readonly string[]
  /** Types of records by map, as `events=struct event`. */
  readonly events: readonly string[]
}

/** Milliseconds between two looks at the maps. */
const interval = 1000

/** `tsbpf run OBJ`: loads, attaches, prints what programs tell as it comes and maps every second, and leaves nothing. */
export async function run(io: Io, file: string, options: RunOptions): Promise<number> {
  const { spec } = await readObject(file)
  const programs = options.programs.length === 0 ? undefined : options.programs
  checkAttachable(spec, programs, file)
  const codecs = eventCodecs(spec, options.events)
  const reporter = options.json ? jsonReporter(io) : textReporter(io)

  const interrupted = new AbortController()
  const stopListening = io.onInterrupt(() => interrupted.abort())
  const loaded: string[] = []
  try {
    const { duration } = options
    const traceless = (error: unknown): undefined => {
      if (!isTsbpfError(error)) throw error
      io.stderr.write(`warning: trace output is not shown: ${error.message}\n`)
    }
    const watched = { spec, programs, codecs, duration, reporter, loaded, traceless }
    const summary = await watch(watched, interrupted.signal)
    await untilGone(loaded)
    reporter.summary(summary)
    return 0
  } finally {
    stopListening()
  }
}

interface Watched {
  readonly spec: ObjectSpec
  readonly programs: readonly string[] | undefined
  readonly codecs: ReadonlyMap<string, Codec>
  readonly duration: number | undefined
  readonly reporter: RunReporter
  /** Gets what was loaded. */
  readonly loaded: string[]
  /** What becomes of the error where trace output cannot be read: kernels before 5.9 do not tell it. */
  readonly traceless: (error: unknown) => undefined
}

/** Loads, attaches and reports until time or user says stop; everything is closed when it returns or throws. */
async function watch(watched: Watched, stop: AbortSignal): Promise<RunSummary> {
  const { spec, codecs, reporter, loaded } = watched
  await using object = await loadUnless(stop, spec, watched.programs)
  if (object === undefined) return { time: 0, programs: [], maps: [], reason: 'interrupted' }
  loaded.push(...objectsOf(object))
  const started = performance.now()
  const seconds = (): number => Math.round(performance.now() - started) / 1000

  const trace = printsTrace(spec)
    ? await (await import('../trace-output.ts')).readTrace((message) => reporter.trace(seconds(), message))
    : undefined
  await using traceReader = trace?.reader
  if (traceReader !== undefined) loaded.push(...objectsOf(traceReader))
  const drainEvents = readEvents(object, codecs, {
    event: (map, value) => reporter.event(seconds(), map, value),
    lost: (map, count) => reporter.lost(seconds(), map, count),
  })
  const links = object.attach()

  const shown = object.spec.maps.filter((map) => map.data === undefined || isVariable(map))
  const readable = shown.filter((map) => (mapOperations.get(map.type)?.walk ?? 'none') !== 'none')
  const unread = shown.filter((map) => !readable.includes(map) && !isEventMap(map))
  reporter.attached(object, links, unread)
  const end = watched.duration === undefined ? Infinity : watched.duration * 1000
  for (let at = Math.min(interval, end); ; at = Math.min(at + interval, end)) {
    await wait(started + at - performance.now(), stop)
    const last = stop.aborted || at >= end
    if (last) {
      for (const link of links) link.detach()
      drainEvents()
      trace?.drain()
    }
    const time = seconds()
    for (const map of readable) reporter.map(time, map, readMap(object.map(map.name)))
    if (last) break
  }
  return {
    time: seconds(),
    programs: links.map(({ program, target }) => {
      return { name: program, type: object.program(program).type ?? null, attachTo: target }
    }),
    maps: object.spec.maps.map(({ name }) => name),
    reason: stop.aborted ? 'interrupted' : 'duration',
  }
}

/** Loads; `undefined` where the user said stop before it was done, and then nothing is left of it. */
async function loadUnless(
  stop: AbortSignal,
  spec: ObjectSpec,
  programs: readonly string[] | undefined,
): Promise<LoadedObject | undefined> {
  try {
    // A pin would outlive the run, and one that is there is somebody else's.
    const pins = Object.fromEntries(spec.maps.map(({ name }) => [name, undefined]))
    return await load(spec, { signal: stop, pins, ...(programs === undefined ? {} : { programs }) })
  } catch (error) {
    if (stop.aborted && error === stop.reason) return undefined
    throw error
  }
}

/** Refuses an object with nothing to attach before anything is loaded; a wrong name is the loader's to refuse. */
function checkAttachable(spec: ObjectSpec, named: readonly string[] | undefined, file: string): void {
  const selected = spec.programs.filter(({ name, autoload }) => named?.includes(name) ?? autoload)
  const unknown = named?.some((name) => !spec.programs.some((program) => program.name === name)) ?? false
  if (!unknown && !selected.some(attachesItself)) throw errors.CLI_NOTHING_TO_RUN({ file })
}

/** Constants and kernel configuration do not change: only data sections with variables are shown. */
function isVariable(map: MapSpec): boolean {
  return map.data?.section === 'data' || map.data?.section === 'bss'
}

async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || milliseconds <= 0) return
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
}
