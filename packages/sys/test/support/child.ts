import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How a child ended and what it said. */
export interface ChildEnd {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script of this folder in a process of its own. */
export function runScript(
  name: string,
  args: readonly string[] = [],
  nodeArgs: readonly string[] = [],
): Promise<ChildEnd> {
  const script = fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(process.execPath, [...nodeArgs, script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()))
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr })
    })
  })
}
