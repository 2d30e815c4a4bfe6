import { existsSync } from 'node:fs'

/** Why a corpus test is skipped where it is. */
export const corpusMissing = 'TSBPF_CORPUS is not set'

/**
 * Folder that the environment variable TSBPF_CORPUS names, `undefined` where it is not set: objects and vectors of
 * other projects, never part of this repository. A folder that is named but missing is a mistake and throws.
 *
 * @example
 * ```ts
 * import { corpusDir, corpusMissing } from '@tsbpf/testkit'
 * const corpus = corpusDir()
 * describe.skipIf(corpus === undefined)(`corpus (${corpusMissing})`, () => {})
 * ```
 */
export function corpusDir(): string | undefined {
  const dir = process.env['TSBPF_CORPUS']
  if (dir === undefined || dir === '') return undefined
  if (!existsSync(dir)) throw new Error(`TSBPF_CORPUS names ${dir}, which does not exist`)
  return dir
}
