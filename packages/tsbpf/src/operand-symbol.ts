import type { InsnReference, ObjectSpec, VariableSpec } from '@tsbpf/object'

/**
 * Text for what a symbolic operand stands for: the name of a map, function or extern, or a place in a data section as
 * the variable that holds it (`target_parent`, `buffer+8`), else as section and offset (`.rodata.str1.1+4`).
 */
export function operandSymbols(spec: ObjectSpec): (ref: InsnReference) => string {
  const bySection = new Map<string, VariableSpec[]>()
  for (const variable of spec.variables) {
    const known = bySection.get(variable.section)
    if (known === undefined) bySection.set(variable.section, [variable])
    else known.push(variable)
  }
  return (ref) => {
    if (ref.kind !== 'data') return ref.name
    const variable = bySection
      .get(ref.map)
      ?.find(({ offset, size }) => ref.offset >= offset && ref.offset < offset + Math.max(size, 1))
    return variable === undefined
      ? plus(ref.map, ref.offset)
      : plus(variable.name, ref.offset - variable.offset)
  }
}

function plus(name: string, distance: number): string {
  return distance === 0 ? name : `${name}+${distance}`
}
