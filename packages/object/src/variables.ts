import { isTsbpfError } from '@tsbpf/base'
import { codec } from '@tsbpf/btf'
import { errors } from './errors.ts'
import { names } from './object-file.ts'
import type { MapSpec, ObjectSpec, VariableSpec } from './object-spec.ts'

/** The bytes of the section that a variable lies in. */
function sectionBytes(map: MapSpec, section: string): Uint8Array | undefined {
  if (section === names.arena) return map.arena
  return map.data !== undefined && map.name === section ? map.data.bytes : undefined
}

function variableOf(spec: ObjectSpec, name: string): VariableSpec {
  const variable = spec.variables.find((one) => one.name === name)
  if (variable !== undefined) return variable
  throw errors.OBJECT_UNKNOWN_VARIABLE({ name, names: spec.variables.map((one) => one.name) })
}

function bytesOf(spec: ObjectSpec, { name, section, offset, size }: VariableSpec): Uint8Array {
  for (const map of spec.maps) {
    const bytes = sectionBytes(map, section)
    if (bytes !== undefined && offset <= bytes.length && size <= bytes.length - offset) return bytes
  }
  throw errors.OBJECT_VARIABLE_VALUE({ name, expected: `it does not lie inside ${section}` })
}

/**
 * The initial value of a global variable, typed by BTF as `codec` of `@tsbpf/btf` decodes it; a copy of its bytes
 * where the object has no BTF. Throws `OBJECT_UNKNOWN_VARIABLE` and `BTF_…`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseObject, readVariable } from '@tsbpf/object'
 * const spec = parseObject(await readFile('app.bpf.o'))
 * for (const { name } of spec.variables) console.log(name, readVariable(spec, name))
 * ```
 */
export function readVariable(spec: ObjectSpec, name: string): unknown {
  const variable = variableOf(spec, name)
  const { offset, size, type } = variable
  const bytes = bytesOf(spec, variable)
  if (spec.btf === undefined || type === undefined)
    return new Uint8Array(bytes.subarray(offset, offset + size))
  return codec(spec.btf, type).decode(bytes, offset)
}

/**
 * A spec in which global variables, constants included, have other initial values: what skeletons do between open and
 * load. `values` has them by name, of the types that `codec` of `@tsbpf/btf` encodes, or as bytes of the variable's
 * size. The spec given is not changed, and shares with the new one what does not differ; a section is copied once.
 *
 * Throws `OBJECT_UNKNOWN_VARIABLE` and `OBJECT_VARIABLE_VALUE`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseObject, readVariable, setVariables } from '@tsbpf/object'
 * const spec = parseObject(await readFile('app.bpf.o'))
 * const first = spec.variables.find(({ type }) => type !== undefined)
 * if (first !== undefined) console.log(setVariables(spec, { [first.name]: readVariable(spec, first.name) }).maps)
 * ```
 */
export function setVariables(spec: ObjectSpec, values: Readonly<Record<string, unknown>>): ObjectSpec {
  const changed = new Map<string, Uint8Array>()
  for (const [name, value] of Object.entries(values)) {
    const variable = variableOf(spec, name)
    let bytes = changed.get(variable.section)
    if (bytes === undefined) {
      // Not slice(): of a Node Buffer that is a view.
      bytes = new Uint8Array(bytesOf(spec, variable))
      changed.set(variable.section, bytes)
    }
    bytes.set(encodeVariable(spec, variable, value), variable.offset)
  }
  const maps = spec.maps.map((map): MapSpec => {
    const { data, arena } = map
    const bytes = changed.get(arena === undefined ? map.name : names.arena)
    if (bytes === undefined) return map
    if (arena !== undefined) return { ...map, arena: bytes }
    return data === undefined ? map : { ...map, data: { section: data.section, bytes } }
  })
  return { ...spec, maps }
}

/**
 * The bytes of a variable for a value: its BTF's encoding, or the bytes themselves. Throws `OBJECT_VARIABLE_VALUE`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { encodeVariable, parseObject, readVariable } from '@tsbpf/object'
 * const spec = parseObject(await readFile('app.bpf.o'))
 * for (const variable of spec.variables) {
 *   console.log(encodeVariable(spec, variable, readVariable(spec, variable.name)).length === variable.size)
 * }
 * ```
 */
export function encodeVariable(spec: ObjectSpec, variable: VariableSpec, value: unknown): Uint8Array {
  const { name, size, type } = variable
  const { btf } = spec
  let encoded: Uint8Array
  if (value instanceof Uint8Array || btf === undefined || type === undefined) {
    if (!(value instanceof Uint8Array)) {
      throw errors.OBJECT_VARIABLE_VALUE({ name, expected: `expected a Uint8Array of ${size} bytes` })
    }
    encoded = value
  } else {
    try {
      encoded = codec(btf, type).encode(value)
    } catch (cause) {
      if (!isTsbpfError(cause)) throw cause
      throw errors.OBJECT_VARIABLE_VALUE({ name, expected: cause.message }, { cause })
    }
  }
  if (encoded.length === size) return encoded
  const expected = `the value has ${encoded.length} bytes, but the variable ${size}`
  throw errors.OBJECT_VARIABLE_VALUE({ name, expected })
}
