import { bySection } from '../encode/code-sections.ts'
import { errors } from '../errors.ts'
import type { FunctionSpec, MapSpec, ObjectSpec } from '../object-spec.ts'

/** A section of code of the linked object: the functions of each object, and where they start. */
interface LinkedCode {
  readonly name: string
  readonly parts: readonly {
    readonly object: number
    /** Bytes from the start of the linked section. */
    readonly offset: number
    readonly functions: readonly FunctionSpec[]
  }[]
}

/** Where the sections of the objects come to stand in those of the linked one. */
export interface SectionLayout {
  readonly code: readonly LinkedCode[]
  /** The maps of data sections. */
  readonly data: readonly MapSpec[]
  /** Bytes from the start of the linked section at which an object's part starts. */
  offsetOf(object: number, section: string): number
  /** Bytes of a linked section of data or declarations. */
  sizeOf(section: string): number
}

const round = (value: number, align: number): number => Math.ceil(value / align) * align

/** Bytes of an object's section: of what the spec has no map for, as its BTF says. */
function otherSections(spec: ObjectSpec): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  const { btf } = spec
  const known = new Set(spec.maps.filter(({ data }) => data !== undefined).map(({ name }) => name))
  for (let id = btf?.firstId ?? 1; btf !== undefined && id < btf.endId; id++) {
    const type = btf.kind(id) === 'datasec' ? btf.type(id) : undefined
    if (type?.kind === 'datasec' && !known.has(type.name) && !sizes.has(type.name))
      sizes.set(type.name, type.size)
  }
  return sizes
}

/** Puts sections of one name one after the other, each at its alignment, as libbpf's linker does (`extend_sec`). */
export function layoutSections(specs: readonly ObjectSpec[], labels: readonly string[]): SectionLayout {
  const code = new Map<string, { end: number; parts: LinkedCode['parts'][number][] }>()
  const data = new Map<
    string,
    { map: MapSpec; object: number; parts: { at: number; map: MapSpec }[]; align: number; end: number }
  >()
  const others = new Map<string, number>()
  const offsets = specs.map(() => new Map<string, number>())
  specs.forEach((spec, object) => {
    for (const [name, functions] of bySection(spec)) {
      const section = code.get(name) ?? { end: 0, parts: [] }
      code.set(name, section)
      const offset = round(section.end, 8)
      section.parts.push({ object, offset, functions })
      section.end = functions.reduce(
        (end, fn) => Math.max(end, offset + fn.sectionOffset + fn.insns.length),
        offset,
      )
    }
    for (const map of spec.maps) {
      if (map.data === undefined || map.data.section === 'kconfig') continue
      const align = Math.max(1, map.data.align ?? 8)
      const section = data.get(map.name) ?? { map, object, parts: [], align: 1, end: 0 }
      data.set(map.name, section)
      if (section.map.data?.section !== map.data.section) {
        const what = `${map.name} is ${section.map.data?.section ?? ''} in one and ${map.data.section} in the other`
        const [first = '', second = ''] = [labels[section.object], labels[object]]
        throw errors.OBJECT_LINK_MISMATCH({ first, second, what })
      }
      section.align = Math.max(section.align, align)
      const at = round(section.end, section.align)
      section.parts.push({ at, map })
      section.end = at + map.valueSize
      offsets[object]?.set(map.name, at)
    }
    for (const [name, size] of otherSections(spec)) {
      const at = round(others.get(name) ?? 0, 8)
      offsets[object]?.set(name, at)
      others.set(name, at + size)
    }
  })
  return {
    code: [...code].map(([name, { parts }]) => ({ name, parts })),
    data: [...data.values()].map(({ map, parts, align, end }): MapSpec => {
      const section = map.data?.section ?? 'data'
      return {
        ...map,
        valueSize: end,
        data: {
          section,
          align,
          get bytes() {
            const bytes = new Uint8Array(end)
            if (section !== 'bss') for (const part of parts) bytes.set(part.map.data?.bytes ?? [], part.at)
            return bytes
          },
        },
      }
    }),
    offsetOf: (object, section) => offsets[object]?.get(section) ?? 0,
    sizeOf: (section) => data.get(section)?.end ?? others.get(section) ?? 0,
  }
}
