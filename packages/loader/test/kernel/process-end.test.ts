import { once } from 'node:events'
import { objectIds } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import type { MissingPrivilege } from '../../src/index.ts'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import { leavesNothing } from './kernel-objects.ts'

const gate = requires({ root: true, reason: 'loads programs' })

interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
}

describe.skipIf(gate.skip)(gate.title('a process that ends'), () => {
  it('takes programs, maps and links with it when it is killed while attached', async () => {
    await leavesNothing(async () => {
      const child = startChild(new URL('./child/attached.ts', import.meta.url))
      const { programs, links } = await firstLine<{ programs: number[]; links: number[] }>(child)
      const sys = nativeSys()
      expect([...objectIds(sys, 'prog')]).toEqual(expect.arrayContaining(programs))
      expect([...objectIds(sys, 'link')]).toEqual(expect.arrayContaining(links))
      expect(programs.length).toBe(3)
      child.kill('SIGKILL')
      await once(child, 'close')
    })
  })
})

describe.skipIf(gate.skip)(gate.title('an ordinary user'), () => {
  it('gets to the kernel door and is told what is missing', async () => {
    await leavesNothing(async () => {
      const child = startChild(new URL('./child/unprivileged.ts', import.meta.url))
      const told = await firstLine<{
        preview: string[]
        missing: MissingPrivilege[]
        load: Failure
        withoutMaps: Failure
        attach: Failure
      }>(child)
      await once(child, 'close')
      expect(told.preview).toEqual(['count_calls'])
      const missing = told.missing.map(({ kind, name }) => `${kind} ${name}`)
      expect(missing.slice(0, 2)).toEqual(['capability CAP_BPF', 'capability CAP_PERFMON'])
      // Somebody may have mounted tracefs for everyone.
      if (told.attach.code !== 'LINK_DENIED') expect(missing[2]).toBe('file /sys/kernel/tracing')
      expect(told.missing[1]?.neededFor).toEqual(['load program count_calls (tracepoint)'])
      expect(told.load).toMatchObject({
        code: 'MAP_CREATE_DENIED',
        message: 'cannot create map totals (array): EPERM, this process lacks CAP_BPF',
      })
      expect(told.withoutMaps).toMatchObject({
        code: 'LOADER_DENIED',
        message:
          'program not_by_itself (tracepoint) cannot be loaded: EPERM, because this process lacks CAP_BPF and CAP_PERFMON',
      })
      expect(['SYS_TRACEFS', 'LINK_TRACEFS', 'LINK_DENIED']).toContain(told.attach.code)
      expect(told.attach.hint).toMatch(/run as root/)
    })
  })
})
