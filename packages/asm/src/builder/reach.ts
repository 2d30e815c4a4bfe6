import { builderErrors } from '../errors.ts'
import { placeOf } from './call-site.ts'
import type { Trace } from './call-site.ts'
import type { Global, Kfunc, MapDefinition, Program, Subprogram } from './definitions.ts'
import type { FunctionCode, Reference } from './function-code.ts'
import { recordFunction } from './record-function.ts'

/** Definitions to start from. */
export interface Roots {
  readonly programs: readonly Program[]
  readonly maps?: readonly MapDefinition[]
  readonly globals?: readonly Global[]
}

/** Everything that an object is made of, each once: what was given first, then what that refers to. */
export interface Reached {
  readonly programs: readonly FunctionCode[]
  readonly subprograms: readonly FunctionCode[]
  readonly maps: readonly MapDefinition[]
  readonly globals: readonly Global[]
  readonly kfuncs: readonly Kfunc[]
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Follows references from the roots. Names are symbols of one object: each stands for one thing. */
export function reach(roots: Roots): Reached {
  const names = new Map<string, Trace>()
  const seen = new Set<object>()
  const found = {
    programs: [] as FunctionCode[],
    subprograms: [] as FunctionCode[],
    maps: [] as MapDefinition[],
    globals: [] as Global[],
    kfuncs: [] as Kfunc[],
  }
  const isNew = (one: Program | Subprogram | MapDefinition | Global | Kfunc): boolean => {
    if (seen.has(one)) return false
    seen.add(one)
    const { name, kind: what, trace } = one
    const place = placeOf(trace)
    if (!identifier.test(name)) {
      const actual = JSON.stringify(name)
      throw builderErrors.ASM_DEFINITION({
        place,
        what,
        name,
        expected: 'a C identifier as its name',
        actual,
      })
    }
    const first = names.get(name)
    if (first !== undefined) throw builderErrors.ASM_DUPLICATE({ place, what, name, first: placeOf(first) })
    names.set(name, trace)
    return true
  }
  const addMap = (map: MapDefinition): void => {
    if (!isNew(map)) return
    const { values = [] } = map.options
    // libbpf fills a map of maps when it creates it, in file order: its entries stand before it.
    for (const value of values) if (value?.kind === 'map') addMap(value)
    found.maps.push(map)
    for (const value of values) if (value?.kind === 'program') addProgram(value)
  }
  const follow = ({ items }: FunctionCode): void => {
    for (const item of items) if (item.kind === 'insn' && item.reference !== undefined) add(item.reference)
  }
  const add = (one: Reference): void => {
    if (one.kind === 'map') addMap(one)
    else if (one.kind === 'place') addGlobal(one.global)
    else if (!isNew(one)) return
    else if (one.kind === 'kfunc') found.kfuncs.push(one)
    else {
      const code = recordFunction(one)
      found.subprograms.push(code)
      follow(code)
    }
  }
  const addGlobal = (one: Global): void => {
    if (isNew(one)) found.globals.push(one)
  }
  const addProgram = (one: Program): void => {
    if (!isNew(one)) return
    const code = recordFunction(one)
    found.programs.push(code)
    follow(code)
  }
  roots.maps?.forEach(addMap)
  roots.globals?.forEach(addGlobal)
  roots.programs.forEach(addProgram)
  return found
}
