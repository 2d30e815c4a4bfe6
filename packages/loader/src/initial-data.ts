import { isTsbpfError } from '@tsbpf/base'
import { encodeVariable as encodeValue } from '@tsbpf/object'
import type { MapSpec, ObjectSpec, VariableSpec } from '@tsbpf/object'
import { errors } from './errors.ts'

/** Values of global variables by name. */
export type VariableValues = Readonly<Record<string, unknown>>

/** Initial values that a load gives instead of the object's own. */
export interface InitialValues {
  /** Constants: `const volatile` variables (`.rodata`). */
  readonly rodata?: VariableValues | undefined
  /** Variables that are no constants (`.data`, `.bss`). */
  readonly data?: VariableValues | undefined
}

/**
 * The bytes of each data section with the given values in place, by map name; copied only where something changes.
 * Throws LOADER_UNKNOWN_VARIABLE and LOADER_VARIABLE_VALUE.
 */
export function initialData(spec: ObjectSpec, values: InitialValues): ReadonlyMap<string, Uint8Array> {
  const contents = new Map<string, Uint8Array>()
  const put = (given: VariableValues | undefined, option: string, sections: readonly string[]): void => {
    if (given === undefined) return
    for (const [name, value] of Object.entries(given)) {
      const fits = ({ section }: VariableSpec): boolean => sections.includes(kindOf(spec, section) ?? '')
      const variable = spec.variables.find((one) => one.name === name && fits(one))
      if (variable === undefined) {
        const known = spec.variables.filter(fits).map((one) => one.name)
        throw errors.LOADER_UNKNOWN_VARIABLE({ name, known, where: `option ${option}: the object` })
      }
      putValue(spec, contents, variable, value)
    }
  }
  put(values.rodata, 'rodata', ['rodata'])
  put(values.data, 'data', ['data', 'bss', 'arena'])
  return contents
}

function kindOf(spec: ObjectSpec, section: string): string | undefined {
  const map = dataMap(spec.maps, section)
  return map?.arena === undefined ? map?.data?.section : 'arena'
}

/** The section of variables in an arena (LLVM's address space 1), which its map is not named after. */
const arenaSection = '.addr_space.1'

/** The map that has the variables of a section. */
export function dataMap(maps: readonly MapSpec[], section: string): MapSpec | undefined {
  return section === arenaSection
    ? maps.find((map) => map.arena !== undefined)
    : maps.find((map) => map.data !== undefined && map.name === section)
}

function putValue(
  spec: ObjectSpec,
  contents: Map<string, Uint8Array>,
  variable: VariableSpec,
  value: unknown,
): void {
  const { name, section, offset, size } = variable
  const map = dataMap(spec.maps, section)
  const key = map?.name ?? section
  const bytes = contents.get(key) ?? copyOf(map?.arena ?? map?.data?.bytes)
  if (bytes === undefined || offset + size > bytes.length) {
    throw errors.LOADER_VARIABLE_VALUE({ name, expected: `it does not lie inside ${section}` })
  }
  encodeVariable(spec, variable, value, bytes)
  contents.set(key, bytes)
}

/** A copy, also of a Node.js `Buffer`, whose own `slice` aliases. */
function copyOf(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : new Uint8Array(bytes)
}

/** Writes a variable's value into the bytes of its section. Throws LOADER_VARIABLE_VALUE. */
export function encodeVariable(
  spec: ObjectSpec,
  variable: VariableSpec,
  value: unknown,
  bytes: Uint8Array,
): void {
  try {
    bytes.set(encodeValue(spec, variable, value), variable.offset)
  } catch (cause) {
    if (!isTsbpfError(cause, 'OBJECT_VARIABLE_VALUE')) throw cause
    const { name, expected } = cause.context as { readonly name: string; readonly expected: string }
    throw errors.LOADER_VARIABLE_VALUE({ name, expected }, { cause })
  }
}
