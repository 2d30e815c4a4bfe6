import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

const root = new URL('../../../', import.meta.url).pathname

/**
 * The file to run for a script: where these tests were bundled into the folder that TSBPF_BUNDLED names
 * (`npm run test:vm`), its bundle. For Workers, and for processes that do not come from {@link startChild}.
 */
export function scriptFile(script: URL): string {
  const bundled = process.env['TSBPF_BUNDLED']
  const path = script.pathname
  return bundled === undefined ? path : `${bundled}/${path.slice(root.length).replace(/\.ts$/, '.mjs')}`
}

/**
 * Starts a script in a process of its own, which reads the sources as this one does. `within` is a command that runs it:
 * `['unshare', '--net']` gives it a network of its own.
 */
export function startChild(
  script: URL,
  options: { readonly args?: readonly string[]; readonly within?: readonly string[] } = {},
): ChildProcess {
  const { args = [], within = [] } = options
  const register = new URL('register.mjs', import.meta.url).pathname
  const read =
    process.env['TSBPF_BUNDLED'] === undefined ? ['--import', register, '--conditions=@tsbpf/source'] : []
  const node = [...read, scriptFile(script)]
  const [command = '', ...rest] = [...within, process.execPath, ...node, ...args]
  return spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
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
