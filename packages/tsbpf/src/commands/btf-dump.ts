import { basename, dirname } from 'node:path'
import { joinChunks, parseBtf, printC, printJson, printRaw, printTypeScript } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import type { Io } from '../io.ts'
import { toJsonDocument } from '../json.ts'
import { parseNamed } from '../read-file.ts'
import { readBtfBytes } from '../target-btf.ts'

/** How {@link btfDump} can print. */
export type BtfFormat = 'raw' | 'c' | 'ts' | 'json'

/** Options of {@link btfDump}. */
export interface BtfDumpOptions {
  readonly json: boolean
  readonly format: BtfFormat
  /** File with the BTF that this one is split from. */
  readonly base: string | undefined
  /** Types to print; all for none. */
  readonly roots: readonly string[]
}

/** Folder in which the kernel shows its BTF, and that of its modules, which is split from it. */
const kernelFolder = '/sys/kernel/btf'

/**
 * `tsbpf btf dump FILE`: the types of a BTF. With `json`, formats `raw` and `json` are the document of types, and the
 * others `{format, text}`; docs/schemas/btf-dump.schema.json describes both.
 */
export async function btfDump(io: Io, file: string, options: BtfDumpOptions): Promise<number> {
  const { format, json } = options
  const btf = await readSplit(file, options.base ?? baseOf(file))
  const roots = options.roots.length === 0 ? {} : { roots: options.roots }
  const write = (chunks: Iterable<string>): void => {
    for (const chunk of chunks) io.stdout.write(chunk)
  }
  parseNamed(file, () => {
    if (json && (format === 'raw' || format === 'json')) {
      write(printJson(btf, { ...roots, values: 'exact' }))
    } else if (format === 'raw') write(printRaw(btf, roots))
    else if (format === 'json') write(printJson(btf, roots))
    else {
      const text = format === 'c' ? printC(btf, roots) : printTypeScript(btf, options.roots)
      if (json) io.stdout.write(toJsonDocument({ format, text: joinChunks(text) }))
      else write(text)
    }
  })
  return 0
}

async function readSplit(file: string, baseFile: string | undefined): Promise<Btf> {
  const bytes = await readBtfBytes(file)
  if (baseFile === undefined) return parseNamed(file, () => parseBtf(bytes))
  const baseBytes = await readBtfBytes(baseFile)
  const base = parseNamed(baseFile, () => parseBtf(baseBytes))
  return parseNamed(file, () => parseBtf(bytes, { base }))
}

/** The running kernel's BTF is the base of its modules', without being asked for, as with bpftool. */
function baseOf(file: string): string | undefined {
  const module = dirname(file) === kernelFolder && basename(file) !== 'vmlinux'
  return module ? `${kernelFolder}/vmlinux` : undefined
}
