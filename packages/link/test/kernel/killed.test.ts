import { once } from 'node:events'
import { mkdirSync, rmdirSync } from 'node:fs'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import { sections } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { attachKindOf, attachKinds, cgroup2Mount } from '../../src/index.ts'
import { rows } from './proofs.ts'

const gate = requires({
  root: true,
  kernel: [5, 18],
  commands: ['unshare', 'ip'],
  reason: 'attaches a program of each kind in a process that it kills',
})

/** A section name of each kind that this kernel has. */
function sectionByKind(): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const { section, gate: own } of rows) {
    const row = sections.find(({ prefix }) => prefix === section)
    if (own.skip || row === undefined) continue
    const kind = attachKindOf({ type: row.progType, attachType: row.attachType, section })
    if (kind !== undefined && !found.has(kind.kind)) found.set(kind.kind, section)
  }
  return found
}

interface Killed {
  readonly section: string
  readonly error?: string
  readonly outlivesProcess: boolean
  readonly held: boolean
  readonly left: boolean
}

describe.skipIf(gate.skip)(gate.title('a process that is killed'), () => {
  it('takes with it what the table of kinds says, and leaves the rest', async () => {
    const kinds = sectionByKind()
    const cgroup = `${cgroup2Mount(nativeSys()) ?? ''}/tsbpf-killed-${process.pid}`
    mkdirSync(cgroup)
    let told: readonly Killed[]
    try {
      const script = new URL('./child/killed.ts', import.meta.url)
      const child = startChild(script, { args: [cgroup, ...kinds.values()], within: ['unshare', '--net'] })
      told = await firstLine<readonly Killed[]>(child)
      if (child.exitCode === null) await once(child, 'close')
    } finally {
      rmdirSync(cgroup)
    }
    const seen = [...kinds].map(([kind, section]) => {
      const { error, held, left, outlivesProcess } = told.find((one) => one.section === section) ?? {}
      return { kind, ...(error === undefined ? { held, left, outlivesProcess } : { error }) }
    })
    const expected = [...kinds.keys()].map((kind) => {
      const left = attachKinds.some((row) => row.kind === kind && !row.endsWithProcess)
      return { kind, held: true, left, outlivesProcess: left }
    })
    expect(seen).toEqual(expected)
  })
})
