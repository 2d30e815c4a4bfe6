import type { Btf, BtfType, BtfTypeOf } from '../btf-type.ts'
import { errors } from '../errors.ts'
import { formatType } from '../format-type.ts'
import { limits } from '../limits.ts'
import { resolveRoot } from './roots.ts'
import type { BtfRoot } from './roots.ts'
import { tsNames, tsProperty, tsString } from './ts-names.ts'

/**
 * TypeScript declarations of the values that `codec(btf, root).decode` gives, one for each root and each struct, union
 * and enum that its values hold, in chunks of one declaration.
 *
 * 64-bit and wider ints and pointers are `bigint`, arrays of `char` are `string`, those of `unsigned char` `Uint8Array`,
 * enums are a union of their names and `number` (or `bigint`) for any other value, and members of anonymous members
 * are the outer one's own. Pointers end the description: what they point to is not part of the value. Names that
 * TypeScript keeps for itself get an underscore, and of several types of one name the second is `name___2`.
 *
 * Throws `BTF_NO_TYPE` for a root that is not found, `BTF_NO_SIZE` for one that has no values, `BTF_CYCLE` for anonymous
 * types within themselves, and `BTF_PRINT` when the text grows beyond 64 times the BTF (or 4 MiB, whichever is more).
 *
 * @example
 * ```ts
 * import { joinChunks, parseBtf, printTypeScript } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * console.log(joinChunks(printTypeScript(kernel, ['struct list_head'])))
 * // export interface list_head { next: bigint; prev: bigint }, over several lines
 * ```
 */
export function* printTypeScript(btf: Btf, roots: readonly BtfRoot[]): Generator<string, void, undefined> {
  const printer = declarations(btf)
  for (const root of roots) printer.want(resolveRoot(btf, root))
  for (let text = printer.next(); text !== undefined; text = printer.next()) yield text
}

interface Declarations {
  /** Puts the declaration of a type on the list. */
  want(id: number): void
  /** The next declaration on the list. */
  next(): string | undefined
}

function declarations(btf: Btf): Declarations {
  const unique = tsNames()
  /** By id: the name of a type that has a declaration. */
  const names = new Map<number, string>()
  /** Types and the names of their declarations. */
  const list: { readonly type: BtfType; readonly name: string }[] = []
  let at = 0
  const budget = Math.max(limits.printedLeast, btf.bytes.length * limits.printedTimes)
  let left = budget

  const spend = (text: string): string => {
    left -= text.length
    if (left < 0) {
      throw errors.BTF_PRINT({ file: 'BTF', what: `its text would be more than ${budget} characters` })
    }
    return text
  }

  const declared = (type: BtfType, name: string): string => {
    const before = names.get(type.id)
    if (before !== undefined) return before
    const made = unique(name)
    names.set(type.id, made)
    list.push({ type, name: made })
    return made
  }

  /** The type of a value; `indent` is that of the line it stands on. */
  const valueOf = (id: number, indent: string, depth: number): string => {
    if (depth > limits.declaredDepth) throw errors.BTF_CYCLE({ file: 'BTF', id, type: formatType(btf, id) })
    const type = unwrap(id)
    switch (type.kind) {
      case 'int':
        return type.bool ? 'boolean' : type.size > 4 ? 'bigint' : 'number'
      case 'float':
        return type.size === 4 || type.size === 8 ? 'number' : 'Uint8Array'
      case 'ptr':
        return 'bigint'
      case 'enum':
      case 'enum64':
        return type.name === '' ? enumText(type, undefined) : declared(type, type.name)
      case 'array': {
        const element = btf.resolve(type.type)
        if (element.kind === 'int' && element.size === 1 && !element.bool) {
          if (element.char || element.name === 'char') return 'string'
          if (!element.signed) return 'Uint8Array'
        }
        const text = valueOf(type.type, indent, depth + 1)
        return spend(text.includes(' ') ? `(${text})[]` : `${text}[]`)
      }
      case 'typedef':
        return declared(btf.resolve(type.type), type.name)
      case 'struct':
      case 'union':
        return type.name === '' ? bodyOf(type, indent, depth) : declared(type, type.name)
      case 'var':
        return valueOf(type.type, indent, depth + 1)
      case 'datasec':
        return declared(type, type.name)
      default:
        throw errors.BTF_NO_SIZE({ file: 'BTF', id, type: formatType(btf, id) })
    }
  }

  /** Steps through qualifiers and typedefs, but not the last typedef of a type that has no other name. */
  const unwrap = (id: number): BtfType => {
    const end = btf.resolve(id)
    const named =
      end.kind === 'struct' || end.kind === 'union' || end.kind === 'enum' || end.kind === 'enum64'
    if (!named || end.name !== '') return end
    let last: BtfType = end
    for (let type = btf.type(id); type.id !== end.id;) {
      if (type.kind === 'typedef') last = type
      if (!('type' in type)) break
      type = btf.type(type.type)
    }
    return last
  }

  const enumText = (type: BtfTypeOf<'enum' | 'enum64'>, indent: string | undefined): string => {
    const values = [...new Set(type.values.map(({ name }) => name))].map((name) => tsString(name))
    values.push(type.size > 4 ? 'bigint' : 'number')
    if (indent === undefined || values.length < 4) return spend(values.join(' | '))
    return spend(values.map((value) => `\n${indent}  | ${value}`).join(''))
  }

  const bodyOf = (type: BtfTypeOf<'struct' | 'union' | 'datasec'>, indent: string, depth: number): string => {
    const fields = new Map<string, string>()
    addFields(type, fields, `${indent}  `, depth + 1)
    let text = '{\n'
    for (const [name, value] of fields) text += `${indent}  ${tsProperty(name)}: ${value}\n`
    return spend(`${text}${indent}}`)
  }

  /** A later member of a name, which C does not allow, is the one whose value is there in the end. */
  const addFields = (
    type: BtfTypeOf<'struct' | 'union' | 'datasec'>,
    fields: Map<string, string>,
    indent: string,
    depth: number,
  ): void => {
    if (depth > limits.declaredDepth) {
      throw errors.BTF_CYCLE({ file: 'BTF', id: type.id, type: formatType(btf, type.id) })
    }
    if (type.kind === 'datasec') {
      for (const row of type.vars) fields.set(btf.nameOf(row.type), valueOf(row.type, indent, depth))
      return
    }
    for (const member of type.members) {
      if (member.name !== '') {
        fields.set(member.name, valueOf(member.type, indent, depth))
        continue
      }
      const inner = btf.resolve(member.type)
      if (inner.kind === 'struct' || inner.kind === 'union') addFields(inner, fields, indent, depth + 1)
      // Fields of unions of unions can be made without end out of few types.
      spend(' ')
    }
  }

  /** The C name and size, for the comment above a declaration. */
  const comment = (type: BtfType): string => {
    const size = 'size' in type ? `, ${type.size} ${type.size === 1 ? 'byte' : 'bytes'}` : ''
    return `/** ${formatType(btf, type.id)}${size}. */`.replaceAll('*/', '* /').replace(/\* \/$/, '*/')
  }

  const declaration = (type: BtfType, name: string): string => {
    switch (type.kind) {
      case 'struct':
      case 'union':
      case 'datasec':
        return `${comment(type)}\nexport interface ${name} ${bodyOf(type, '', 0)}\n`
      case 'enum':
      case 'enum64': {
        const text = enumText(type, '')
        return `${comment(type)}\nexport type ${name} =${text.startsWith('\n') ? '' : ' '}${text}\n`
      }
      default:
        return `export type ${name} = ${valueOf(type.id, '', 0)}\n`
    }
  }

  return {
    want(id) {
      const type = btf.type(id)
      const own = 'name' in type && type.name !== '' ? type.name : `type_${id}`
      const end = type.kind === 'typedef' ? btf.resolve(id) : type
      switch (end.kind) {
        case 'struct':
        case 'union':
        case 'enum':
        case 'enum64':
        case 'datasec':
          declared(type === end || end.name === '' ? end : type, own)
          break
        default:
          declared(type, own)
      }
    },
    next() {
      const item = list[at++]
      if (item === undefined) return undefined
      const text = declaration(item.type, item.name)
      return spend(at === 1 ? text : `\n${text}`)
    },
  }
}
