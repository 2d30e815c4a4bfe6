import { usdtProbes } from '@tsbpf/elf'
import type { UsdtProbe } from '@tsbpf/elf'
import type { Sys } from '@tsbpf/sys'
import { findBinary, openBinary } from './binary-file.ts'
import { errors } from './errors.ts'
import { maxProbes } from './limits.ts'
import { Link } from './link.ts'
import type { AttachableProgram } from './link.ts'
import { attachUprobeMulti } from './uprobe-multi.ts'
import { attachUprobe } from './uprobe.ts'
import { usdtArgumentSpecs } from './usdt-arguments.ts'
import type { UsdtSpecs } from './usdt-specs.ts'

/** Options of {@link attachUsdt}. */
export interface UsdtOptions {
  /** Only in this process; in all unless given. */
  readonly pid?: number
  /** What `bpf_usdt_cookie` gives the program; without `specs` what `bpf_get_attach_cookie` gives it. */
  readonly cookie?: bigint
  /** Where the program looks up arguments: the map `__bpf_usdt_specs` of its object. Without it there are none. */
  readonly specs?: UsdtSpecs
  /** The program was loaded for `trace_uprobe_multi`: all places of the probe take one link (kernel 6.6). */
  readonly multi?: boolean
}

const expected =
  'a file, a provider and a name: libc.so.6:libc:setjmp, /usr/bin/python3:python:function__entry'

/**
 * Attaches a program to a USDT probe (`DTRACE_PROBE`, `STAP_PROBE`) of an executable or shared library, at each place
 * where it is compiled in. Kernel 5.15.
 *
 * `target` is `file:provider:name`. Programs read arguments with `bpf_usdt_arg` of libbpf's usdt.bpf.h, in any version
 * of it, where they are in general registers, constants, or memory at a base, an index and a scale (which takes
 * libbpf 1.7's header), or beside a symbol; for others it answers -EINVAL. The probe's semaphore is counted by the
 * kernel. The attachment ends with the process. Needs CAP_PERFMON and CAP_BPF. x86-64 and arm64.
 *
 * Throws LINK_BAD_TARGET, LINK_NO_BINARY, LINK_UNKNOWN_PROBE, LINK_USDT_FULL, LINK_USDT_ARGUMENTS, `ELF_…`, and what
 * {@link attachUprobe} throws.
 *
 * @example
 * ```ts no-run
 * import { attachUsdt } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachUsdt(nativeSys(), { fd: 7, name: 'on_setjmp' }, 'libc.so.6:libc:setjmp')
 * ```
 */
export function attachUsdt(
  sys: Sys,
  program: AttachableProgram,
  target: string,
  options: UsdtOptions = {},
): Link {
  const [, file = '', provider = '', name = ''] = /^([^\0]+):([^\0:]+):([^\0:]+)$/.exec(target) ?? []
  if (file === '') throw errors.LINK_BAD_TARGET({ program: program.name, target, expected })
  const path = findBinary(sys, program, target, file)
  const elf = openBinary(sys, program, target, path)
  const all = usdtProbes(elf)
  const probes = all.filter((probe) => probe.provider === provider && probe.name === name)
  if (probes.length === 0 || probes.length > maxProbes) {
    const known = [...new Set(all.map((probe) => `${path}:${probe.provider}:${probe.name}`))]
    throw errors.LINK_UNKNOWN_PROBE({ program: program.name, target, known })
  }
  const places = probes.map((probe) => offsetOf(program, target, probe))

  const { specs, cookie } = options
  const ids: number[] = []
  try {
    const cookies = probes.map((probe) => {
      if (specs === undefined) return cookie ?? 0n
      const id = specs.add(usdtArgumentSpecs(elf, probe), cookie ?? 0n, { program: program.name, target })
      ids.push(id)
      return BigInt(id)
    })
    const links = attachAll(sys, program, { path, places, cookies, probes }, options)
    return new Link(sys, {
      kind: 'usdt',
      program: program.name,
      target,
      linkFd: undefined,
      release: () => {
        for (const link of links) link.dispose()
        specs?.release(ids)
      },
    })
  } catch (error) {
    specs?.release(ids)
    throw error
  }
}

interface Places {
  readonly path: string
  readonly places: readonly number[]
  readonly cookies: readonly bigint[]
  readonly probes: readonly UsdtProbe[]
}

/** Links of all places, or none. */
function attachAll(
  sys: Sys,
  program: AttachableProgram,
  { path, places, cookies, probes }: Places,
  { pid, multi = false }: UsdtOptions,
): readonly Link[] {
  const process = pid === undefined ? {} : { pid }
  if (multi) {
    const counterOffsets = probes.map(({ semaphoreOffset }) => semaphoreOffset ?? 0)
    return [
      attachUprobeMulti(sys, program, { path, functions: places }, { ...process, cookies, counterOffsets }),
    ]
  }
  const links: Link[] = []
  try {
    for (const [i, place] of places.entries()) {
      const counterOffset = probes[i]?.semaphoreOffset
      const counter = counterOffset === undefined ? {} : { counterOffset }
      const own = { ...process, ...counter, cookie: cookies[i] ?? 0n }
      links.push(attachUprobe(sys, program, `${path}:${place}`, own))
    }
  } catch (error) {
    for (const link of links) link.dispose()
    throw error
  }
  return links
}

function offsetOf(program: AttachableProgram, target: string, { offset }: UsdtProbe): number {
  if (offset !== undefined) return offset
  throw errors.LINK_BAD_TARGET({
    program: program.name,
    target,
    expected: 'an executable or a shared library',
  })
}
