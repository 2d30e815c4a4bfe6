import type { Sys } from '@tsbpf/sys'
import { attachKinds } from './attach-kinds.ts'
import type { AttachKind } from './attach-kind.ts'
import type { AttachOptions, SectionProgram } from './attach-options.ts'
import { errors } from './errors.ts'
import type { Link } from './link.ts'

/** The kind of attachment for a program type, attach type and section name, or `undefined`. */
export function attachKindOf(
  program: Pick<SectionProgram, 'type' | 'attachType' | 'section'>,
): AttachKind | undefined {
  const { type, attachType, section } = program
  if (type === undefined) return undefined
  const prefix = section.replace(/\/.*$/s, '')
  return attachKinds.find(
    ({ types, attachTypes, prefixes }) =>
      types.includes(type) &&
      (attachTypes.length === 0 || attachTypes.includes(attachType)) &&
      (prefixes === undefined || prefixes.includes(prefix)),
  )
}

/** True where the section name says enough to attach the program, and nothing but the kernel looks at the target. */
export function attachesItself(
  program: Pick<SectionProgram, 'type' | 'attachType' | 'attachTo' | 'section'>,
): boolean {
  return Boolean(program.attachTo) && attachKindOf(program)?.byItself === true
}

/** Kinds whose target is no text. */
const withoutTarget = new Set(['sockmap', 'socket_filter', 'sk_reuseport'])

/**
 * Attaches a program where its section name says, or to `options.target`.
 *
 * Throws LINK_UNSUPPORTED_KIND, LINK_NO_TARGET, and what the kind's own function throws.
 */
export function attach(sys: Sys, program: SectionProgram, options: AttachOptions = {}): Link {
  const kind = attachKindOf(program)
  if (kind === undefined) {
    const type = program.type === undefined ? 'an unknown type' : `type ${program.type}`
    const attachType = program.attachType === undefined ? '' : ` (${program.attachType})`
    throw errors.LINK_UNSUPPORTED_KIND({ program: program.name, kind: type + attachType })
  }
  const target = options.target ?? program.attachTo ?? ''
  if (target === '' && !withoutTarget.has(kind.kind))
    throw errors.LINK_NO_TARGET({ program: program.name, expected: kind.targetShape })
  if (kind.targetAtLoad && target !== program.attachTo) {
    const expected = `${program.attachTo ?? 'its own target'}, for which it was loaded`
    throw errors.LINK_BAD_TARGET({ program: program.name, target, expected })
  }
  return kind.attach(sys, program, target, options)
}
