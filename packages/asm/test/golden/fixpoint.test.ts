import { isTsbpfError } from '@tsbpf/base'
import { dialects } from '@tsbpf/isa'
import { encodeObject, parseObject } from '@tsbpf/object'
import { corpusDir } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { assemble, assembleObject, formatAssembly } from '../../src/index.ts'
import { objects, plain } from '../clang-objects.ts'
import type { NamedObject } from '../clang-objects.ts'

/** A text says what `encodeObject` writes: what that refuses or changes is not its subject. */
function encodable({ name, spec }: NamedObject): boolean {
  try {
    const again = parseObject(encodeObject(spec), { name })
    return JSON.stringify(plain(again)) === JSON.stringify(plain(spec))
  } catch (error) {
    if (isTsbpfError(error)) return false
    throw error
  }
}

/** Legacy maps, and what GCC and linkers write. */
const notWritten = /^(gcc|legacy|invalid_map_static|linked|manyprogs|subprog_reloc)/
/** What a text cannot say: the tables of computed jumps. */
const notSaid = /^jump-table/

const found = objects().filter(({ name }) => !notSaid.test(name))
const all = found.filter(encodable)

describe('what is written of an object is read as the same object', () => {
  it('has objects', () => expect(all.length).toBeGreaterThan(corpusDir() === undefined ? 20 : 60))

  it('are all but those that encodeObject does not write as they were', () => {
    const refused = found.filter((object) => !all.includes(object)).map(({ name }) => name)
    expect(refused.filter((name) => !notWritten.test(name))).toEqual([])
  })

  it.each(dialects)('in the dialect %s', (dialect) => {
    // All in the dialect that people use; of the others, each takes its share.
    const share = dialect === 'llvm' ? all : all.filter((_, i) => i % 3 === dialects.indexOf(dialect) % 3)
    for (const { name, spec } of share) {
      const { byteOrder } = spec
      const text = [...formatAssembly(spec, { dialect, source: 'between' })].join('\n')
      const again = assemble(text, { dialect, byteOrder, name })
      expect(plain(again), name).toEqual(plain(spec))
    }
  })

  it('and written again it is the same text', () => {
    for (const { name, spec } of all.slice(0, 12)) {
      const lines = [...formatAssembly(spec)]
      const again = assemble(lines.join('\n'), { byteOrder: spec.byteOrder, name })
      expect([...formatAssembly(again)], name).toEqual(lines)
      expect(encodeObject(again), name).toEqual(encodeObject(spec))
    }
  })

  it('the same text gives the same bytes', () => {
    const { spec } = all[0]!
    const text = [...formatAssembly(spec)].join('\n')
    expect(assembleObject(text, { byteOrder: spec.byteOrder })).toEqual(
      assembleObject(text, { byteOrder: spec.byteOrder }),
    )
  })
})
