import { randomBytes } from 'node:crypto'
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { isTsbpfError } from '@tsbpf/base'
import { errors } from './errors.ts'

/**
 * Writes a file that the user named, whole or not at all: under another name beside it first, which then takes its
 * place. Where the name is that of a pipe or a device, that is written to.
 */
export async function writeOutput(file: string, bytes: Uint8Array): Promise<void> {
  let made: string | undefined
  try {
    const known = await stat(file).catch((error: unknown) => {
      if ((error as { readonly code?: unknown }).code === 'ENOENT') return undefined
      throw error
    })
    if (known?.isDirectory() === true) throw errors.CLI_FILE_KIND({ file, kind: 'a directory' })
    if (known !== undefined && !known.isFile()) {
      await writeFile(file, bytes)
      return
    }
    // A link stays one: what it leads to is replaced.
    const target = known === undefined ? file : await realpath(file)
    made = `${target}.${randomBytes(6).toString('hex')}.tmp`
    await writeFile(made, bytes, { flag: 'wx', ...(known === undefined ? {} : { mode: known.mode }) })
    await rename(made, target)
  } catch (error) {
    if (made !== undefined) await rm(made, { force: true }).catch(() => undefined)
    if (isTsbpfError(error)) throw error
    const { code } = error as { readonly code?: unknown }
    throw errors.CLI_FILE_WRITE({ file, reason: String(code) }, { cause: error })
  }
}
