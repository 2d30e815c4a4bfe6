// In a network namespace of its own: kills a process that holds attachments, and prints which programs are still there.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { objectIds } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import type { Held } from '../proof.ts'

execFileSync('ip', ['link', 'set', 'lo', 'up'])
const child = startChild(new URL('./held.ts', import.meta.url), { args: process.argv.slice(2) })
const told = await firstLine<Record<string, Held | string>>(child)
const programs = (): ReadonlySet<number> => new Set(objectIds(nativeSys(), 'prog'))

const during = programs()
const held = Object.entries(told).map(([section, one]) =>
  typeof one === 'string' ? { section, error: one } : { section, ...one, held: during.has(one.program) },
)
child.kill('SIGKILL')
await once(child, 'close')

// The kernel takes its time to free what nobody holds any more.
const ends = held.flatMap((one) => ('error' in one || one.outlivesProcess ? [] : [one.program]))
for (let tries = 0; tries < 100 && ends.some((id) => programs().has(id)); tries++) await sleep(20)
const after = programs()
const left = held.map((one) => ('error' in one ? one : { ...one, left: after.has(one.program) }))
process.stdout.write(`${JSON.stringify(left)}\n`)
