import type { TypeId } from '@tsbpf/base'
import type { Btf, BtfType } from './btf-type.ts'
import { limits } from './limits.ts'

/** What is printed in place of what does not fit. */
const elided = '/* ... */'

/** Types that may still be named in this spelling. */
interface Budget {
  left: number
}

/**
 * C spelling of a type: `struct task_struct *`, `const char *const`, `int (*)(void *, ...)`, `char[16]`; of a function
 * or variable its declaration. For reports, not for a compiler: anonymous types are `struct <anon>`, as libbpf's log
 * has them, type tags are left out, and a spelling that would name more than 256 types is cut with a comment.
 *
 * Throws `BTF_TYPE_ID` for an id out of range.
 *
 * @example
 * ```ts
 * import { formatType, parseBtf } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const task = kernel.find('task_struct', 'struct')
 * if (task) for (const member of task.members) console.log(formatType(kernel, member.type), member.name)
 * ```
 */
export function formatType(btf: Btf, id: TypeId | number): string {
  return declare(btf, id, '', { left: limits.spelledTypes })
}

/** Two words with a space between them, but a word that is empty, or that an array's bounds follow, without. */
function join(left: string, right: string): string {
  return left === '' || right === '' || right.startsWith('[') ? left + right : `${left} ${right}`
}

/** The part of a spelling that stands alone: a keyword and a name. */
function baseOf(type: BtfType): string {
  switch (type.kind) {
    case 'struct':
    case 'union':
      return `${type.kind} ${type.name === '' ? '<anon>' : type.name}`
    case 'enum':
    case 'enum64':
      return `enum ${type.name === '' ? '<anon>' : type.name}`
    case 'fwd':
      return `${type.union ? 'union' : 'struct'} ${type.name}`
    case 'int':
    case 'float':
    case 'typedef':
      return type.name
    case 'datasec':
      return `datasec ${type.name}`
    case 'decl_tag':
      return `decl_tag("${type.name}")`
    default:
      return 'void'
  }
}

/** Spells from the inside out: what is behind a pointer, an array or a function goes around what is known already. */
function declare(btf: Btf, root: TypeId | number, name: string, budget: Budget): string {
  let declarator = name
  let qualifiers = ''
  let type = btf.type(root)
  for (; budget.left > 0; budget.left--) {
    switch (type.kind) {
      case 'const':
      case 'volatile':
      case 'restrict':
        qualifiers = join(qualifiers, type.kind)
        type = btf.type(type.type)
        break
      case 'type_tag':
        type = btf.type(type.type)
        break
      case 'ptr':
        declarator = `*${qualifiers === '' ? declarator : join(qualifiers, declarator)}`
        qualifiers = ''
        type = btf.type(type.type)
        break
      case 'array':
        declarator = `${group(declarator)}[${type.length === 0 ? '' : type.length}]`
        type = btf.type(type.type)
        break
      case 'func_proto': {
        const params: string[] = []
        for (const param of type.params) {
          if (budget.left-- <= 0) {
            params.push(elided)
            break
          }
          const varargs = param.type === 0 && param.name === ''
          params.push(varargs ? '...' : declare(btf, param.type, param.name, budget))
        }
        declarator = `${group(declarator)}(${params.length === 0 ? 'void' : params.join(', ')})`
        qualifiers = ''
        type = btf.type(type.returnType)
        break
      }
      case 'func':
      case 'var':
        declarator = join(type.name, declarator)
        type = btf.type(type.type)
        break
      default:
        return join(join(qualifiers, baseOf(type)), declarator)
    }
  }
  return join(elided, declarator)
}

function group(declarator: string): string {
  return declarator.startsWith('*') ? `(${declarator})` : declarator
}
