import { gunzipSync } from 'fflate'
import { isTsbpfError } from '@tsbpf/base'
import { readFile } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { maxConfigBytes, maxReleaseBytes } from './limits.ts'

const text = (sys: Sys, path: string): string =>
  new TextDecoder().decode(readFile(sys, path, { limit: maxReleaseBytes })).trim()

/**
 * Version of the running kernel as `KERNEL_VERSION(a, b, c)` counts it. Debian and Ubuntu put another one into the
 * release than the sources have: what they say elsewhere goes before it (libbpf's get_kernel_version).
 */
export function runningKernelVersion(sys: Sys): number {
  const parse = (match: RegExpExecArray | null): number | undefined => {
    if (match === null) return undefined
    const [major = 0, minor = 0, patch = 0] = match.slice(1).map(Number)
    return (major << 16) + (minor << 8) + Math.min(patch, 255)
  }
  const optional = (path: string): string => {
    try {
      return text(sys, path)
    } catch (error) {
      if (!isTsbpfError(error)) throw error
      return ''
    }
  }
  return (
    parse(/ (\d+)\.(\d+)\.(\d+)$/.exec(optional('/proc/version_signature'))) ??
    parse(/ Debian (\d+)\.(\d+)\.(\d+)/.exec(optional('/proc/sys/kernel/version'))) ??
    parse(/^(\d+)\.(\d+)\.?(\d*)/.exec(text(sys, '/proc/sys/kernel/osrelease'))) ??
    0
  )
}

/** The configuration that the running kernel was built with, as text. Throws LOADER_NO_KERNEL_CONFIG. */
export function runningKernelConfig(sys: Sys): string {
  const tried: string[] = []
  const read = (path: string): Uint8Array | undefined => {
    try {
      return readFile(sys, path, { limit: maxConfigBytes })
    } catch (error) {
      if (!isTsbpfError(error)) throw error
      tried.push(path)
      return undefined
    }
  }
  const plain = read(`/boot/config-${text(sys, '/proc/sys/kernel/osrelease')}`)
  if (plain !== undefined) return new TextDecoder().decode(plain)
  const packed = read('/proc/config.gz')
  if (packed === undefined) throw errors.LOADER_NO_KERNEL_CONFIG({ tried })
  return new TextDecoder().decode(gunzipSync(packed))
}

/** The values of a configuration by name, as they stand behind the `=`; of a name that is there twice the last. */
export function parseKernelConfig(config: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const line of config.split('\n')) {
    const match = /^\s*(CONFIG_\w+)=(.*?)\s*$/.exec(line)
    if (match !== null) values.set(match[1] ?? '', match[2] ?? '')
  }
  return values
}
