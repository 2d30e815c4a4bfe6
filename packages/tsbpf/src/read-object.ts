import { parseElf } from '@tsbpf/elf'
import type { ElfFile } from '@tsbpf/elf'
import { parseObject } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'
import { readInput } from './read-file.ts'

/** An object file that the user named: as ELF and as what it means. Errors name the file. */
export async function readObject(
  file: string,
): Promise<{ readonly elf: ElfFile; readonly spec: ObjectSpec }> {
  const bytes = await readInput(file)
  return { elf: parseElf(bytes, { name: file }), spec: parseObject(bytes, { name: file }) }
}
