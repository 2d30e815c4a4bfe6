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
  /** `struct name` or `union name`; `struct ` for one without a name. */
  tag(id: number): void
  /** The name of a struct, union, enum or forward declaration, where it has one. */
  tagName(id: number): void
  typedefName(id: number): void
  enumerator(offset: number): void
  /** What stands at the end of a declaration, by itself: void, or a type with a name. Throws `BTF_LAYOUT` for others. */
  alone(kind: number, id: number): void
}

export function cSpeller(flat: CTypes, pen: Pen, names: CNames): CSpeller {
  const { words, starts, kinds } = flat

  /** What tells the second of a name apart, and any after it. */
  const suffix = (count: number): void => {
    if (count < 2) return
    pen.text('___')
    pen.number(count)
  }

  const tagName = (id: number): void => {
    const offset = words[starts[id] ?? 0] ?? 0
    if (offset === 0) return
    const known = names.known(id)
    pen.name(offset)
    suffix(known === 0 ? names.tag(id) : known)
  }

  const typedefName = (id: number): void => {
    const offset = words[starts[id] ?? 0] ?? 0
    const known = names.known(id)
    pen.name(offset)
    suffix(known === 0 ? names.typedef(id) : known)
  }

  const tag = (id: number): void => {
    const kind = kinds[id]
    const union =
      kind === kindUnion || (kind === kindFwd && kindFlagOfInfo(words[(starts[id] ?? 0) + 1] ?? 0))
    pen.text(union ? 'union ' : 'struct ')
    tagName(id)
  }

  const alone = (kind: number, id: number): void => {
    const offset = words[starts[id] ?? 0] ?? 0
    switch (kind) {
      case 0:
        pen.text('void')
        break
      case kindInt:
      case kindFloat:
        pen.name(offset)
        break
      case kindTypedef:
        typedefName(id)
        break
      case kindEnum:
      case kindEnum64:
        pen.text('enum ')
        tagName(id)
        break
      case kindStruct:
      case kindUnion:
      case kindFwd:
        tag(id)
        break
      default: {
        const type = formatType(flat.btf, id)
        throw errors.BTF_LAYOUT({
          file: 'BTF',
          id,
          type,
          expected: 'a type that C can declare',
          actual: type,
        })
      }
    }
  }

  const enumerator = (offset: number): void => {
    pen.name(offset)
    suffix(names.enumerator(offset))
  }

  return { tag, tagName, typedefName, enumerator, alone }
}
