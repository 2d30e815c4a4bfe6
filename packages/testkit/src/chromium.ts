import { existsSync } from 'node:fs'

/**
 * The Chromium that browser tests run in: the one that the environment variable TSBPF_CHROMIUM names, else Debian's;
 * `undefined` where there is none. One that is named but missing is a mistake and throws.
 */
export function chromium(): string | undefined {
  const named = process.env['TSBPF_CHROMIUM']
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`TSBPF_CHROMIUM names ${named}, which does not exist`)
    return named
  }
  return existsSync('/usr/bin/chromium') ? '/usr/bin/chromium' : undefined
}
