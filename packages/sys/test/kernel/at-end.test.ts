import { once } from 'node:events'
import { requires } from '@tsbpf/testkit'
import { startChild } from '@tsbpf/testkit/child'
import { describe, expect, it } from 'vitest'

const gate = requires({ reason: 'the native door' })

/** How a process ends, and what it said until then. */
async function run(how: string, signal?: NodeJS.Signals) {
  const script = new URL('./child/at-end.ts', import.meta.url)
  const child = startChild(script, { args: [how], within: ['sh', '-c', 'exec "$@" 2>&1', 'sh'] })
  let text = ''
  child.stdout?.on('data', (part: Buffer) => {
    text += part.toString()
    if (signal !== undefined && text.includes('ready\n') && !child.killed) child.kill(signal)
  })
  const [code, ended] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal: ended, lines: text.split('\n') }
}

const undone = ['last', 'warning: left behind by tsbpf: this one fails', 'first', '']

describe.skipIf(gate.skip)(gate.title('what is to be undone at the end of a process'), () => {
  it.each([
    ['when there is nothing left to do', 'empty', 0],
    ['at process.exit', 'exit', 7],
  ] as const)('is undone %s, last first, and one that fails stops none', async (_, how, code) => {
    const end = await run(how)
    expect(end).toEqual({ code, signal: null, lines: ['0,0,0,0 1,1,1,1 0,0,0,0', 'ready', ...undone] })
  })

  it('is undone at an uncaught error', async () => {
    const { code, lines } = await run('throw')
    expect(code).toBe(1)
    expect(lines.join('\n')).toMatch(/Error: uncaught\n/)
    for (const line of undone) expect(lines).toContain(line)
  })

  it.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)(
    'is undone at %s, which ends the process all the same',
    async (signal) => {
      const { lines, ...end } = await run('signal', signal)
      expect(end).toEqual({ code: null, signal })
      expect(lines.slice(2)).toEqual(undone)
    },
  )

  it('is left until the process ends where somebody else listens', async () => {
    const { lines, ...end } = await run('somebody else listens', 'SIGTERM')
    expect(end).toEqual({ code: 3, signal: null })
    expect(lines.slice(2)).toEqual(['done', ...undone])
  })
})
