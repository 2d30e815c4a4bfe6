import {
  bpfRoutes,
  clsactDevices,
  networkDevices,
  removeBpfRoute,
  removeEmptyClsact,
  removeTcFilter,
  removeXdp,
  tcFilters,
} from '@tsbpf/link'
import type { NetworkDevice, TcFilter } from '@tsbpf/link'
import { attachedAt } from '@tsbpf/loader'
import type { AttachedProgram, KernelLinkInfo } from '@tsbpf/loader'
import { progDetach } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { attachTypes } from '@tsbpf/uapi'
import type { Leftover } from './leftover.ts'
import { withProgram } from './leftover.ts'

/** What is left at network devices and routes of this network namespace. */
export function deviceLeftovers(
  sys: Sys,
  links: readonly KernelLinkInfo[],
  nameOf: (program: number) => string,
): readonly Leftover[] {
  const devices = networkDevices(sys)
  const clsact = clsactDevices(sys)
  return [
    ...devices.flatMap((device) => {
      const filters = tcFilters(sys, device.ifindex)
      const empty = clsact.has(device.ifindex) && filters.length === 0
      return [
        ...attachedAt(sys, { ifindex: device.ifindex }).flatMap((attached) =>
          isHeld(attached, device, links) ? [] : [atDevice(sys, device, attached, nameOf)],
        ),
        ...filters.filter(({ programId }) => programId !== 0).map((one) => filterOf(sys, device, one)),
        ...(empty ? [emptyClsact(sys, device)] : []),
      ]
    }),
    ...routeLeftovers(sys, devices),
  ]
}

/** The kernel tells the link of all but XDP. */
function isHeld(attached: AttachedProgram, device: NetworkDevice, links: readonly KernelLinkInfo[]): boolean {
  if (attached.linkId !== 0) return true
  const isXdp = attached.attachType === 'xdp'
  return links.some(
    ({ type, progId, details }) =>
      isXdp && type === 'xdp' && progId === attached.progId && details.get('ifindex') === device.ifindex,
  )
}

function atDevice(
  sys: Sys,
  { ifindex, name: device }: NetworkDevice,
  { attachType, progId, mode }: AttachedProgram,
  nameOf: (program: number) => string,
): Leftover {
  const object = { kind: 'prog', id: progId, name: nameOf(progId) } as const
  if (mode !== undefined) {
    return {
      ...{ name: `xdp:${device}:${mode}:${progId}`, kind: 'xdp', place: device, how: mode, object },
      remove: () => {
        withProgram(sys, progId, (fd) => {
          removeXdp(sys, { fd, name: object.name }, { ifindex, mode })
        })
      },
    }
  }
  const kind = attachType.startsWith('netkit') ? 'netkit' : 'tcx'
  return {
    ...{ name: `${kind}:${device}:${attachType}:${progId}`, kind, place: device, how: attachType, object },
    remove: () => {
      withProgram(sys, progId, (fd) => {
        const type = attachTypes.value(attachType as 'tcx_ingress')
        // A device stands where other places have a descriptor.
        progDetach(sys, { target_fd: ifindex, attach_bpf_fd: fd, attach_type: type })
      })
    },
  }
}

function filterOf(sys: Sys, { name: device }: NetworkDevice, filter: TcFilter): Leftover {
  const { direction, chain, priority, handle, programId, programName } = filter
  const at = `${chain === 0 ? '' : `chain ${chain} `}${direction}`
  const where = [device, direction, ...(chain === 0 ? [] : [chain]), priority, handle, programId]
  return {
    name: `tc:${where.join(':')}`,
    kind: 'tc',
    place: device,
    how: `${at}, priority ${priority}, handle ${handle}`,
    object: { kind: 'prog', id: programId, name: programName },
    remove: () => {
      removeTcFilter(sys, filter)
    },
  }
}

function emptyClsact(sys: Sys, { name: device, ifindex }: NetworkDevice): Leftover {
  return {
    ...{ name: `clsact:${device}`, kind: 'clsact', place: device, how: 'no filters', object: undefined },
    remove: () => {
      removeEmptyClsact(sys, ifindex)
    },
  }
}

function routeLeftovers(sys: Sys, devices: readonly NetworkDevice[]): readonly Leftover[] {
  return bpfRoutes(sys).map((route) => {
    const device = devices.find(({ ifindex }) => ifindex === route.ifindex)?.name ?? String(route.ifindex)
    const [first] = route.programs
    const object = {
      kind: 'prog',
      id: first?.id === 0 ? undefined : first?.id,
      name: first?.name ?? '',
    } as const
    const how = route.programs.map(({ hook }) => hook).join(', ')
    return {
      name: `route:${route.prefix}:${device}:${route.table}:${route.metric}`,
      kind: 'route',
      place: route.prefix,
      ...{ how: `${how}, dev ${device}`, object },
      remove: () => {
        removeBpfRoute(sys, route)
      },
    }
  })
}
