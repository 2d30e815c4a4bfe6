import { open, stat } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { isTsbpfError, TsbpfError } from '@tsbpf/base'
import { errors } from './errors.ts'
import { maxFileSize } from './limits.ts'

/**
 * Bytes of a file that the user named; every way in which that can fail is a coded error.
 * Devices are refused, since reading one may never end; pipes (`<(command)`) are read to their end.
 */
export async function readInput(file: string): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    const facts = await stat(file)
    const kind = unreadableKind(facts)
    if (kind !== undefined) throw errors.CLI_FILE_KIND({ file, kind })
    if (facts.size > maxFileSize) {
      throw errors.CLI_FILE_TOO_LARGE({ file, size: facts.size, limit: maxFileSize })
    }
    bytes = await readOpened(file, facts.size)
  } catch (error) {
    throw isTsbpfError(error) ? error : fileError(file, error)
  }
  if (bytes.length === 0) throw errors.CLI_FILE_EMPTY({ file })
  return bytes
}

/** What {@link readToEnd} asks of a file. */
export interface Readable {
  read(buffer: Uint8Array, offset: number, length: number): Promise<{ readonly bytesRead: number }>
}

async function readOpened(file: string, size: number): Promise<Uint8Array> {
  await using handle = await open(file)
  const bytes = await readToEnd(handle, size)
  if (bytes === undefined)
    throw errors.CLI_FILE_TOO_LARGE({ file, size: maxFileSize + 1, limit: maxFileSize })
  return bytes
}

/**
 * Bytes of a file of about `size` bytes; `undefined` for one with more than may be read. Reads until there is no more:
 * files of /sys give a page at a time, at which `readFile` of Node believes that a small one has ended.
 */
export async function readToEnd(file: Readable, size: number): Promise<Uint8Array | undefined> {
  // One byte more than said shows the end with the last read.
  let bytes = new Uint8Array(Math.max(size + 1, 4096))
  let length = 0
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length)
    if (bytesRead === 0) return bytes.subarray(0, length)
    length += bytesRead
    if (length > maxFileSize) return undefined
    if (length === bytes.length) {
      const larger = new Uint8Array(bytes.length * 2)
      larger.set(bytes)
      bytes = larger
    }
  }
}

/** Runs a parser and puts the file's name before the message of what it throws. */
export function parseNamed<T>(file: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    const { code, message, hint, context } = error
    throw new TsbpfError(code, `${file}: ${message}`, { hint, context, cause: error })
  }
}

function unreadableKind(facts: Stats): string | undefined {
  if (facts.isDirectory()) return 'a directory'
  if (facts.isCharacterDevice() || facts.isBlockDevice()) return 'a device'
  if (facts.isSocket()) return 'a socket'
  return undefined
}

function fileError(file: string, cause: unknown): TsbpfError {
  const code = (cause as { readonly code?: unknown }).code
  if (code === 'ENOENT' || code === 'ENOTDIR') return errors.CLI_FILE_MISSING({ file }, { cause })
  if (code === 'EACCES' || code === 'EPERM') return errors.CLI_FILE_DENIED({ file }, { cause })
  return errors.CLI_FILE_READ({ file, reason: typeof code === 'string' ? code : String(cause) }, { cause })
}
