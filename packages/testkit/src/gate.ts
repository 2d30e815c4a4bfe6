import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { gunzipSync } from 'node:zlib'

/** True for uid 0; false where there are no uids. */
export const isRoot: boolean = process.geteuid?.() === 0

/** Major and minor version of the running kernel; [0, 0] on anything but Linux. */
export function kernelVersion(): readonly [number, number] {
  const match = process.platform === 'linux' ? /^(\d+)\.(\d+)/.exec(release()) : null
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
}

/** What a group of tests needs; see {@link requires}. */
export interface Requirement {
  readonly root?: boolean
  /** Oldest kernel that has it: `[6, 1]`. */
  readonly kernel?: readonly [number, number]
  /** What the kernel must have been built with, as its configuration names it: `KPROBES`. */
  readonly config?: readonly string[]
  /** Commands of other packages: `ip`. */
  readonly commands?: readonly string[]
  /** Something else that this machine is known to lack, such as a file of the corpus; a text says what. */
  readonly missing?: boolean | string
  /** What it is needed for, in a few words; it ends up in the reason. */
  readonly reason: string
}

/** Whether to run; where not, why. */
export interface Gate {
  readonly skip: boolean
  /** Empty where the tests run. */
  readonly reason: string
  /** `name`, with the reason behind it where the tests are skipped. */
  title(name: string): string
}

function isInstalled(command: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin']
  return folders.some((folder) => existsSync(`${folder}/${command}`))
}

let config: string | undefined

/** The configuration that the running kernel was built with; empty where it does not tell. */
function kernelConfig(): string {
  const [plain, packed] = [`/boot/config-${release()}`, '/proc/config.gz']
  config ??= existsSync(plain)
    ? readFileSync(plain, 'utf8')
    : existsSync(packed)
      ? gunzipSync(readFileSync(packed)).toString('utf8')
      : ''
  return config
}

function lacking(need: Requirement): { readonly what: string; readonly privilege: boolean } | undefined {
  if (process.platform !== 'linux') return { what: 'needs Linux', privilege: false }
  if (need.kernel !== undefined) {
    const [major, minor] = kernelVersion()
    const [wantMajor, wantMinor] = need.kernel
    if (major < wantMajor || (major === wantMajor && minor < wantMinor)) {
      return { what: `needs kernel ${wantMajor}.${wantMinor}, this is ${major}.${minor}`, privilege: false }
    }
  }
  const built = kernelConfig()
  const without =
    built === '' ? [] : (need.config ?? []).filter((name) => !built.includes(`\nCONFIG_${name}=`))
  if (without.length > 0) {
    const names = without.map((name) => `CONFIG_${name}`)
    return { what: `this kernel was built without ${names.join(' and ')}`, privilege: false }
  }
  if (need.root === true && !isRoot) return { what: 'needs root', privilege: true }
  const commands = need.commands?.filter((name) => !isInstalled(name)) ?? []
  if (commands.length > 0) return { what: `needs the command ${commands.join(' and ')}`, privilege: true }
  const { missing = false } = need
  if (missing === false) return undefined
  return { what: missing === true ? 'is missing here' : missing, privilege: false }
}

/**
 * A gate skips only what this kernel or user is known to lack, and says why. Under `CI=true` a missing privilege or
 * command is an error: there the tests are meant to run.
 *
 * @example
 * ```ts
 * import { requires } from '@tsbpf/testkit'
 * const gate = requires({ root: true, kernel: [5, 8], reason: 'loads programs' })
 * describe.skipIf(gate.skip)(gate.title('prog load'), () => {})
 * ```
 */
export function requires(need: Requirement): Gate {
  const lack = lacking(need)
  if (lack === undefined) return { skip: false, reason: '', title: (name) => name }
  const reason = `${need.reason}: ${lack.what}`
  if (lack.privilege && process.env['CI'] === 'true') throw new Error(`CI must run this test, but ${reason}`)
  return { skip: true, reason, title: (name) => `${name} [not run: ${reason}]` }
}
