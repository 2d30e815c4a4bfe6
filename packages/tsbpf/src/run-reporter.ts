import type { Link } from '@tsbpf/link'
import type { LoadedObject } from '@tsbpf/loader'
import type { MapSpec } from '@tsbpf/object'
import type { Io } from './io.ts'
import { toJson } from './json.ts'
import { mapTable, showValue, variableTable } from './map-table.ts'
import { paintFor } from './paint.ts'
import type { MapSnapshot } from './read-map.ts'
import { printable } from './text-table.ts'
import type { TraceMessage } from './trace-output.ts'

/** The last thing that `run` tells: what ran, and for how long. */
export interface RunSummary {
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
export interface RunReporter {
  attached(object: LoadedObject, links: readonly Link[], unread: readonly MapSpec[]): void
  map(time: number, map: MapSpec, snapshot: MapSnapshot): void
  event(time: number, map: string, value: unknown): void
  trace(time: number, message: TraceMessage): void
  lost(time: number, map: string, count: number): void
  summary(summary: RunSummary): void
}

/** One JSON object per line. */
export function jsonReporter(io: Io): RunReporter {
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
    event(time, map, value) {
      line({ type: 'event', time, map, value })
    },
    trace(time, message) {
      line({ type: 'trace', time, ...message })
    },
    lost(time, map, count) {
      line({ type: 'lost', time, map, count })
    },
    summary: (summary) => line({ type: 'summary', ...summary }),
  }
}

/** Text for people. */
export function textReporter(io: Io): RunReporter {
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
    event(time, map, value) {
      write(`${paint.dim(stamp(time))} ${paint.bold(printable(map))} ${printable(showValue(value))}\n`)
    },
    trace(time, { tid, command, cpu, text }) {
      const from = `${printable(command)}-${tid} [${cpu}]`
      write(`${paint.dim(stamp(time))} ${paint.bold('trace')} ${paint.dim(from)} ${printable(text)}\n`)
    },
    lost(time, map, count) {
      const what = count === 1 ? '1 record' : `${count} records`
      write(`${paint.dim(stamp(time))} ${paint.yellow('lost')} ${what} of ${printable(map)}\n`)
    },
    summary({ time, programs, reason }) {
      const why = reason === 'interrupted' ? 'stopped' : 'done'
      const count = programs.length === 1 ? '1 program' : `${programs.length} programs`
      write(`\n${why} after ${time.toFixed(1)} s: ${count} detached, nothing is left\n`)
    },
  }
}

/** Seconds since everything was attached. */
function stamp(time: number): string {
  return time.toFixed(3).padStart(8)
}
