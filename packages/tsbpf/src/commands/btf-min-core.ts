import { parseBtf } from '@tsbpf/btf'
import { minCoreBtf } from '@tsbpf/core-reloc'
import type { Io } from '../io.ts'
import { toJsonDocument } from '../json.ts'
import { parseNamed } from '../read-file.ts'
import { readObject } from '../read-object.ts'
import { readBtfBytes } from '../target-btf.ts'
import { printable } from '../text-table.ts'
import { writeOutput } from '../write-file.ts'

/** Options of {@link btfMinCore}. */
export interface BtfMinCoreOptions {
  readonly json: boolean
  /** File with the kernel's BTF. */
  readonly target: string
  readonly out: string
}

/**
 * `tsbpf btf min-core`: writes the smallest BTF with which the objects relocate as with the target's. Where a
 * relocation fails, or anything else does, nothing is written.
 */
export async function btfMinCore(
  io: Io,
  files: readonly string[],
  options: BtfMinCoreOptions,
): Promise<number> {
  const { json, target: file, out } = options
  const specs = (await Promise.all(files.map(readObject))).map(({ spec }) => spec)
  const data = await readBtfBytes(file)
  const target = parseNamed(file, () => parseBtf(data))
  const bytes = minCoreBtf(specs, target)
  await writeOutput(out, bytes)

  const facts = {
    out,
    bytes: bytes.length,
    types: parseBtf(bytes).endId - 1,
    target: { file, bytes: data.length, types: target.endId - 1 },
  }
  if (json) {
    io.stdout.write(toJsonDocument(facts))
  } else {
    const of = `of ${facts.target.types} types and ${facts.target.bytes} bytes`
    io.stderr.write(`${printable(out)}: ${facts.types} types in ${facts.bytes} bytes, ${of}\n`)
  }
  return 0
}
