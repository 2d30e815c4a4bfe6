import { isTsbpfError } from '@tsbpf/base'
import { lackingCapabilities, readFile, tracefs } from '@tsbpf/sys'
import type { CapabilityName, Sys } from '@tsbpf/sys'
import type { ObjectSpec, ProgramSpec } from '@tsbpf/object'
import { selectPrograms } from './check-spec.ts'

/** Program types that trace the kernel (kernel/bpf/syscall.c, is_perfmon_prog_type). */
const perfmonTypes = new Set([
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
  'raw_tracepoint_writable',
  'tracing',
  'lsm',
  'struct_ops',
  'ext',
])

/** Program types that touch the network (kernel/bpf/syscall.c, is_net_admin_prog_type). */
const netAdminTypes = new Set([
  'sched_cls',
  'sched_act',
  'xdp',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'lwt_seg6local',
  'sk_skb',
  'sk_msg',
  'flow_dissector',
  'cgroup_device',
  'cgroup_sock',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'cgroup_sysctl',
  'sock_ops',
  'ext',
  'netfilter',
])

/** Program types that anyone may load where unprivileged BPF is allowed (kernel/bpf/syscall.c, bpf_prog_load). */
const openTypes = new Set(['socket_filter', 'cgroup_skb'])

/** Map types that only CAP_NET_ADMIN may create (kernel/bpf/syscall.c, map_create). */
const netAdminMaps = new Set(['sockmap', 'sockhash', 'devmap', 'devmap_hash', 'xskmap'])

/** A privilege that loading or attaching an object wants and this process does not have. */
export interface MissingPrivilege {
  readonly kind: 'capability' | 'file'
  /** `CAP_BPF`; a path for a file. */
  readonly name: string
  /** What wants it: `load program count_calls (tracepoint)`. */
  readonly neededFor: readonly string[]
  /** What to do about it. */
  readonly remedy: string
}

/** Capabilities that loading a program of a type takes, from kernel 5.8; before, CAP_SYS_ADMIN. */
export function capabilitiesFor(
  type: string | undefined,
  unprivilegedAllowed = false,
): readonly CapabilityName[] {
  if (type === undefined) return ['CAP_BPF']
  if (unprivilegedAllowed && openTypes.has(type)) return []
  return [
    'CAP_BPF',
    ...(perfmonTypes.has(type) ? (['CAP_PERFMON'] as const) : []),
    ...(netAdminTypes.has(type) ? (['CAP_NET_ADMIN'] as const) : []),
  ]
}

function unprivilegedAllowed(sys: Sys): boolean {
  try {
    const text = new TextDecoder().decode(
      readFile(sys, '/proc/sys/kernel/unprivileged_bpf_disabled', { limit: 64 }),
    )
    return text.trim() === '0'
  } catch (error) {
    if (isTsbpfError(error)) return false
    throw error
  }
}

/**
 * Which capabilities and file permissions this process lacks to load the object's programs and attach them where their
 * section names say; empty where it lacks nothing that is known. Only reads files of /proc and tracefs.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseObject } from '@tsbpf/object'
 * import { missingPrivileges } from '@tsbpf/loader'
 * import { nativeSys } from '@tsbpf/sys/native'
 * const spec = parseObject(await readFile('syscount.bpf.o'))
 * for (const missing of missingPrivileges(nativeSys(), spec)) console.log(missing.name, missing.remedy)
 * ```
 */
export function missingPrivileges(
  sys: Sys,
  spec: ObjectSpec,
  options: { readonly programs?: readonly string[] } = {},
): readonly MissingPrivilege[] {
  const wanted = new Map<CapabilityName, string[]>()
  const want = (names: readonly CapabilityName[], what: string): void => {
    for (const name of names) wanted.set(name, [...(wanted.get(name) ?? []), what])
  }
  const unprivileged = unprivilegedAllowed(sys)
  const programs = selectPrograms(spec, options.programs)
  for (const map of spec.maps) {
    if (netAdminMaps.has(map.type)) want(['CAP_NET_ADMIN'], `create map ${map.name} (${map.type})`)
    if (!unprivileged) want(['CAP_BPF'], `create map ${map.name} (${map.type})`)
  }
  for (const program of programs) {
    const what = `load program ${program.name} (${program.type ?? 'unknown type'})`
    want(capabilitiesFor(program.type, unprivileged), what)
  }
  const missing: MissingPrivilege[] = lackingCapabilities(sys, [...wanted.keys()]).map((name) => ({
    kind: 'capability',
    name,
    neededFor: wanted.get(name) ?? [],
    remedy: `run as root, or grant ${name} (setcap ${name.toLowerCase()}+ep on node, or AmbientCapabilities= in a systemd unit)`,
  }))
  const file = missingTracefs(sys, programs)
  return file === undefined ? missing : [...missing, file]
}

/** Tracepoints are named by numbers that only tracefs tells. */
function missingTracefs(sys: Sys, programs: readonly ProgramSpec[]): MissingPrivilege | undefined {
  const traced = programs.filter(({ type, attachTo }) => type === 'tracepoint' && attachTo !== undefined)
  if (traced.length === 0) return undefined
  try {
    tracefs(sys).dispose()
    return undefined
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return {
      kind: 'file',
      name: '/sys/kernel/tracing',
      neededFor: traced.map(({ name, attachTo }) => `attach program ${name} to ${attachTo ?? ''}`),
      remedy: error.hint ?? error.message,
    }
  }
}
