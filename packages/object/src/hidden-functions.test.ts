import { isTsbpfError } from '@tsbpf/base'
import type { TypeId } from '@tsbpf/base'
import { parseBtf, staticFunctions } from '@tsbpf/btf'
import { describe, expect, it } from 'vitest'
import { golden, goldenSpec } from '../test/goldens.ts'
import { linkSubprograms, loadableBtf, parseObject } from './index.ts'

describe.each(['el', 'eb'])('the BTF that is loaded, %s', (order) => {
  const spec = goldenSpec(`functions.clang-19.${order}.o`)
  const linkage = (btf = spec.btf!) => {
    const [id] = btf.idsByName('e', 'func')
    const type = btf.type(id!)
    return type.kind === 'func' ? type.linkage : type.kind
  }

  it('has hidden subprograms as static functions, and nothing else changed', () => {
    const loaded = loadableBtf(spec)!
    expect([linkage(), linkage(loaded)]).toEqual(['global', 'static'])
    const before = spec.btf!.bytes
    const changed = [...loaded.bytes].flatMap((byte, at) => (byte === before[at] ? [] : [[byte, before[at]]]))
    expect(changed).toEqual([[0, 1]])
  })

  it('is the same for the object as compiled, before and after', () => {
    const again = parseObject(golden(`functions.clang-19.${order}.o`))
    loadableBtf(again)
    expect(linkage(again.btf)).toBe('global')
  })

  it('is the BTF of the object itself where nothing is hidden, or there is none', () => {
    const plain = { ...spec, subprograms: spec.subprograms.filter(({ hidden }) => hidden !== true) }
    expect(loadableBtf(plain)).toBe(spec.btf)
    expect(loadableBtf({ ...spec, btf: undefined })).toBeUndefined()
  })

  it('leaves types alone that are no functions, or another BTF has', () => {
    const btf = parseBtf(spec.btf!.bytes)
    const int = btf.idsByName('int', 'int')[0] ?? (1 as TypeId)
    expect(staticFunctions(btf, [int, 0 as TypeId])).toBe(btf)
  })
})

describe('an exception callback', () => {
  const spec = goldenSpec('exceptions.clang-19.el.o')
  const link = (change: object) => {
    const subprograms = spec.subprograms.map((fn) => (fn.name === 'on_exception' ? { ...fn, ...change } : fn))
    return linkSubprograms(
      { ...spec, subprograms },
      spec.programs.find(({ name }) => name === 'guarded')!,
    )
  }

  it('must be a function that the verifier sees as global', () => {
    expect(link({}).functions.map(({ name }) => name)).toContain('on_exception')
    for (const [change, actual] of [
      [{ hidden: true }, 'a hidden function'],
      [{ binding: 'local' }, 'a static function'],
      [{ name: 'other' }, 'not in the object'],
    ] as const) {
      let error: unknown
      try {
        link(change)
      } catch (thrown) {
        error = thrown
      }
      expect(isTsbpfError(error, 'OBJECT_EXCEPTION_CALLBACK') && error.message).toMatch(actual)
    }
  })
})
