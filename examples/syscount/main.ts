/**
 * Counts system calls by process for some seconds and shows a live table.
 *
 *   node examples/dist/syscount/main.js [--duration SECONDS] [--parent PID] [--top ROWS]
 */
import { readFileSync, realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isTsbpfError, load, parseObject } from 'tsbpf'
import { tableText, type Row } from './table.ts'

/** The compiled program; this file is run from `dist/syscount/` and tested from where it stands. */
const object = new URL(
  import.meta.url.endsWith('.ts') ? 'syscount.bpf.o' : '../../syscount/syscount.bpf.o',
  import.meta.url,
)

/** Milliseconds between two looks at the map. */
const interval = 1000

export interface Options {
  /** Seconds to count. */
  readonly duration: number
  /** Count only the children of this process; 0 counts every process. */
  readonly parent: number
  /** Rows to show. */
  readonly top: number
  readonly stop: AbortSignal
  /** Called about once a second, and once more at the end. */
  readonly show: (rows: readonly Row[], seconds: number) => void
}

/** Loads, attaches, counts, detaches. */
export async function syscount(options: Options): Promise<void> {
  const spec = parseObject(await readFile(object))
  await using bpf = await load(spec, { rodata: { target_parent: options.parent } })
  bpf.attach()

  const counts = bpf.map<number, bigint>('syscall_count')
  const total = options.duration * 1000
  const started = performance.now()
  const commands = new Map<number, string>()
  let before = new Map<number, bigint>()
  let beforeAt = started
  for (let at = Math.min(interval, total); ; at = Math.min(at + interval, total)) {
    const left = started + at - performance.now()
    await sleep(left, undefined, { signal: options.stop }).catch(() => undefined)

    const now = performance.now()
    const after = new Map(counts)
    const rows = [...after].map(([pid, syscalls]) => ({
      pid,
      command: commandOf(pid, commands),
      syscalls,
      perSecond: (Number(syscalls - (before.get(pid) ?? 0n)) * 1000) / (now - beforeAt),
    }))
    rows.sort((a, b) => b.perSecond - a.perSecond || Number(b.syscalls - a.syscalls) || a.pid - b.pid)
    options.show(rows.slice(0, options.top), (now - started) / 1000)
    if (at >= total || options.stop.aborted) return
    before = after
    beforeAt = now
  }
}

/** Name of a process; one that has ended meanwhile has the name that it was last seen with. */
function commandOf(pid: number, seen: Map<number, string>): string {
  try {
    seen.set(pid, readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd())
  } catch {
    // It has ended.
  }
  return seen.get(pid) ?? '(gone)'
}

/** Numbers of the command line; `undefined`, and a message, for a wrong one. */
function options(): Pick<Options, 'duration' | 'parent' | 'top'> | undefined {
  try {
    const { values } = parseArgs({
      options: {
        duration: { type: 'string', default: '5' },
        parent: { type: 'string', default: '0' },
        top: { type: 'string', default: '15' },
      },
    })
    const number = (name: keyof typeof values, pattern: RegExp): number => {
      if (!pattern.test(values[name])) throw new RangeError(`--${name} takes a number, not ${values[name]}`)
      return Number(values[name])
    }
    return {
      duration: number('duration', /^\d{1,6}(\.\d+)?$/),
      parent: number('parent', /^\d{1,9}$/),
      top: number('top', /^\d{1,6}$/),
    }
  } catch (error) {
    console.error(`error: ${(error as Error).message}`)
    console.error('usage: main.js [--duration SECONDS] [--parent PID] [--top ROWS]')
    return undefined
  }
}

/**
 * The program: prints the table and returns the exit code. A terminal gets a table that is drawn anew in its place, a
 * file or pipe the last one only. Throws a `TsbpfError` where the kernel does not let it.
 */
export async function main(): Promise<number> {
  const numbers = options()
  if (numbers === undefined) return 2
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

  let text = ''
  await syscount({
    ...numbers,
    stop: stop.signal,
    show(rows, seconds) {
      const lines = text.split('\n').length - 1
      text = `${tableText(rows)}${seconds.toFixed(0)} s\n`
      if (process.stdout.isTTY) process.stdout.write(`${lines > 0 ? `\u001b[${lines}A\u001b[J` : ''}${text}`)
    },
  })
  if (!process.stdout.isTTY) process.stdout.write(text)
  return 0
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main()
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    console.error(`error[${error.code}]: ${error.message}`)
    if (error.hint !== undefined) console.error(`hint: ${error.hint}`)
    process.exitCode = 1
  }
}
