import type { FunctionSpec, InsnReference, ObjectSpec, VariableSpec } from '@tsbpf/object'

/** Names that an assembler takes as they are; registers are no names. */
const plain = /^(?![rw]\d+$)[A-Za-z_.$][\w.$]*$/

/** A name as the assembler reads it back: in quotes where it is no word. */
export function nameText(name: string): string {
  return plain.test(name) ? name : stringText(name)
}

/** A text in quotes, with what is no printable ASCII escaped as its bytes in UTF-8. */
export function stringText(text: string): string {
  let inner = ''
  for (const byte of new TextEncoder().encode(text)) {
    const char = String.fromCharCode(byte)
    if (char === '"' || char === '\\') inner += `\\${char}`
    else inner += byte >= 0x20 && byte < 0x7f ? char : `\\${byte.toString(8).padStart(3, '0')}`
  }
  return `"${inner}"`
}

/** Text of a comment: control characters must neither end its line nor reach a terminal. */
export function commentText(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
    return char === '\t' ? ' ' : `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`
  })
}

/** A place by a name before it and the bytes to it. */
export const placeText = (name: string, distance: number): string =>
  distance === 0 ? name : `${name}${distance < 0 ? '' : '+'}${distance}`

/** The last variable that starts at or before an offset; they are in order. */
function variableAt(variables: readonly VariableSpec[], offset: number): VariableSpec | undefined {
  let low = 0
  let high = variables.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((variables[middle]?.offset ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  const variable = variables[low - 1]
  return variable !== undefined && offset < variable.offset + Math.max(variable.size, 1)
    ? variable
    : undefined
}

/** Where a reference leads: to a name, and so many bytes beyond. */
export interface NamedPlace {
  readonly name: string
  readonly distance: number
}

/**
 * Names for what operands stand for: a map, function or extern, or a place in a data section as the variable that
 * holds it (`target_parent`, `buffer+8`), else as section and offset (`.rodata.str1.1+4`).
 */
export function referencePlaces(spec: ObjectSpec): (ref: InsnReference) => NamedPlace {
  const bySection = new Map<string, VariableSpec[]>()
  for (const variable of spec.variables) {
    const known = bySection.get(variable.section)
    if (known === undefined) bySection.set(variable.section, [variable])
    else known.push(variable)
  }
  for (const list of bySection.values()) list.sort((a, b) => a.offset - b.offset)
  return (ref) => {
    if (ref.kind !== 'data') return { name: ref.name, distance: 0 }
    const variable = variableAt(bySection.get(ref.map) ?? [], ref.offset)
    return variable === undefined
      ? { name: ref.map, distance: ref.offset }
      : { name: variable.name, distance: ref.offset - variable.offset }
  }
}

/** All functions of an object: programs, then subprograms, each in file order. */
export function functionsOf(spec: ObjectSpec): readonly FunctionSpec[] {
  return [...spec.programs, ...spec.subprograms]
}
