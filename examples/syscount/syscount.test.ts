import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { requires } from '@tsbpf/testkit'
import { parseObject } from 'tsbpf'
import { describe, expect, it } from 'vitest'
import { syscount } from './main.ts'
import { tableText, type Row } from './table.ts'

const read = (name: string): Buffer => readFileSync(new URL(name, import.meta.url))

describe('the object', () => {
  const record = JSON.parse(read('../bpf-objects.json').toString()) as {
    readonly objects: Readonly<Record<string, { readonly sha256: string; readonly sourceSha256: string }>>
  }

  it('is the recorded one, built from the source beside it', () => {
    const sha256 = (name: string): string => createHash('sha256').update(read(name)).digest('hex')
    expect(record.objects['syscount/syscount.bpf.o']).toEqual({
      sha256: sha256('syscount.bpf.o'),
      sourceSha256: sha256('syscount.bpf.c'),
    })
  })

  it('depends on no folder', () => {
    expect(read('syscount.bpf.o').toString('latin1')).not.toMatch(/\/(home|root|tmp|usr|work)\//)
  })

  it('has what the example shows', () => {
    const spec = parseObject(read('syscount.bpf.o'), { name: 'syscount.bpf.o' })
    expect(spec.programs.map(({ section }) => section)).toEqual(['tracepoint/raw_syscalls/sys_enter'])
    expect(spec.programs[0]?.coreRelocations).toHaveLength(2)
    expect(spec.maps.map(({ name, type }) => [name, type])).toEqual([
      ['syscall_count', 'hash'],
      ['.rodata', 'array'],
    ])
    expect(spec.variables.map(({ name, section }) => [name, section])).toEqual([['target_parent', '.rodata']])
  })
})

describe('the table', () => {
  it('has a line for each process and lets no control character through', () => {
    const rows = [{ pid: 42, command: 'a\u001b[2Jb', syscalls: 12345678901234n, perSecond: 10.4 }]
    expect(tableText(rows).split('\n')).toEqual([
      '     pid  command               syscalls  per second',
      '      42  a?[2Jb          12345678901234          10',
      '',
    ])
  })
})

const gate = requires({ root: true, kernel: [5, 8], reason: 'counts system calls' })

describe.skipIf(gate.skip)(gate.title('counting'), () => {
  it('counts the system calls of child processes and of nobody else', { timeout: 20_000 }, async () => {
    const calls = 20_000
    const script = `setTimeout(() => { for (let i = 0; i < ${calls}; i++) fs.statSync('/') }, 300); setTimeout(() => 0, 60000)`
    const child = spawn(process.execPath, ['-e', script])
    let rows: readonly Row[] = []
    let own: Row | undefined
    const stop = new AbortController()
    await syscount({
      duration: 15,
      parent: process.pid,
      top: 100,
      stop: stop.signal,
      show: (shown) => {
        rows = shown
        own = rows.find(({ pid }) => pid === child.pid)
        if ((own?.syscalls ?? 0) >= calls) stop.abort()
      },
    })
    child.kill()
    expect(own?.syscalls).toBeGreaterThanOrEqual(calls)
    expect(own?.command).toMatch(/node|MainThread/)
    expect(rows.some(({ pid }) => pid === process.pid)).toBe(false)
  })

  it('stops when it is told to', async () => {
    const started = performance.now()
    const seconds: number[] = []
    await syscount({
      duration: 60,
      parent: 0,
      top: 1,
      stop: AbortSignal.timeout(300),
      show: (_rows, second) => seconds.push(second),
    })
    expect(seconds).toHaveLength(1)
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})
