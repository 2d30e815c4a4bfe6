import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { corpusDir } from './corpus.ts'

/** One test of the BPF conformance corpus. */
export interface ConformanceFile {
  /** `add64.data`. */
  readonly name: string
  /** Its `-- asm`. */
  readonly asm: string
  /** Its `-- raw`: 64-bit words, one to an instruction slot. */
  readonly raw: readonly bigint[] | undefined
  /** Its `-- mem`. */
  readonly mem: Uint8Array | undefined
  /** Its `-- result`: what r0 holds at the end. */
  readonly result: bigint
}

/**
 * The files of `bpf-conformance/` in the corpus, in order of names; empty where there is no corpus.
 *
 * @example
 * ```ts
 * import { conformanceFiles } from '@tsbpf/testkit'
 * for (const { name, asm } of conformanceFiles()) console.log(name, asm)
 * ```
 */
export function conformanceFiles(): readonly ConformanceFile[] {
  const corpus = corpusDir()
  if (corpus === undefined) return []
  const dir = join(corpus, 'bpf-conformance')
  return readdirSync(dir)
    .filter((name) => name.endsWith('.data'))
    .sort()
    .map((name) => conformanceFile(name, readFileSync(join(dir, name), 'utf8')))
}

function conformanceFile(name: string, text: string): ConformanceFile {
  const sections = new Map<string, string>()
  for (const part of text.split(/^-- /m).slice(1)) {
    const end = part.indexOf('\n')
    sections.set(part.slice(0, end).trim(), part.slice(end + 1))
  }
  const words = (section: string): readonly string[] | undefined =>
    sections
      .get(section)
      ?.replaceAll(/#.*/g, '')
      .split(/\s+/)
      .filter((word) => word !== '')
  const asm = sections.get('asm')
  const [result] = words('result') ?? []
  if (asm === undefined || result === undefined) throw new Error(`${name} has no asm or no result`)
  const mem = words('mem')
  return {
    name,
    asm,
    raw: words('raw')?.map(BigInt),
    mem: mem === undefined ? undefined : Uint8Array.from(mem, (word) => Number.parseInt(word, 16)),
    result: BigInt(result),
  }
}
