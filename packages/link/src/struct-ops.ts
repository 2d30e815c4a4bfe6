import { attachTypes, commands, mapElemAttr, mapFlags } from '@tsbpf/uapi'
import { failure, linkCreate, mapGetInfo } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { Link } from './link.ts'
import { refused, resultOf } from './refused.ts'

const EBUSY = failure('EBUSY')
const wants = ['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_ADMIN'] as const

/** A map as errors name it. */
interface NamedMap {
  readonly fd: number
  readonly name: string
}

/**
 * Registers the operations that a struct_ops map holds, until the link is detached.
 *
 * `value` is what the map is to hold: the kernel's struct, with descriptors of programs for operations; left out where
 * it holds it already. A map made with `BPF_F_LINK` (section `.struct_ops.link`, kernel 6.4) is registered by a link,
 * which ends with this process. Another is registered by being given its value (kernel 5.6), and stays so when this
 * process ends. Needs CAP_BPF and CAP_PERFMON; CAP_NET_ADMIN for operations of the network.
 * Throws LINK_DENIED, LINK_REFUSED.
 *
 * @example
 * ```ts no-run
 * import { attachStructOps } from '@tsbpf/link'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using link = attachStructOps(nativeSys(), { fd: 8, name: 'my_congestion_control' })
 * ```
 */
export function attachStructOps(sys: Sys, map: NamedMap, value?: Uint8Array): Link {
  const named = { kind: 'struct_ops', program: map.name, target: map.name }
  const fail = (step: string, result: number, cause?: unknown): Error =>
    refused(sys, { program: map, target: map.name, step, wants }, result, cause)
  const byLink = value === undefined || (mapGetInfo(sys, map.fd).map_flags & mapFlags.value('link')) !== 0
  if (value !== undefined) {
    const result = element(sys, map, 'map_update_elem', value)
    // It keeps the first value for good, and may be attached again.
    if (result < 0 && !(byLink && result === EBUSY)) throw fail('BPF_MAP_UPDATE_ELEM', result)
  }
  if (!byLink) {
    const undo = (): void => {
      element(sys, map, 'map_delete_elem')
    }
    return new Link(sys, { ...named, linkFd: undefined, undo, outlivesProcess: true })
  }
  try {
    // The map stands where other links have the program.
    const linkFd = linkCreate(sys, { map_fd: map.fd, attach_type: attachTypes.value('struct_ops') })
    return new Link(sys, { ...named, linkFd })
  } catch (error) {
    throw fail('BPF_LINK_CREATE', resultOf(error), error)
  }
}

/** An operation on the only element. */
function element(
  sys: Sys,
  map: NamedMap,
  command: 'map_update_elem' | 'map_delete_elem',
  value?: Uint8Array,
): number {
  const { offsets } = mapElemAttr
  return sys.bpf(commands.value(command), mapElemAttr.encode({ map_fd: map.fd }, true), [
    { at: offsets.key, buffer: new Uint8Array(4) },
    ...(value === undefined ? [] : [{ at: offsets.value, buffer: value }]),
  ])
}
