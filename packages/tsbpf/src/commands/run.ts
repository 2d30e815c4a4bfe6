import { setTimeout as sleep } from 'node:timers/promises'
import { attachesItself } from '@tsbpf/link'
import type { Link } from '@tsbpf/link'
import { load } from '@tsbpf/loader'
import type { LoadedObject } from '@tsbpf/loader'
import { mapOperations } from '@tsbpf/maps'
import type { MapSpec, ObjectSpec } from '@tsbpf/object'
import { errors } from '../errors.ts'
import type { Io } from '../io.ts'
import { toJson } from '../json.ts'
import { objectsOf, untilGone } from '../kernel-objects.ts'
import { mapTable, variableTable } from '../map-table.ts'
import { paintFor } from '../paint.ts'
import { readMap } from '../read-map.ts'
import type { MapSnapshot } from '../read-map.ts'
import { readObject } from '../read-object.ts'
import { printable } from '../text-table.ts'

/** Options of {@link run}. */
export interface RunOptions {
  readonly json: boolean
  /** Seconds; until the user stops it unless given. */
  readonly duration: number | undefined
  /** Names of the programs to load and attach; those that load by themselves for none. */
  readonly programs: readonly string[]
}

/** Milliseconds between two looks at the maps. */
const interval = 1000

/** The last thing that `run` tells: what ran, and for how long. */
interface Summary {
  /** Seconds since everything was attached. */
  readonly time: number
  readonly programs: readonly {
    readonly name: string
    readonly type: string | null
    readonly attachTo: string
  }[]
  /** Names of the maps, data sections included. */
  readonly maps: readonly string[]
  readonly reason: 'duration' | 'interrupted'
}

/** What `run` tells, as it happens; docs/schemas/run.schema.json describes the JSON. */
interface Reporter {
  attached(object: LoadedObject, links: readonly Link[], unread: readonly MapSpec[]): void
  map(time: number, map: MapSpec, snapshot: MapSnapshot): void
  summary(summary: Summary): void
}

/** `tsbpf run OBJ`: loads, attaches, prints what the maps hold every second, and leaves nothing behind. */
export async function run(io: Io, file: string, options: RunOptions): Promise<number> {
  const { spec } = await readObject(file)
  const programs = options.programs.length === 0 ? undefined : options.programs
  checkAttachable(spec, programs, file)
  const reporter = options.json ? jsonReporter(io) : textReporter(io)

  const interrupted = new AbortController()
  const stopListening = io.onInterrupt(() => interrupted.abort())
  const loaded: string[] = []
  try {
    const summary = await watch(spec, programs, options.duration, reporter, interrupted.signal, loaded)
    await untilGone(loaded)
    reporter.summary(summary)
    return 0
  } finally {
    stopListening()
  }
}

/** Loads, attaches and reports until time or user says stop; everything is closed when it returns or throws. */
async function watch(
  spec: ObjectSpec,
  programs: readonly string[] | undefined,
  duration: number | undefined,
  reporter: Reporter,
  stop: AbortSignal,
  loaded: string[],
): Promise<Summary> {
  await using object = await loadUnless(stop, spec, programs)
  if (object === undefined) return { time: 0, programs: [], maps: [], reason: 'interrupted' }
  loaded.push(...objectsOf(object))
  const links = object.attach()
  const started = performance.now()
  const seconds = (): number => Math.round(performance.now() - started) / 1000

  const shown = object.spec.maps.filter((map) => map.data === undefined || isVariable(map))
  const readable = shown.filter((map) => (mapOperations.get(map.type)?.walk ?? 'none') !== 'none')
  const unread = shown.filter((map) => !readable.includes(map))
  reporter.attached(object, links, unread)
  const end = duration === undefined ? Infinity : duration * 1000
  for (let at = Math.min(interval, end); ; at = Math.min(at + interval, end)) {
    await wait(started + at - performance.now(), stop)
    const time = seconds()
    for (const map of readable) reporter.map(time, map, readMap(object.map(map.name)))
    if (stop.aborted || at >= end) break
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
    return await load(spec, { signal: stop, ...(programs === undefined ? {} : { programs }) })
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

function jsonReporter(io: Io): Reporter {
  const line = (value: unknown): void => io.stdout.write(`${toJson(value)}\n`)
  return {
    attached: () => undefined,
    map(time, map, { entries, truncated }) {
      line({
        type: 'map',
        time,
        map: map.name,
        truncated,
        entries: entries.map(([key, value]) => ({ key, value })),
      })
    },
    summary: (summary) => line({ type: 'summary', ...summary }),
  }
}

function textReporter(io: Io): Reporter {
  const paint = paintFor(io, io.stdout)
  const write = (text: string): void => io.stdout.write(text)
  return {
    attached(object, links, unread) {
      for (const { program, kind, target } of links) {
        write(`${paint.green('attached')} ${printable(program)} to ${kind} ${printable(target)}\n`)
      }
      for (const { name } of object.programs) {
        if (links.some(({ program }) => program === name)) continue
        write(
          `${paint.yellow('not attached')} ${printable(name)}: its section names nothing that run can attach to\n`,
        )
      }
      for (const { name, type } of unread) {
        write(
          `${paint.yellow('not shown')} ${printable(name)}: maps of type ${type} have no entries to list\n`,
        )
      }
    },
    map(time, map, { entries, truncated }) {
      write(`\n${paint.bold(printable(map.name))} ${paint.dim(`${map.type}, after ${time.toFixed(1)} s`)}\n`)
      if (map.data === undefined) write(mapTable(paint, entries, { sort: map.type !== 'array' }))
      else write(variableTable(paint, entries[0]?.[1]))
      if (truncated) write(`  … and more: only the first ${entries.length} entries were read\n`)
    },
    summary({ time, programs, reason }) {
      const why = reason === 'interrupted' ? 'stopped' : 'done'
      const count = programs.length === 1 ? '1 program' : `${programs.length} programs`
      write(`\n${why} after ${time.toFixed(1)} s: ${count} detached, nothing is left\n`)
    },
  }
}
