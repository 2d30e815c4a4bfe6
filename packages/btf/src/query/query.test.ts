import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../../test/make-btf.ts'
import type { MadeType } from '../../test/make-btf.ts'
import { parseBtf } from '../parse-btf.ts'
import { declTags } from './decl-tags.ts'
import { enumerator } from './enumerator.ts'
import { funcProto } from './func-proto.ts'
import { kfunc, kfuncs } from './kfuncs.ts'

const types: MadeType[] = [
  made.int('int', 4, 1), // 1
  made.proto(1, [['a', 1]]),
  made.func('tagged', 2),
  made.func('plain', 2),
  made.declTag('bpf_kfunc', 3), // 5
  made.declTag('bpf_fastcall', 3),
  made.struct('s', 8, [['a', 1, 0], ['b', 1, 32]]), // prettier-ignore
  made.declTag('user', 7),
  made.declTag('rcu', 7, 1),
  made.declTag('bpf_kfunc', 7, 0), // 10
  made.ptr(2),
  made.typedef('callback', 11),
  made.enum('colour', [['RED', 1], ['GREEN', 2]]), // prettier-ignore
  made.enum('other', [['RED', 7], ['MINUS', 0xffff_ffff]], true), // prettier-ignore
  made.enum64('wide', [['FAR', 1n << 40n]]), // 15
  made.struct('colour', 0, []),
]
const btf = parseBtf(makeBtf(types))
const untagged = parseBtf(makeBtf(types.slice(0, 4)))

describe('kfuncs', () => {
  it('are the functions that are tagged', () => {
    expect(kfuncs(btf)).toEqual([{ func: btf.type(3), proto: btf.type(2), tagged: true }])
    expect(kfuncs(untagged)).toEqual([])
  })

  it('are found by name: tagged, or any function where there are no tags', () => {
    expect(kfunc(btf, 'tagged')).toEqual({ func: btf.type(3), proto: btf.type(2), tagged: true })
    expect(kfunc(btf, 'plain')).toBeUndefined()
    expect(kfunc(untagged, 'plain')).toEqual({ func: btf.type(4), proto: btf.type(2), tagged: false })
    for (const name of ['int', 'nothing', '', 's']) expect(kfunc(untagged, name)).toBeUndefined()
  })

  it('may be in a module: the kernel says whether there are tags', () => {
    const options = { firstString: btf.endString }
    const own = [
      made.func('of_module', 2),
      made.func('static_helper', 2),
      made.declTag('bpf_kfunc', btf.endId),
    ]
    const module = parseBtf(makeBtf(own, options), { base: btf })
    expect(kfuncs(module).map(({ func }) => func.name)).toEqual(['tagged', 'of_module'])
    expect(kfunc(module, 'of_module')?.tagged).toBe(true)
    expect(kfunc(module, 'static_helper')).toBeUndefined()
    expect(kfunc(module, 'tagged')?.func.id).toBe(3)
  })

  it('of a tag on what is no function are none', () => {
    const odd = parseBtf(makeBtf([made.int('int', 4), made.declTag('bpf_kfunc', 1), made.func('f', 1)]))
    expect(kfuncs(odd)).toEqual([])
    expect(kfunc(odd, 'f')).toBeUndefined()
  })
})

describe('decl tags', () => {
  const names = (id: number, component?: number): string[] =>
    declTags(btf, id, component).map((tag) => tag.name)

  it('are those on a type, or on one member', () => {
    expect(names(7)).toEqual(['user', 'rcu', 'bpf_kfunc'])
    expect(names(7, -1)).toEqual(['user'])
    expect(names(7, 1)).toEqual(['rcu'])
    expect(names(7, 2)).toEqual([])
    expect(names(3)).toEqual(['bpf_kfunc', 'bpf_fastcall'])
    expect(names(1)).toEqual([])
    expect(names(99)).toEqual([])
  })

  it('may be on a type of the base', () => {
    const split = parseBtf(makeBtf([made.declTag('more', 7)], { firstString: btf.endString }), { base: btf })
    expect(declTags(split, 7, -1).map((tag) => tag.name)).toEqual(['user', 'more'])
    expect(names(7, -1)).toEqual(['user'])
  })
})

describe('prototypes', () => {
  it.each([['tagged'], ['plain'], [3], [2], [11], [12]])('of %s', (func) => {
    expect(funcProto(btf, func)).toBe(btf.type(2))
  })
  it.each([['nothing'], ['int'], ['callback'], [1], [7], [0]])('of %s: none', (func) => {
    expect(funcProto(btf, func)).toBeUndefined()
  })
})

describe('enumerators', () => {
  it('are found in any enum, the first first, or in one', () => {
    expect(enumerator(btf, 'RED')).toEqual({ name: 'RED', value: 1n, enum: btf.type(13) })
    expect(enumerator(btf, 'RED', 'other')?.value).toBe(7n)
    expect(enumerator(btf, 'GREEN', 'colour')?.value).toBe(2n)
    expect(enumerator(btf, 'GREEN', 'other')).toBeUndefined()
    expect(enumerator(btf, 'MINUS')?.value).toBe(-1n)
    expect(enumerator(btf, 'FAR')?.value).toBe(1n << 40n)
    for (const name of ['GREE', 'GREENER', '', 'colour', 'R\0']) expect(enumerator(btf, name)).toBeUndefined()
    expect(enumerator(btf, 'RED', 's')).toBeUndefined()
  })

  it('of the base come first', () => {
    const own = [made.enum('colour', [['RED', 9], ['BLUE', 3]])] // prettier-ignore
    const strings = new Map([['RED', new TextDecoder('latin1').decode(btf.bytes).indexOf('\0RED\0') + 1]])
    const header = new DataView(btf.bytes.buffer, btf.bytes.byteOffset)
    const start = 24 + header.getUint32(16, true)
    const baseStrings = new Map([...strings].map(([name, at]) => [name, at - start]))
    const split = parseBtf(makeBtf(own, { firstString: btf.endString, baseStrings }), { base: btf })
    expect(enumerator(split, 'RED')?.value).toBe(1n)
    expect(enumerator(split, 'BLUE')?.value).toBe(3n)
    expect(split.type(btf.endId)).toMatchObject({ values: [{ name: 'RED', value: 9n }, { name: 'BLUE' }] })
  })
})
