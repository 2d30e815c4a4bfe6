// In a network namespace of its own: lets processes end in several ways, and prints what `tsbpf leftovers` finds.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import { main } from '../../../src/main.ts'
import { testIo } from '../../support/test-io.ts'

const [cgroup = '', folder = ''] = process.argv.slice(2)
const ip = (text: string): void => void execFileSync('ip', text.split(' '), { stdio: 'pipe' })
ip('link set lo up')
ip('link add left type veth peer name right')
ip('link set right up')

export interface Row {
  readonly name: string
  readonly place: string
  readonly kind: string
  readonly removed: boolean
}

/** What the command prints, but for what others left on this machine. */
async function ask(...args: string[]) {
  const io = testIo()
  const code = await main(['leftovers', ...args, '--json'], io)
  if (code !== 0 && args.length === 0) throw new Error(io.err())
  if (code !== 0) return { code, err: io.err(), rows: [], document: undefined }
  const document = JSON.parse(io.out()) as { leftovers: Row[] }
  const ours = document.leftovers.filter(
    ({ kind, place }) =>
      !['cgroup', 'pin', 'struct_ops'].includes(kind) || place === cgroup || place.startsWith(folder),
  )
  return { code, err: '', rows: ours, document }
}

const told: Record<string, unknown> = {}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR2', 'SIGKILL'] as const) {
  const within = ['sh', '-c', 'exec "$@" 2>/dev/null', 'sh']
  const child = startChild(new URL('./attached.ts', import.meta.url), { args: [cgroup, folder], within })
  await firstLine(child)
  if (signal === 'SIGKILL') told['during'] = (await ask()).rows
  const closed = once(child, 'close')
  child.kill(signal)
  const [code, ended] = (await closed) as [number | null, string | null]
  told[signal] = { code, ended, left: (await ask()).rows.map(({ name }) => name) }
}

const { rows, document } = await ask()
told['document'] = document
const names = rows.map(({ name }) => name)
const unknown = await ask('--remove', names[0] ?? '', '--remove', 'xdp:lo:skb:1')
told['unknown'] = { code: unknown.code, err: unknown.err, left: (await ask()).rows.length }
const first = await ask('--remove', names[0] ?? '')
told['first'] = { removed: first.rows.filter(({ removed }) => removed), left: (await ask()).rows }
const rest = names.slice(1).flatMap((name) => ['--remove', name])
const io = testIo()
told['rest'] = { code: await main(['leftovers', ...rest], io), out: io.out(), err: io.err() }
told['qdisc'] = (await ask()).rows.map(({ name }) => name)
await ask('--remove', 'clsact:lo')
told['end'] = (await ask()).rows
process.stdout.write(`${JSON.stringify(told)}\n`)
