import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { btfBuilder } from '@tsbpf/btf'
import { describe, expect, it } from 'vitest'
import { linkObjects, parseObject } from '../../src/index.ts'
import type { ExternSpec, FunctionSpec, MapSpec, ObjectSpec, VariableSpec } from '../../src/index.ts'

const golden = (name: string, order = 'el'): ObjectSpec => {
  const path = join(import.meta.dirname, `link/${name}.clang-19.${order}.o`)
  return parseObject(readFileSync(path), { partial: true })
}
const [lib, main] = [golden('lib'), golden('main')]

/** What linking throws. */
function failure(specs: readonly ObjectSpec[]): unknown {
  try {
    linkObjects(specs, { labels: ['one.o', 'two.o'] })
  } catch (error) {
    return error
  }
  return undefined
}

/** Types that a small object declares things with. */
function types(parameters: number, size: number, field = 'first') {
  const builder = btfBuilder()
  const int = builder.add({ kind: 'int', name: 'int', size: 4, signed: true })
  const params = Array.from({ length: parameters }, (_, index) => ({ name: `p${index}`, type: int }))
  const proto = builder.add({ kind: 'func_proto', returnType: int, params })
  const defined = builder.add({ kind: 'func', name: 'shared', type: proto, linkage: 'global' })
  const members = [{ name: field, type: int, offsetBits: 0 }]
  const struct = builder.add({ kind: 'struct', name: 'thing', size, members })
  const pointer = builder.add({ kind: 'ptr', type: struct })
  return { builder, int, proto, defined, struct, pointer }
}

const empty: ObjectSpec = {
  byteOrder: 'little',
  license: '',
  kernelVersion: undefined,
  programs: [],
  subprograms: [],
  maps: [],
  variables: [],
  externs: [],
  btf: undefined,
}
const fn = (name: string, more: Partial<FunctionSpec> = {}): FunctionSpec => ({
  name,
  section: '.text',
  sectionOffset: 0,
  binding: 'global',
  insns: Uint8Array.of(0x95, 0, 0, 0, 0, 0, 0, 0),
  relocations: [],
  coreRelocations: [],
  btfFunc: undefined,
  lineInfo: [],
  ...more,
})
const data = (size: number, section: 'data' | 'rodata' = 'data'): MapSpec => ({
  ...lib.maps.find((map) => map.name === '.data')!,
  name: '.data',
  valueSize: size,
  data: { section, bytes: new Uint8Array(size) },
})
const variable = (type: VariableSpec['type']): VariableSpec => ({
  name: 'value',
  section: '.data',
  offset: 0,
  size: 4,
  type,
})

const extern = (kind: ExternSpec['kind']): ObjectSpec => {
  const { builder, proto } = types(0, 4)
  const id = builder.add({ kind: 'func', name: 'f', type: proto, linkage: 'extern' })
  return { ...empty, externs: [{ name: 'f', kind, weak: false, type: id }], btf: builder.open() }
}

describe('what cannot be linked is refused', () => {
  it('two definitions of one name', () => {
    expect(failure([lib, lib])).toMatchObject({
      code: 'OBJECT_LINK_CONFLICT',
      context: { first: 'one.o', second: 'two.o' },
    })
    expect(
      failure([
        { ...empty, subprograms: [fn('f')] },
        { ...empty, subprograms: [fn('f')] },
      ]),
    ).toMatchObject({
      code: 'OBJECT_LINK_CONFLICT',
      context: { name: 'f' },
    })
  })

  it('two licences, versions and byte orders', () => {
    const code = 'OBJECT_LINK_MISMATCH'
    expect(failure([lib, { ...main, license: 'MIT' }])).toMatchObject({
      code,
      context: { what: 'licence GPL and MIT' },
    })
    expect(
      failure([
        { ...lib, kernelVersion: 1 },
        { ...main, kernelVersion: 2 },
      ]),
    ).toMatchObject({ code })
    expect(failure([lib, golden('main', 'eb')])).toMatchObject({
      code,
      message: expect.stringContaining('one.o') as string,
    })
    expect(linkObjects([lib, { ...main, license: '' }]).license).toBe('GPL')
  })

  it('a section of two kinds', () => {
    const rodata = { ...data(4, 'rodata') }
    expect(
      failure([
        { ...empty, maps: [data(4)] },
        { ...empty, maps: [rodata] },
      ]),
    ).toMatchObject({
      code: 'OBJECT_LINK_MISMATCH',
    })
  })

  const code = 'OBJECT_LINK_TYPE'
  it('functions of other parameters', () => {
    const [one, two] = [types(1, 4), types(2, 4)]
    const weak = (of: typeof one): ObjectSpec => ({
      ...empty,
      subprograms: [fn('shared', { binding: 'weak', btfFunc: of.defined })],
      btf: of.builder.open(),
    })
    expect(failure([weak(one), weak(two)])).toMatchObject({
      code,
      context: { what: 'functions of 1 parameters and of 2' },
    })
    expect(failure([weak(one), weak(types(1, 8))])).toBeUndefined()
    const bare = { ...empty, subprograms: [fn('shared', { binding: 'weak' as const })] }
    expect(failure([weak(one), bare])).toMatchObject({ code })
  })

  it('variables of other types, but for what is behind a pointer', () => {
    const weak = (of: ReturnType<typeof types>, type: number): ObjectSpec => {
      const id = of.builder.add({ kind: 'var', name: 'value', type, linkage: 'global' })
      of.builder.add({ kind: 'datasec', name: '.data', size: 8, vars: [{ type: id, offset: 0, size: 8 }] })
      return {
        ...empty,
        maps: [data(8)],
        variables: [{ ...variable(undefined), size: 8, weak: true }],
        btf: of.builder.open(),
      }
    }
    const link = (a: Parameters<typeof types>, b: Parameters<typeof types>, key: 'struct' | 'pointer') => {
      const [one, two] = [types(...a), types(...b)]
      return failure([weak(one, one[key]), weak(two, two[key])])
    }
    expect(link([0, 4], [0, 4, 'other'], 'struct')).toMatchObject({
      code,
      context: { what: expect.stringContaining('members first and other') as string },
    })
    expect(link([0, 4], [0, 4, 'other'], 'pointer')).toBeUndefined()
    const [one, two] = [types(0, 4), types(0, 4)]
    expect(failure([weak(one, one.int), weak(two, two.struct)])).toMatchObject({
      code,
      context: { what: 'int int and struct thing' },
    })
  })

  it('maps that are not equal', () => {
    const other = main.maps.map((map) => (map.name === 'both_map' ? { ...map, maxEntries: 99 } : map))
    expect(failure([lib, { ...main, maps: other }])).toMatchObject({
      code,
      context: { name: 'both_map', what: 'maxEntries 3 and 99' },
    })
    const inner = { ...lib.maps[0]!, name: 'i' }
    const nested = (maxEntries: number): ObjectSpec => ({
      ...empty,
      maps: [
        {
          ...lib.maps[0]!,
          name: 'm',
          weak: true,
          keyType: undefined,
          valueType: undefined,
          inner: { ...inner, maxEntries },
        },
      ],
    })
    expect(failure([nested(1), nested(2)])).toMatchObject({
      code,
      context: { what: 'inner map: maxEntries 1 and 2' },
    })
  })

  it('one name as things of the kernel and of the object', () => {
    expect(failure([extern('kfunc'), extern('global')])).toMatchObject({
      code,
      context: { what: 'a kfunc and a global' },
    })
    expect(failure([extern('kfunc'), { ...empty, subprograms: [fn('f')] }])).toMatchObject({ code })
    expect(failure([{ ...empty, subprograms: [fn('f')] }, extern('kfunc')])).toMatchObject({ code })
  })

  it('types without end, in bounded time', () => {
    // Two graphs of structs within structs, each of which a comparison meets anew for each name of the other.
    const endless = (): ObjectSpec => {
      const builder = btfBuilder({ rules: 'none' })
      const self = builder.reserve()
      builder.define(self, {
        kind: 'struct',
        name: 's',
        size: 4,
        members: [{ name: 'm', type: self, offsetBits: 0 }],
      })
      const id = builder.add({ kind: 'var', name: 'value', type: self, linkage: 'global' })
      builder.add({ kind: 'datasec', name: '.data', size: 4, vars: [{ type: id, offset: 0, size: 4 }] })
      return {
        ...empty,
        maps: [data(4)],
        variables: [{ ...variable(undefined), weak: true }],
        btf: builder.open(),
      }
    }
    expect(failure([endless(), endless()])).toBeUndefined()
  })
})

it('makes of two declarations of a kfunc one, strong where one is', () => {
  const weak = extern('kfunc')
  const externs = weak.externs.map((one) => ({ ...one, weak: true }))
  const linked = linkObjects([{ ...weak, externs }, extern('kfunc')])
  expect(linked.externs).toMatchObject([{ name: 'f', kind: 'kfunc', weak: false }])
  expect(linked.btf?.idsByName('f', 'func').length).toBe(1)
  expect(
    linkObjects([
      { ...weak, externs },
      { ...weak, externs },
    ]).externs,
  ).toMatchObject([{ weak: true }])
})

it('links nothing to nothing', () => {
  const none = linkObjects([])
  expect([none.programs, none.maps, none.btf]).toEqual([[], [], undefined])
})
