import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

export const defaultTarball = '/usr/src/linux-source-6.12.tar.xz'

/** Why the tarball cannot be read and how to get it; `undefined` where it can. */
export function missingSource(tarball) {
  if (existsSync(tarball)) return undefined
  return (
    `${tarball} is missing: install Debian's package linux-source-6.12 (apt-get install linux-source-6.12), ` +
    'or name the tarball with --source FILE or the environment variable TSBPF_LINUX_SOURCE'
  )
}

export async function sha256(path) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

function packageVersion(tarball) {
  try {
    const name = basename(tarball).replace(/\.tar\.\w+$/, '')
    const version = execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return `${name} ${version}`
  } catch {
    return basename(tarball)
  }
}

/** Unpacks the files asked for, and returns their texts by path, with what identifies the tarball. */
export async function readLinuxSource(tarball, paths) {
  const top = basename(tarball).replace(/\.tar\.\w+$/, '')
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-uapi-'))
  try {
    const members = ['Makefile', ...paths].map((path) => `${top}/${path}`)
    execFileSync('tar', ['-xf', tarball, '-C', folder, '--occurrence=1', ...members], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const read = (path) => readFileSync(join(folder, top, path), 'utf8')
    const makefile = read('Makefile')
    const part = (name) => new RegExp(`^${name} = (.*)$`, 'm').exec(makefile)?.[1]?.trim() ?? ''
    return {
      texts: new Map(paths.map((path) => [path, read(path)])),
      input: {
        package: packageVersion(tarball),
        kernel: `${part('VERSION')}.${part('PATCHLEVEL')}.${part('SUBLEVEL')}`,
        sha256: await sha256(tarball),
      },
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
