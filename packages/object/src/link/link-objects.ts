import type { TypeId } from '@tsbpf/base'
import { encodeObject } from '../encode/encode-object.ts'
import { errors } from '../errors.ts'
import type {
  ExternSpec,
  FunctionSpec,
  MapSpec,
  ObjectSpec,
  ProgramSpec,
  VariableSpec,
} from '../object-spec.ts'
import { parseObject } from '../parse-object.ts'
import { resolveGlobals } from './globals.ts'
import type { Global } from './globals.ts'
import { mergeTypes } from './merge-types.ts'
import { moveFunction } from './move-function.ts'
import type { Mover } from './move-function.ts'
import { layoutSections } from './section-layout.ts'
import type { SectionLayout } from './section-layout.ts'

/** Options of {@link linkObjects}. */
export interface LinkObjectsOptions {
  /** Name of the linked object's file: for the kernel's names of data sections, as in `parseObject`. */
  readonly name?: string
  /** Names of the given objects, for messages: `object 1` and so on unless given. */
  readonly labels?: readonly string[]
}

/** What all objects have to agree on. */
function common(
  specs: readonly ObjectSpec[],
  labels: readonly string[],
): Pick<ObjectSpec, 'byteOrder' | 'license' | 'kernelVersion'> {
  const agree = <T extends string | number>(
    what: string,
    valueOf: (spec: ObjectSpec) => T | undefined,
  ): T | undefined => {
    let first: { value: T; label: string } | undefined
    specs.forEach((spec, object) => {
      const value = valueOf(spec)
      const label = labels[object] ?? ''
      if (value === undefined) return
      first ??= { value, label }
      if (value === first.value) return
      const difference = `${what} ${first.value} and ${value}`
      throw errors.OBJECT_LINK_MISMATCH({ first: first.label, second: label, what: difference })
    })
    return first?.value
  }
  return {
    byteOrder: agree('byte order', (spec) => spec.byteOrder) ?? 'little',
    license: agree('licence', (spec) => (spec.license === '' ? undefined : spec.license)) ?? '',
    kernelVersion: agree('version', (spec) => spec.kernelVersion),
  }
}

/** True where nothing of that name, or this object's, is what the name stands for. */
function counts(globals: ReadonlyMap<string, Global>, object: number, name: string): boolean {
  const definition = globals.get(name)?.definition
  return definition === undefined || definition.object === object
}

/**
 * New names of static functions, by object: one that shares its name with another gets a number, in the order in which
 * a reader of the linked object finds them.
 */
function rename(
  specs: readonly ObjectSpec[],
  globals: ReadonlyMap<string, Global>,
  layout: SectionLayout,
): readonly ReadonlyMap<string, string>[] {
  const renamed = specs.map(() => new Map<string, string>())
  const taken = new Set<string>()
  for (const [name, { definition }] of globals) if (definition?.kind === 'function') taken.add(name)
  const numbers = new Map<string, number>()
  for (const { parts } of layout.code) {
    for (const { object, functions } of parts) {
      for (const { name, binding } of functions) {
        if (binding !== 'local') continue
        let number = numbers.get(name) ?? 0
        let free = name
        while (taken.has(free)) free = `${name}.${++number}`
        numbers.set(name, number)
        taken.add(free)
        if (free !== name) renamed[object]?.set(name, free)
      }
    }
  }
  return renamed
}

function moveMap(map: MapSpec, type: (id: TypeId) => TypeId): MapSpec {
  const { keyType, valueType, inner } = map
  return {
    ...map,
    keyType: keyType === undefined ? undefined : type(keyType),
    valueType: valueType === undefined ? undefined : type(valueType),
    inner: inner === undefined ? undefined : moveMap(inner, type),
  }
}

/**
 * Links objects statically into one, as `bpftool gen object` does (tools/lib/bpf/linker.c): sections of one name follow
 * each other, externs are bound to the functions, variables and maps that others define, of weak definitions one counts,
 * BTF is merged and deduplicated, function, line and CO-RE information follows. Parse the objects with `partial: true`.
 *
 * Static functions that share a name stay apart. A name is hidden or strong where one definition says so (declarations
 * say nothing about definitions, so that linking in steps gives the same); types and maps of one name have to be equal.
 * Externs that no object defines stay: the result can be linked again.
 * Where libbpf's linker leaves the code of functions that lost, so does this, without a name.
 *
 * Pure; the same specs give the same result, in the order given. Throws `OBJECT_LINK_CONFLICT`, `OBJECT_LINK_TYPE`,
 * `OBJECT_LINK_MISMATCH`, and what `encodeObject` throws for specs that cannot be written.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { encodeObject, linkObjects, parseObject } from '@tsbpf/object'
 * const files = ['main.bpf.o', 'lib.bpf.o']
 * const specs = await Promise.all(
 *   files.map(async (name) => parseObject(await readFile(name), { name, partial: true })),
 * )
 * const bytes = encodeObject(linkObjects(specs, { labels: files }))
 * ```
 */
export function linkObjects(specs: readonly ObjectSpec[], options: LinkObjectsOptions = {}): ObjectSpec {
  const labels = specs.map((_, index) => options.labels?.[index] ?? `object ${index + 1}`)
  const head = common(specs, labels)
  const globals = resolveGlobals(specs, labels)
  const layout = layoutSections(specs, labels)
  const merged = mergeTypes(specs, globals, layout, head.byteOrder)
  const renamed = rename(specs, globals, layout)
  const movers = specs.map((spec, object): Mover => {
    const type = (id: TypeId): TypeId => merged?.type(object, id) ?? id
    return { object, spec, globals, layout, renamed: renamed[object] ?? new Map(), type }
  })

  const programs: ProgramSpec[] = []
  const subprograms: FunctionSpec[] = []
  for (const { parts } of layout.code) {
    for (const { object, offset, functions } of parts) {
      const mover = movers[object]
      const entries = new Set<FunctionSpec>(specs[object]?.programs)
      for (const fn of functions) {
        if (mover === undefined || (fn.binding !== 'local' && !counts(globals, object, fn.name))) continue
        const made = moveFunction(mover, fn, offset + fn.sectionOffset)
        if (entries.has(fn)) programs.push(made as ProgramSpec)
        else subprograms.push(made)
      }
    }
  }

  const maps: MapSpec[] = []
  const variables: VariableSpec[] = []
  const hiddenVariables: VariableSpec[] = []
  const externs: ExternSpec[] = []
  for (const { spec, object, type } of movers) {
    for (const map of spec.maps) {
      if (map.data !== undefined || !counts(globals, object, map.name)) continue
      const weak = globals.get(map.name)?.weak === true
      maps.push({ ...moveMap(map, type), weak })
    }
    for (const variable of [...spec.variables, ...(spec.hiddenVariables ?? [])]) {
      const global = globals.get(variable.name)
      if (!counts(globals, object, variable.name)) continue
      const into = global?.hidden === true ? hiddenVariables : variables
      into.push({
        ...variable,
        offset: layout.offsetOf(object, variable.section) + variable.offset,
        type: variable.type === undefined ? undefined : type(variable.type),
        weak: global?.weak === true,
      })
    }
  }
  for (const { definition, extern, weak } of globals.values()) {
    if (definition !== undefined || extern === undefined) continue
    const id = extern.spec.type
    const type = id === undefined ? undefined : (movers[extern.object]?.type(id) ?? id)
    externs.push({ ...extern.spec, weak, type })
  }
  const linked: ObjectSpec = {
    ...head,
    programs,
    subprograms,
    maps: [...maps, ...layout.data],
    variables,
    ...(hiddenVariables.length === 0 ? {} : { hiddenVariables }),
    externs,
    btf: merged?.btf,
  }
  // What a reader makes of it is the spec: immediates, places of kconfig values and kernel names are then as they are.
  const name = options.name === undefined ? {} : { name: options.name }
  return parseObject(encodeObject(linked), { ...name, partial: true })
}
