import { kindOfInfo, kinds, vlenOfInfo } from '../kinds.ts'
import type { BtfRuleBreak } from './type-rules.ts'
import { eachId } from './type-fields.ts'

/** Where a type is: ids may lead into a base. */
export interface TypePlace {
  readonly words: Uint32Array
  readonly start: number
}

const kindOf = (words: Uint32Array, start: number): string => kinds.format(kindOfInfo(words[start + 1] ?? 0))

/** Kinds that nothing but their own referrers may refer to (`btf_type_is_resolve_source_only` and functions). */
const targetless = new Set(['var', 'datasec', 'decl_tag', 'func'])

/** Kinds whose ids are of things with a size. */
const valued = new Set(['struct', 'union', 'array', 'func_proto', 'var'])

/**
 * The first rule of the kernel's that an id within a type breaks: functions have prototypes with named parameters, data
 * sections have variables, tags are on what can be tagged, and nothing else refers to those.
 */
export function brokenReference(
  words: Uint32Array,
  start: number,
  find: (id: number) => TypePlace,
): BtfRuleBreak | undefined {
  const kind = kindOf(words, start)
  let first: BtfRuleBreak | undefined
  const report = (path: string, expected: string, actual: string): void => {
    first ??= { path, expected, actual }
  }
  const kindAt = (word: number): string => {
    const id = words[word] ?? 0
    if (id === 0) return 'void'
    const target = find(id)
    return kindOf(target.words, target.start)
  }
  if (kind === 'func') {
    const found = kindAt(start + 2)
    if (found !== 'func_proto') report('type', 'a func_proto', found)
    else {
      const proto = find(words[start + 2] ?? 0)
      const count = vlenOfInfo(proto.words[proto.start + 1] ?? 0)
      for (let i = 0; i < count; i++) {
        const at = proto.start + 3 + i * 2
        if (proto.words[at] === 0 && proto.words[at + 1] !== 0)
          report('type', `a name for parameter ${i + 1}`, 'none')
      }
    }
    return first
  }
  if (kind === 'decl_tag') {
    const found = kindAt(start + 2)
    const component = words[start + 3] ?? 0
    if (!['struct', 'union', 'func', 'var', 'typedef'].includes(found)) {
      report('type', 'a struct, union, func, var or typedef', found)
    } else if (component !== 0xffff_ffff) {
      const target = find(words[start + 2] ?? 0)
      const counted = found === 'func' ? find(target.words[target.start + 2] ?? 0) : target
      const none = found === 'var' || found === 'typedef'
      const count = none ? 0 : vlenOfInfo(counted.words[counted.start + 1] ?? 0)
      if (component >= count) report('component', `-1 or an index below ${count}`, String(component))
    }
    return first
  }
  eachId(words, start, (word) => {
    const found = kindAt(word)
    const path = `word ${word - start}`
    if (kind === 'datasec') {
      // The section `.ksyms` of an object also lists functions; its loader takes them out.
      if (found !== 'var' && found !== 'func') report(path, 'a var', found)
    } else if (targetless.has(found)) {
      report(path, 'a type', `a ${found}`)
    } else if (found === 'func_proto' && valued.has(kind)) {
      report(path, 'a type with values, or a pointer to a function', found)
    }
  })
  return first
}
