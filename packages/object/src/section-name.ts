import { sections } from '@tsbpf/uapi'
import type { Section } from '@tsbpf/uapi'

/** What a program's section name says about it: the part of a `ProgramSpec` that comes from the name alone. */
export interface ProgramSection {
  /** The name without the `?` that switches autoload off. */
  readonly section: string
  readonly type: string | undefined
  readonly attachType: string | undefined
  readonly attachTo: string | undefined
  readonly sleepable: boolean
  readonly autoload: boolean
  readonly flags: number
}

function matches(row: Section, name: string): boolean {
  if (!name.startsWith(row.prefix)) return false
  const rest = name.slice(row.prefix.length)
  if (rest === '') return row.match !== 'required'
  return row.match !== 'exact' && rest.startsWith('/')
}

/**
 * Reads the name of a program's section by libbpf's table (`section_defs` in tools/lib/bpf/libbpf.c): the first row
 * that matches counts. A name that no row matches is no error: type and attach type are then `undefined`.
 *
 * @example
 * ```ts
 * import { parseSectionName } from '@tsbpf/object'
 * console.log(parseSectionName('tracepoint/raw_syscalls/sys_enter').attachTo) // raw_syscalls/sys_enter
 * ```
 */
export function parseSectionName(name: string): ProgramSection {
  const autoload = !name.startsWith('?')
  const section = autoload ? name : name.slice(1)
  const row = sections.find((candidate) => matches(candidate, section))
  const rest = row === undefined ? '' : section.slice(row.prefix.length + 1)
  return {
    section,
    type: row?.progType,
    attachType: row?.attachType,
    attachTo: rest === '' ? undefined : rest,
    sleepable: row?.sleepable ?? false,
    autoload,
    flags: row?.flags ?? 0,
  }
}
