import { errors } from '../errors.ts'
import { formatType } from '../format-type.ts'
import { kindFlagOfInfo } from '../kinds.ts'
import type { CNames } from './c-names.ts'
import type { CTypes } from './c-types.ts'
import {
  kindEnum,
  kindEnum64,
  kindFloat,
  kindFwd,
  kindInt,
  kindStruct,
  kindTypedef,
  kindUnion,
} from './kind-numbers.ts'
import type { Pen } from './pen.ts'

/** Writes names of types as C spells them, each without conflicts. */
export interface CSpeller {
  /**
   * By kind: writes what stands at the end of a declaration by itself, void or a type with a name; `struct ` for a struct
   * without one. Throws `BTF_LAYOUT` for kinds that never stand there.
   */
  readonly alone: readonly ((id: number) => void)[]
  /** The name of a struct, union, enum, forward declaration or typedef, where it has one. */
  name(id: number): void
  enumerator(offset: number): void
}

export function cSpeller(flat: CTypes, pen: Pen, names: CNames): CSpeller {
  const { words, starts } = flat

  /** What tells the second of a name apart, and any after it. */
  const suffix = (count: number): void => {
    if (count < 2) return
    pen.text('___')
    pen.number(count)
  }

  const name = (id: number): void => {
    const offset = words[starts[id] ?? 0] ?? 0
    if (offset === 0) return
    pen.name(offset)
    suffix(names.type(id))
  }

  const plain = (id: number): void => {
    pen.name(words[starts[id] ?? 0] ?? 0)
  }
  const tag = (word: string) => (id: number) => {
    pen.text(word)
    name(id)
  }
  const alone = Array.from({ length: 128 }, () => (id: number): void => {
    const type = formatType(flat.btf, id)
    throw errors.BTF_LAYOUT({ file: 'BTF', id, type, expected: 'a type that C can declare', actual: type })
  })
  // A function for each kind, which the engine does not compile into each place that calls one.
  alone[0] = () => {
    pen.text('void')
  }
  alone[kindInt] = plain
  alone[kindFloat] = plain
  alone[kindTypedef] = name
  alone[kindEnum] = tag('enum ')
  alone[kindEnum64] = tag('enum ')
  alone[kindStruct] = tag('struct ')
  alone[kindUnion] = tag('union ')
  alone[kindFwd] = (id) => {
    pen.text(kindFlagOfInfo(words[(starts[id] ?? 0) + 1] ?? 0) ? 'union ' : 'struct ')
    name(id)
  }

  const enumerator = (offset: number): void => {
    pen.name(offset)
    suffix(names.enumerator(offset))
  }

  return { alone, name, enumerator }
}
