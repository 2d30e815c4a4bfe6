import { isTsbpfError } from '@tsbpf/base'
import { formatType } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import { coreKinds } from '@tsbpf/object'
import type { CoreRelocation } from '@tsbpf/object'

/** Steps of an accessor that are spelt out. */
const shownSteps = 32

/** The member or element that an accessor string ends at, as C writes it: `.real_parent.pid`, `[2].value`. */
function path(btf: Btf, root: number, access: string): string {
  const [first = 0, ...rest] = access.split(':', shownSteps).map(Number)
  let text = first === 0 ? '' : `[${first}]`
  let id = root
  for (const index of rest) {
    const type = btf.resolve(id)
    if (type.kind === 'array') {
      text += `[${index}]`
      id = type.type
    } else if (type.kind === 'struct' || type.kind === 'union') {
      const member = type.members[index]
      if (member === undefined) return `${text}.?`
      if (member.name !== '') text += `.${member.name}`
      id = member.type
    } else return `${text}.?`
  }
  return text
}

/**
 * What a CO-RE relocation asks, for people: `byte_off struct task_struct.real_parent`, `enumval_value enum state::RUNNING`;
 * numbers as they are where the object's BTF does not say what they mean.
 */
export function coreText(relocation: CoreRelocation, btf: Btf | undefined): string {
  const { kind, type, access } = relocation
  const name = coreKinds.format(kind)
  const asItIs = `${name} type ${type} ${access.slice(0, 4 * shownSteps)}`
  if (btf === undefined) return asItIs
  try {
    const root = formatType(btf, type)
    const group = coreKinds.byValue(kind)?.group
    if (group === 'field') return `${name} ${root}${path(btf, type, access)}`
    if (group !== 'enumval') return `${name} ${root}`
    const owner = btf.resolve(type)
    const value = owner.kind === 'enum' || owner.kind === 'enum64' ? owner.values[Number(access)] : undefined
    return `${name} ${root}::${value?.name ?? access}`
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return asItIs
  }
}
