import { basename } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { hexBytes, isTsbpfError } from '@tsbpf/base'
import { parseBtf } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import type { TargetBtf } from '@tsbpf/core-reloc'
import { parseElf } from '@tsbpf/elf'
import { errors } from './errors.ts'
import { maxUnpackedSize } from './limits.ts'
import { parseNamed, readInput } from './read-file.ts'

/**
 * BTF to relocate to, from files that hold it raw, packed by gzip, or in the `.BTF` section of an ELF file.
 *
 * The first is the kernel's own, unless another is named `vmlinux`; BTF that is split from a base is read with that
 * one as its base. A target is named after its file, without folder and ending.
 */
export async function readTargets(files: readonly string[]): Promise<readonly TargetBtf[]> {
  const inputs = await Promise.all(
    files.map(async (file) => ({ file, name: targetName(file), bytes: await readBtfBytes(file) })),
  )
  const main = inputs.find(({ name }) => name === 'vmlinux') ?? inputs[0]
  if (main === undefined) return []
  const base = parseNamed(main.file, () => parseBtf(main.bytes, { name: main.name }))
  return inputs.map((input) => ({
    name: input.name,
    btf: input === main ? base : parseNamed(input.file, () => parseMaybeSplit(input.bytes, input.name, base)),
  }))
}

/** Raw BTF in a file of any of the three kinds. */
export async function readBtfBytes(file: string): Promise<Uint8Array> {
  const read = await readInput(file)
  const bytes = startsWith(read, [0x1f, 0x8b]) ? await unpack(file, read) : read
  if (startsWith(bytes, [0x9f, 0xeb]) || startsWith(bytes, [0xeb, 0x9f])) return bytes
  if (!startsWith(bytes, [0x7f, 0x45, 0x4c, 0x46])) {
    throw errors.CLI_TARGET_FORMAT({ file, actual: hexBytes(bytes.subarray(0, 4)) })
  }
  const section = parseNamed(file, () => parseElf(bytes).section('.BTF'))
  if (section === undefined) throw errors.CLI_TARGET_NO_BTF({ file })
  return section.data
}

async function unpack(file: string, bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: maxUnpackedSize })
  } catch (cause) {
    throw errors.CLI_GZIP({ file, reason: (cause as Error).message }, { cause })
  }
}

/** Split BTF has no strings or does not start with the empty one, which is the base's: that tells the two apart. */
function parseMaybeSplit(bytes: Uint8Array, name: string, base: Btf): Btf {
  try {
    return parseBtf(bytes, { name })
  } catch (error) {
    if (!isTsbpfError(error, 'BTF_STRING') && !isTsbpfError(error, 'BTF_HEADER')) throw error
    return parseBtf(bytes, { name, base })
  }
}

/** How a target is named: its file without folder, `.gz` and `.btf`. */
export function targetName(file: string): string {
  return basename(file)
    .replace(/\.gz$/, '')
    .replace(/\.btf$/, '')
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte)
}
