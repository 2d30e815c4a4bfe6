import { isTsbpfError } from '@tsbpf/base'
import { bundledFile } from '@tsbpf/testkit/bundled-file'
import { describe, expect, it } from 'vitest'
import { sectionsOf } from '../test/elf-sections.ts'
import object from '../test/golden/types.clang-19.eb.o?inline'
import { made, makeBtf } from '../test/make-btf.ts'
import { fixupDataSections } from './data-sections.ts'
import { parseBtf } from './parse-btf.ts'

const types = [
  made.int('int', 4, 1),
  made.var('late', 1),
  made.var('early', 1),
  made.var('local', 1, 0),
  made.var('outside', 1, 2),
  made.datasec('.data', 0, [
    [2, 0, 4],
    [3, 0, 4],
    [4, 4, 4],
  ]),
  made.datasec('.kconfig', 0, [[5, 0, 4]]),
  made.datasec('.done', 8, [
    [2, 4, 4],
    [3, 0, 4],
  ]),
]
const places = (...vars: [string, number, boolean?][]) =>
  new Map(vars.map(([name, offset, hidden = false]) => [name, { offset, hidden }]))

describe.each([true, false])('data sections, little endian %s', (little) => {
  const btf = parseBtf(makeBtf(types, { little }))

  it('get sizes, offsets and order, in a copy', () => {
    const before = new Uint8Array(btf.bytes)
    const fixed = fixupDataSections(
      btf,
      new Map([['.data', { size: 12, vars: places(['late', 8], ['early', 0]) }]]),
    )
    expect(btf.bytes).toEqual(before)
    expect(fixed.find('.data', 'datasec')).toEqual({
      kind: 'datasec',
      id: 6,
      name: '.data',
      size: 12,
      vars: [
        { type: 3, offset: 0, size: 4 },
        { type: 4, offset: 4, size: 4 },
        { type: 2, offset: 8, size: 4 },
      ],
    })
    expect(fixed.find('.kconfig', 'datasec')).toEqual(btf.find('.kconfig', 'datasec'))
    expect(fixed.bytes.length).toBe(btf.bytes.length)
  })

  it('are sorted even where they are complete', () => {
    const fixed = fixupDataSections(
      btf,
      new Map([['.done', { size: 99, vars: places(['late', 90], ['early', 80]) }]]),
    )
    expect(fixed.find('.done', 'datasec')).toMatchObject({
      size: 8,
      vars: [
        { type: 3, offset: 0 },
        { type: 2, offset: 4 },
      ],
    })
  })

  it('make hidden variables static and placed externs global', () => {
    const fixed = fixupDataSections(
      btf,
      new Map([
        ['.data', { size: 12, vars: places(['late', 8, true], ['early', 0]) }],
        ['.kconfig', { size: 4, vars: places(['outside', 0]) }],
      ]),
    )
    const linkage = (name: string) => fixed.find(name, 'var')?.linkage
    expect(['late', 'early', 'local', 'outside'].map(linkage)).toEqual([
      'static',
      'global',
      'static',
      'global',
    ])
  })

  it('of which a variable has no symbol are an error', () => {
    const fix = (vars: ReadonlyMap<string, { offset: number }>, size = 12) => {
      try {
        fixupDataSections(btf, new Map([['.data', { size, vars }]]), { name: 'app.o' })
      } catch (error) {
        if (isTsbpfError(error)) return [error.code, error.message]
        throw error
      }
      return []
    }
    expect(fix(places(['late', 8]))).toEqual([
      'BTF_DATA_SECTION',
      'app.o: data section .data: early has no symbol',
    ])
    expect(fix(places(['late', 8], ['early', 0]), 0)[0]).toBe('BTF_DATA_SECTION')
  })
})

it('nothing to change is no copy', () => {
  const btf = parseBtf(makeBtf(types.slice(0, 7)))
  expect(fixupDataSections(btf, new Map())).toBe(btf)
})

it("a compiler's data sections are completed", () => {
  const btf = parseBtf(sectionsOf(bundledFile(object)).get('.BTF')!)
  const vars = places(['outer_value', 0], ['callbacks', 160])
  const fixed = fixupDataSections(btf, new Map([['.bss', { size: 188, vars }]]))
  // `counter` is static: the compiler itself has written its offset.
  expect(fixed.find('.bss', 'datasec')).toMatchObject({
    size: 188,
    vars: [
      { offset: 0, size: 160 },
      { offset: 160, size: 24 },
      { offset: 184, size: 4 },
    ],
  })
})
