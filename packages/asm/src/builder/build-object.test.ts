import { codec } from '@tsbpf/btf'
import { encodeObject, parseObject } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'
import { describe, expect, it } from 'vitest'
import { everything } from '../../test/objects.ts'
import { buildObject } from './build-object.ts'
import { array, bool, char, ptr, s16, struct, u16, u32, u64, u8, union } from './c-type.ts'
import { callLine } from './call-site.ts'
import { global, map, program, subprogram } from './definitions.ts'
import { r0, r1 } from './register.ts'

/** What a spec says, without the BTF's own numbers, which a file numbers anew. */
function said({ btf, ...spec }: ObjectSpec): unknown {
  const name = (id: number | undefined): unknown => {
    if (id === undefined || btf === undefined) return undefined
    const type = btf.type(id)
    return { kind: type.kind, name: 'name' in type ? type.name : '', size: 'size' in type ? type.size : 0 }
  }
  return JSON.parse(
    JSON.stringify(spec, (key, value: unknown) => {
      if (value instanceof Uint8Array) return [...value].join(' ')
      if (typeof value === 'bigint') return `${value}n`
      if (['btfFunc', 'keyType', 'valueType', 'type'].includes(key) && typeof value === 'number')
        return name(value)
      return ['fileOffset', 'textOffset', 'align'].includes(key) ? undefined : value
    }),
  )
}

const pass = program('pass', 'xdp', (b) => b.mov(r0, 2).exit())

describe('buildObject', () => {
  it.each([true, false])('makes what a file of it says, little endian %s', (littleEndian) => {
    const spec = everything({ littleEndian, resolveSite: callLine, name: 'everything' })
    const parsed = parseObject(encodeObject(spec), { name: 'everything.o' })
    const bySection = (one: ObjectSpec) => ({
      ...one,
      maps: [...one.maps].sort((a, b) => (a.name < b.name ? -1 : 1)),
    })
    const references = (one: ObjectSpec) =>
      [...one.programs, ...one.subprograms].map(({ name, relocations }) => [name, relocations])
    expect(references(parsed)).toEqual(references(spec))
    const plain = (one: ObjectSpec): ObjectSpec => ({
      ...bySection(one),
      // Files hold numbers in instructions that a spec says by reference.
      programs: one.programs.map((fn) => ({ ...fn, insns: fn.insns.slice(0, 1) })),
      subprograms: one.subprograms.map((fn) => ({ ...fn, insns: fn.insns.slice(0, 1) })),
      variables: [...one.variables].sort((a, b) => (a.name < b.name ? -1 : 1)),
    })
    expect(said(plain(parsed))).toEqual(said(plain(spec)))
  })

  it('is deterministic', () => {
    const bytes = () => encodeObject(everything({ resolveSite: callLine }))
    expect(bytes()).toEqual(bytes())
  })

  it('lays types out as C does, in both byte orders', () => {
    const inner = union('inner', { word: u32, bytes: array(u8, 6) })
    const type = struct('outer', {
      flag: bool,
      half: s16,
      inner,
      far: ptr(),
      text: array(char, 3),
      last: u16,
    })
    const value = { flag: true, half: -2, inner: { word: 5 }, far: 7n, text: 'ab', last: 9 }
    for (const littleEndian of [true, false]) {
      const spec = buildObject(
        { license: 'GPL', programs: [pass], globals: [global('value', type, { value })] },
        { littleEndian },
      )
      const [variable] = spec.variables
      expect(variable).toMatchObject({ name: 'value', section: '.data', offset: 0, size: 32 })
      const { bytes } = spec.maps[0]!.data!
      expect(codec(spec.btf!, variable!.type!).decode(bytes)).toMatchObject({ ...value, inner: { word: 5 } })
      expect(bytes[littleEndian ? 2 : 3]).toBe(0xfe)
    }
  })

  it('takes along what is referred to, once, and what is given first', () => {
    const unused = map('unused', { type: 'array', key: u32, value: u64, maxEntries: 1 })
    const used = map('used', { type: 'array', key: u32, value: u64, maxEntries: 1 })
    const sub = subprogram('sub', (b) => b.lddw(r1, used).mov(r0, 0).exit())
    const one = program('one', 'xdp', (b) => b.call(sub).exit())
    const two = program('two', 'xdp', (b) => b.call(sub).exit())
    const spec = buildObject({ license: 'GPL', programs: [one, two], maps: [unused] })
    expect(spec.maps.map(({ name }) => name)).toEqual(['unused', 'used'])
    expect(spec.subprograms.map(({ name }) => name)).toEqual(['sub'])
    expect(spec.programs.map(({ name, sectionOffset }) => [name, sectionOffset])).toEqual([
      ['one', 0],
      ['two', 16],
    ])
  })

  it('calls a body once, whoever refers to it', () => {
    let calls = 0
    const sub = subprogram('sub', (b) => {
      calls++
      b.mov(r0, 0).exit()
    })
    const one = program('one', 'xdp', (b) => b.call(sub).exit())
    buildObject({ license: 'GPL', programs: [one] })
    buildObject({ license: 'GPL', programs: [one] }, { littleEndian: false })
    expect(calls).toBe(1)
  })

  it('asks the caller for source lines, and has one where each function starts', () => {
    const sub = subprogram('sub', (b) => b.mov(r0, 0).exit())
    const one = program('one', 'xdp', (b) => {
      b.call(sub)
      b.exit()
    })
    const seen: string[] = []
    const spec = buildObject(
      { license: 'GPL', programs: [one] },
      {
        resolveSite: ({ file, line, column, operation }) => {
          seen.push(`${file.slice(file.lastIndexOf('/') + 1)} ${operation}`)
          return operation.startsWith('mov') ? undefined : { file: 'a.ts', line, column, text: operation }
        },
      },
    )
    expect(seen.sort()).toEqual(
      ['call(sub)', 'exit()', 'exit()', 'mov(r0, 0)'].map((call) => `build-object.test.ts ${call}`),
    )
    expect(spec.programs[0]?.lineInfo.map(({ insn, file, text }) => [insn, file, text])).toEqual([
      [0, 'a.ts', 'call(sub)'],
      [1, 'a.ts', 'exit()'],
    ])
    expect(spec.subprograms[0]?.lineInfo.map(({ insn, text }) => [insn, text])).toEqual([
      [0, ''],
      [1, 'exit()'],
    ])
  })

  it('says nothing of lines unless it is asked', () => {
    expect(everything().programs.flatMap(({ lineInfo }) => lineInfo)).toEqual([])
  })
})
