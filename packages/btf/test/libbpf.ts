import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const oracles = process.env['TSBPF_ORACLES']

/** Why libbpf is not asked where it is not. */
export const noLibbpf =
  oracles === undefined
    ? 'TSBPF_ORACLES is not set: the folder that tools/oracles/build.mjs prints'
    : undefined

/** What tools/oracles/libbpf-btf.c says: its lines, and the files it wrote, by name. */
export interface Answer {
  readonly text: string
  /** False where libbpf refuses. */
  readonly ok: boolean
  readonly files: ReadonlyMap<string, Uint8Array>
}

/**
 * Asks libbpf. An argument that is bytes becomes a file; those in `out` are names that it writes to.
 */
export function libbpf(args: readonly (string | Uint8Array)[], out: readonly string[] = []): Answer {
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-btf-'))
  try {
    const words = args.map((arg, i) => {
      if (typeof arg === 'string') return out.includes(arg) ? join(folder, arg) : arg
      const path = join(folder, `in${i}`)
      writeFileSync(path, arg)
      return path
    })
    let text: string
    let ok = true
    try {
      text = execFileSync(join(oracles ?? '', 'bin/libbpf-btf'), words, { encoding: 'utf8' })
    } catch (error) {
      const { status, stdout } = error as { readonly status?: number; readonly stdout?: string }
      if (status !== 1 || stdout === undefined) throw error
      ok = false
      text = stdout
    }
    const written = out.filter((name) => existsSync(join(folder, name)))
    const files = new Map(written.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]))
    return { text, ok, files }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The version that answers. */
export function libbpfVersion(): string {
  return /^libbpf v(\S+)/.exec(libbpf(['parse', '/dev/null']).text)?.[1] ?? 'unknown'
}

/** Hash of an answer that is too long to keep. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
