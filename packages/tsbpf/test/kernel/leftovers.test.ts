import { once } from 'node:events'
import { mkdirSync, rmdirSync, rmSync } from 'node:fs'
import { cgroup2Mount } from '@tsbpf/link'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import { describe, expect, it } from 'vitest'
import { schemaProblems } from '../support/schema.ts'
import type { Row } from './child/leftovers.ts'

const gate = requires({
  root: true,
  kernel: [5, 15],
  commands: ['unshare', 'ip'],
  config: ['NET_CLS_BPF', 'LWTUNNEL_BPF', 'CGROUP_BPF'],
  reason: 'attaches programs in a network namespace and a cgroup of its own, and pins in a folder of its own',
})

interface Told {
  readonly during: readonly Row[]
  readonly document: unknown
  readonly unknown: { readonly code: number; readonly err: string; readonly left: number }
  readonly first: { readonly removed: readonly Row[]; readonly left: readonly Row[] }
  readonly rest: { readonly code: number; readonly out: string; readonly err: string }
  readonly qdisc: readonly string[]
  readonly end: readonly Row[]
}

describe.skipIf(gate.skip)(gate.title('what outlives processes'), () => {
  it('is undone when they end, and found and removed when they are killed', async () => {
    const cgroup = `${cgroup2Mount(nativeSys()) ?? ''}/tsbpf-leftovers-${process.pid}`
    const folder = `/sys/fs/bpf/tsbpf-leftovers-${process.pid}`
    mkdirSync(cgroup)
    mkdirSync(folder)
    try {
      const script = new URL('./child/leftovers.ts', import.meta.url)
      const child = startChild(script, { args: [cgroup, folder], within: ['unshare', '--net'] })
      const told = await firstLine<Told & Record<string, unknown>>(child)
      if (child.exitCode === null) await once(child, 'close')

      const shape = told.during.map(({ name }) => name.replace(/:\d+$/, ''))
      expect(shape.sort()).toEqual(
        [
          'xdp:lo:skb',
          'tc:lo:egress:7:3',
          'route:10.77.0.0/24:lo:254',
          `cgroup:${cgroup}:cgroup_device`,
          `pin:${folder}/link:link`,
          `pin:${folder}/map:map`,
        ].sort(),
      )
      expect(told['SIGINT']).toEqual({ code: null, ended: 'SIGINT', left: [] })
      expect(told['SIGTERM']).toEqual({ code: null, ended: 'SIGTERM', left: [] })
      expect(told['SIGUSR2']).toEqual({ code: 1, ended: null, left: [] })
      const names = told.during.map(({ name }) => name)
      expect(told['SIGKILL']).toEqual({ code: null, ended: 'SIGKILL', left: names })

      expect(schemaProblems('leftovers', told.document)).toBeUndefined()
      expect(told.unknown).toMatchObject({ code: 1, left: names.length })
      expect(told.unknown.err).toMatch(
        /^error\[CLI_LEFTOVER\]: nothing that is left behind is named xdp:lo:skb:1;/,
      )
      expect(told.first.removed.map(({ name }) => name)).toEqual([names[0]])
      expect(told.first.left.map(({ name }) => name)).toEqual(names.slice(1))
      const lines = names.slice(1).map((name) => `removed ${name}\n`)
      expect(told.rest).toEqual({ code: 0, out: lines.join(''), err: '' })
      expect(told.qdisc).toEqual(['clsact:lo'])
      expect(told.end).toEqual([])
    } finally {
      rmSync(folder, { recursive: true })
      rmdirSync(cgroup)
    }
  })
})
