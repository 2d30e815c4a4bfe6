import { isTsbpfError } from '@tsbpf/base'
import { readFile } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { maxSysfsBytes } from './limits.ts'
import type { AttachableProgram } from './link.ts'

/** A performance monitoring unit that perf_event_open can make probes with (kernel 4.17). */
export interface ProbeUnit {
  readonly type: number
  /** The bit of `config` that asks for the return of the function. */
  readonly returnBit: number
  /** The first bit of `config` for the offset of a reference counter; `undefined` before kernel 4.20. */
  readonly counterShift: number | undefined
}

const folder = '/sys/bus/event_source/devices'

function read(sys: Sys, path: string): string {
  return new TextDecoder().decode(readFile(sys, path, { limit: maxSysfsBytes })).trim()
}

/**
 * How this kernel makes kprobes or uprobes, by sysfs. Throws LINK_NO_PROBES where it cannot.
 */
export function probeUnit(sys: Sys, program: AttachableProgram, name: 'kprobe' | 'uprobe'): ProbeUnit {
  try {
    const type = /^\d{1,9}$/.exec(read(sys, `${folder}/${name}/type`))?.[0]
    const returnBit = /^config:(\d{1,2})$/.exec(read(sys, `${folder}/${name}/format/retprobe`))?.[1]
    if (type === undefined || returnBit === undefined)
      throw errors.LINK_NO_PROBES({ program: program.name, name })
    return {
      type: Number(type),
      returnBit: Number(returnBit),
      counterShift: name === 'uprobe' ? counterShift(sys) : undefined,
    }
  } catch (cause) {
    if (!isTsbpfError(cause, 'SYS_CALL_FAILED')) throw cause
    throw errors.LINK_NO_PROBES({ program: program.name, name }, { cause })
  }
}

function counterShift(sys: Sys): number | undefined {
  try {
    const shift = /^config:(\d{1,2})-\d{1,2}$/.exec(read(sys, `${folder}/uprobe/format/ref_ctr_offset`))?.[1]
    return shift === undefined ? undefined : Number(shift)
  } catch (error) {
    if (!isTsbpfError(error, 'SYS_CALL_FAILED')) throw error
    return undefined
  }
}
