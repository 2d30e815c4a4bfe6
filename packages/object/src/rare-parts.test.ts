import { describe, expect, it } from 'vitest'
import { golden, goldenSpec } from '../test/goldens.ts'
import { declTags, linkSubprograms, parseObject, readVariable, setVariables } from './index.ts'
import type { MapSpec, ObjectSpec } from './index.ts'

const orders = ['clang-19.el', 'clang-19.eb'] as const
const mapOf = (spec: ObjectSpec, name: string): MapSpec => {
  const map = spec.maps.find((one) => one.name === name)
  if (map === undefined) throw new RangeError(name)
  return map
}
const refsOf = (spec: ObjectSpec, name: string) =>
  [...spec.programs, ...spec.subprograms].find((fn) => fn.name === name)?.relocations.map(({ ref }) => ref)

describe.each([...orders, 'clang-14.el', 'nobtf.el'] as const)('maps of before BTF of %s', (order) => {
  const spec = goldenSpec(`legacy.${order}.o`)

  it('are specs like others, in the order of the section', () => {
    expect(spec.maps.slice(0, 2)).toMatchObject([
      { name: 'counts', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 16, flags: 0, pinning: 'none' },
      { name: 'flagged', type: 'array', keySize: 4, valueSize: 16, maxEntries: 3, flags: 0x400 },
    ])
  })

  it('are referred to by name', () => {
    expect(refsOf(spec, 'use')).toEqual([
      { kind: 'map', name: 'counts' },
      { kind: 'map', name: 'flagged' },
    ])
  })

  it('have the types of the annotation, where BTF has it', () => {
    const { keyType, valueType } = mapOf(spec, 'counts')
    const sizes = [keyType, valueType].map((type) => (type === undefined ? 0 : spec.btf?.sizeOf(type)))
    expect(sizes).toEqual(order === 'nobtf.el' ? [0, 0] : [4, 8])
    expect(mapOf(spec, 'flagged').valueType).toBeUndefined()
  })
})

describe.each([...orders, 'clang-14.el'] as const)('struct_ops of %s', (order) => {
  const spec = goldenSpec(`struct-ops.${order}.o`)

  it('name the programs of their members', () => {
    const init = { member: 'init', index: 0, program: 'on_init' }
    const release = { member: 'release', index: 1, program: 'on_release' }
    expect(mapOf(spec, 'plain').structOps).toMatchObject({ autocreate: true, programs: [init] })
    expect(mapOf(spec, 'linked').structOps?.programs).toEqual([init, release])
    expect(mapOf(spec, 'on_request').structOps).toMatchObject({ autocreate: false, programs: [release] })
  })

  it('have their initial bytes and their type', () => {
    const { structOps, valueType, valueSize } = mapOf(spec, 'on_request')
    const flags = spec.byteOrder === 'big' ? [1, 2, 3, 4] : [4, 3, 2, 1]
    expect([...(structOps?.bytes ?? [])]).toEqual([...Array<number>(16).fill(0), ...flags, 0, 0, 0, 0])
    expect(structOps?.bytes.length).toBe(valueSize)
    expect(valueType === undefined ? '' : spec.btf?.nameOf(valueType)).toBe('ops')
  })
})

describe.each(orders)('an arena of %s', (order) => {
  const spec = goldenSpec(`arena.${order}.o`)

  it('has the bytes of its variables, which programs refer to by offset', () => {
    expect(mapOf(spec, 'memory').arena?.length).toBe(20)
    expect(refsOf(spec, 'use')).toContainEqual({ kind: 'data', map: 'memory', offset: 0 })
  })

  it('lets its variables be read and set', () => {
    expect(readVariable(spec, 'first')).toBe(0x1122334455667788n)
    const changed = setVariables(spec, { second: [7, 8, 9] })
    expect(readVariable(changed, 'second')).toEqual([7, 8, 9])
    expect(readVariable(changed, 'first')).toBe(0x1122334455667788n)
    expect(readVariable(spec, 'second')).toEqual([1, 2, 3])
  })
})

describe.each(['el', 'eb'])('jump tables of clang-22.%s', (order) => {
  const spec = goldenSpec(`jump-table.clang-22.${order}.o`)
  const table = (name: string) => refsOf(spec, name)?.find((ref) => ref.kind === 'jump_table')

  it('are slots of the function that jumps by them', () => {
    for (const name of ['choose', 'jumps']) {
      const fn = [...spec.programs, ...spec.subprograms].find((one) => one.name === name)
      const found = table(name)
      expect(found?.targets.length, name).toBe(8)
      for (const slot of found?.targets ?? []) expect(slot * 8, name).toBeLessThan(fn?.insns.length ?? 0)
      // Each case is another instruction.
      expect(new Set(found?.targets).size).toBe(8)
    }
  })

  it('move with their function when it is linked', () => {
    const [before] = spec.programs
    if (before === undefined) throw new RangeError('before')
    const { relocations, functions } = linkSubprograms(spec, before)
    const start = functions.find(({ name }) => name === 'choose')?.startSlot ?? 0
    expect(start).toBeGreaterThan(0)
    const moved = relocations.find(({ ref }) => ref.kind === 'jump_table')?.ref
    const alone = table('choose')
    expect(moved?.kind === 'jump_table' ? moved.targets : []).toEqual(
      alone?.targets.map((slot) => slot + start),
    )
  })
})

it('jump tables are the same in both byte orders', () => {
  const [little, big] = ['el', 'eb'].map((order) => goldenSpec(`jump-table.clang-22.${order}.o`))
  for (const name of ['choose', 'jumps']) expect(refsOf(little!, name)).toEqual(refsOf(big!, name))
})

describe.each([...orders, 'clang-14.el'] as const)('declaration tags of %s', (order) => {
  const { btf, subprograms } = goldenSpec(`tags.${order}.o`)
  if (btf === undefined) throw new RangeError('BTF')

  it('of arguments, variables and members are there', () => {
    const fn = subprograms.find(({ name }) => name === 'with_context')?.btfFunc
    expect(fn === undefined ? [] : declTags(btf, fn)).toEqual(
      expect.arrayContaining([
        { tag: 'arg:ctx', component: 0 },
        { tag: 'arg:nonnull', component: 1 },
        { tag: 'second', component: 1 },
      ]),
    )
    const variable = btf.find('where', 'var')
    const struct = btf.find('point', 'struct')
    expect(variable && declTags(btf, variable.id)).toEqual([{ tag: 'of a variable', component: -1 }])
    expect(struct && declTags(btf, struct.id)).toEqual([{ tag: 'member:y', component: 1 }])
  })

  it('of something without tags are none', () => {
    const int = btf.find('unsigned int', 'int')
    expect(int && declTags(btf, int.id)).toEqual([])
  })
})

describe.each([...orders, 'nobtf.el'] as const)('variables of %s', (order) => {
  const spec = goldenSpec(`data.${order}.o`)

  it.runIf(order !== 'nobtf.el')('are read and set by their types', () => {
    expect(readVariable(spec, 'settings')).toEqual({ level: 1, limit: 1n << 40n, name: 'golden' })
    expect(readVariable(spec, 'hits')).toBe(0)
    const changed = setVariables(spec, {
      chosen: 9,
      settings: { level: 2, limit: 3n, name: 'new' },
      hits: 5,
      apart_data: [4, 3, 2, 1],
    })
    const values = ['chosen', 'settings', 'hits', 'apart_data', 'apart'].map((name) =>
      readVariable(changed, name),
    )
    expect(values).toEqual([9, { level: 2, limit: 3n, name: 'new' }, 5, [4, 3, 2, 1], 0x1122334455667788n])
    // What was given is as it was, and what does not differ is shared.
    expect(readVariable(spec, 'chosen')).toBe(7)
    expect(mapOf(changed, '.rodata.apart')).toBe(mapOf(spec, '.rodata.apart'))
    expect(changed.programs).toBe(spec.programs)
  })

  it('take bytes of their size', () => {
    const bytes = new Uint8Array([1, 2, 3, 4])
    const changed = setVariables(spec, { chosen: bytes })
    const at = spec.variables.find(({ name }) => name === 'chosen')?.offset ?? 0
    expect(mapOf(changed, '.rodata').data?.bytes.subarray(at, at + 4)).toEqual(bytes)
  })

  it('do not write to the bytes of the object, a Buffer either', () => {
    const bytes = golden(`data.${order}.o`)
    const copy = bytes.slice()
    setVariables(parseObject(bytes), { chosen: new Uint8Array([9, 9, 9, 9]) })
    expect(bytes).toEqual(copy)
  })

  it('refuse what they cannot be', () => {
    const code = (name: string, value: unknown): unknown => {
      try {
        return setVariables(spec, { [name]: value })
      } catch (error) {
        return (error as { readonly code?: string }).code
      }
    }
    expect(code('chosen', new Uint8Array(3))).toBe('OBJECT_VARIABLE_VALUE')
    expect(code('chosen', 'text')).toBe('OBJECT_VARIABLE_VALUE')
    expect(code('choosen', 1)).toBe('OBJECT_UNKNOWN_VARIABLE')
    expect(code('constructor', 1)).toBe('OBJECT_UNKNOWN_VARIABLE')
    expect(() => readVariable(spec, '__proto__')).toThrow('no variable __proto__')
  })
})
