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
  return folderOf('TSBPF_CORPUS')
}

/** Why tests of Debian's objects are skipped where they are. */
export const debianObjectsMissing = 'TSBPF_DEBIAN_OBJECTS is not set'

/**
 * Folder that the environment variable TSBPF_DEBIAN_OBJECTS names, `undefined` where it is not set: the unpacked Debian
 * packages libxdp1, xdp-tools and pcp, which have BPF objects in them.
 *
 * @example
 * ```ts
 * import { debianObjectsDir, debianObjectsMissing } from '@tsbpf/testkit'
 * const folder = debianObjectsDir()
 * describe.skipIf(folder === undefined)(`Debian's objects (${debianObjectsMissing})`, () => {})
 * ```
 */
export function debianObjectsDir(): string | undefined {
  return folderOf('TSBPF_DEBIAN_OBJECTS')
}

/** A folder that is named but missing is a mistake and throws. */
function folderOf(variable: string): string | undefined {
  const dir = process.env[variable]
  if (dir === undefined || dir === '') return undefined
  if (!existsSync(dir)) throw new Error(`${variable} names ${dir}, which does not exist`)
  return dir
}
