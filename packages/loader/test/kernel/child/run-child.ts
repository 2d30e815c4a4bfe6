import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

/** Starts a script in a process of its own, which reads the sources as this one does. */
export function startChild(script: URL, args: readonly string[] = []): ChildProcess {
  const file = (name: string): string => new URL(name, import.meta.url).pathname
  const node = ['--import', file('register.mjs'), '--conditions=@tsbpf/source']
  return spawn(process.execPath, [...node, script.pathname, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** The first line that a child prints, as JSON. */
export async function firstLine<T>(child: ChildProcess): Promise<T> {
  let text = ''
  for await (const part of child.stdout ?? []) {
    text += String(part)
    if (text.includes('\n')) return JSON.parse(text.slice(0, text.indexOf('\n'))) as T
  }
  throw new Error(`the child ended without a line: ${text}`)
}
