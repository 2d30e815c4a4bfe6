import { isTsbpfError } from '@tsbpf/base'
import { findSymbols, parseElf, symbolFileOffset } from '@tsbpf/elf'
import type { ElfFile } from '@tsbpf/elf'
import { linux } from '@tsbpf/uapi'
import { readFile } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import type { AttachableProgram } from './link.ts'

/** Where the loader of the C library looks, and where programs are (libbpf, resolve_full_path). */
const libraryFolders = [
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
  '/lib/aarch64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/local/lib64',
  '/usr/local/lib',
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
]
const programFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/**
 * Path of a program or library: a name without a slash is looked for where the system keeps them. Throws LINK_NO_BINARY.
 */
export function findBinary(sys: Sys, program: AttachableProgram, target: string, name: string): string {
  if (name.includes('/')) return name
  const isLibrary = /\.so(?:\.|$)/.test(name)
  for (const folder of isLibrary ? libraryFolders : programFolders) {
    const path = `${folder}/${name}`
    const fd = sys.openat(linux.AT_FDCWD, path, linux.O_RDONLY)
    if (fd < 0) continue
    sys.close(fd)
    return path
  }
  throw errors.LINK_NO_BINARY({
    program: program.name,
    target,
    name,
    what: isLibrary ? 'library' : 'program',
  })
}

/** Reads and opens an executable or a shared library. Throws LINK_NO_BINARY, `ELF_…`, `SyscallError`. */
export function openBinary(sys: Sys, program: AttachableProgram, target: string, path: string): ElfFile {
  try {
    return parseElf(readFile(sys, path), { name: path })
  } catch (cause) {
    if (!isTsbpfError(cause, 'SYS_CALL_FAILED')) throw cause
    throw errors.LINK_NO_BINARY({ program: program.name, target, name: path, what: 'file' }, { cause })
  }
}

/** Offset in the file of a function. Throws LINK_UNKNOWN_FUNCTION. */
export function functionOffset(
  program: AttachableProgram,
  target: string,
  elf: ElfFile,
  name: string,
): number {
  // A default version of a function is written name@@VERSION in .symtab.
  for (const symbol of findSymbols(elf, name)) {
    const offset = symbolFileOffset(elf, symbol)
    if (offset !== undefined) return offset
  }
  throw errors.LINK_UNKNOWN_FUNCTION({ program: program.name, target, where: elf.name })
}
