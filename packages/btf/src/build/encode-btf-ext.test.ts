import { describe, expect, it } from 'vitest'
import { parseBtf } from '../parse-btf.ts'
import { parseBtfExt } from '../parse-btf-ext.ts'
import { btfBuilder } from './btf-builder.ts'
import { encodeBtfExt } from './encode-btf-ext.ts'
import type { BtfExtSectionInput } from './encode-btf-ext.ts'
import { dedupBtf } from './dedup-btf.ts'
import { swapBtf, swapBtfExt } from './swap-btf.ts'

const line = { offset: 8, file: 'a.c', line: 12, column: 3, text: 'return 0;' }
const sections: readonly BtfExtSectionInput[] = [
  {
    name: 'xdp',
    funcInfo: [
      { offset: 0, type: 5 },
      { offset: 16, type: 5 },
    ],
    lineInfo: [line, { ...line, offset: 16, line: 4194303, column: 1023 }],
    coreRelocations: [{ offset: 24, type: 4, access: '0:1', kind: 0 }],
  },
  { name: '.text', lineInfo: [line] },
  { name: 'tc', coreRelocations: [{ offset: 0, type: 1, access: '0', kind: 8 }], funcInfo: [] },
]

/** Types 1 and 2 are equal. */
function builder() {
  const made = btfBuilder()
  made.add({ kind: 'int', name: 'int', size: 4 })
  made.add({ kind: 'int', name: 'int', size: 4 })
  made.add({ kind: 'func_proto', returnType: 2, params: [] })
  made.add({ kind: 'struct', name: 's', size: 8, members: [{ name: 'a', type: 2, offsetBits: 0 }] })
  made.add({ kind: 'func', name: 'main', type: 3, linkage: 'global' })
  return made
}

/** What was said, without offsets of strings. */
function said(ext: ReturnType<typeof parseBtfExt>): unknown {
  return [...ext.values()].map(({ lineInfo, ...rest }) => ({
    ...rest,
    lineInfo: lineInfo.map(({ offset, file, line: number, column, text }) => ({
      offset,
      file,
      line: number,
      column,
      text,
    })),
  }))
}
const expected = sections.map(({ name, funcInfo = [], lineInfo = [], coreRelocations = [] }) => ({
  name,
  funcInfo,
  lineInfo,
  coreRelocations,
}))

describe('.BTF.ext', () => {
  it.each([true, false])('parsing is the inverse of encoding (little endian: %s)', (littleEndian) => {
    const made = builder()
    const ext = encodeBtfExt(sections, made, { littleEndian })
    const btf = made.open({ littleEndian })
    expect(said(parseBtfExt(ext, btf))).toEqual(expected)
    // Encoded again from what was parsed, with the same strings.
    expect(encodeBtfExt(parseBtfExt(ext, btf).values(), made, { littleEndian })).toEqual(ext)
  })

  it('says nothing where there is nothing to say', () => {
    const made = builder()
    const ext = encodeBtfExt([], made)
    expect(ext.length).toBe(32)
    expect(parseBtfExt(ext, made.open()).size).toBe(0)
  })

  it('swapped, it fits the swapped BTF; swapped again, it is the same', () => {
    const made = builder()
    const ext = encodeBtfExt(sections, made)
    const swapped = parseBtf(swapBtf(made.build()))
    expect(said(parseBtfExt(swapBtfExt(ext), swapped))).toEqual(expected)
    expect(swapBtfExt(swapBtfExt(ext))).toEqual(ext)
    expect(swapBtfExt(ext)).toEqual(encodeBtfExt(sections, made, { littleEndian: false }))
  })

  it.each([true, false])(
    'follows ids and strings through deduplication (little endian: %s)',
    (littleEndian) => {
      const made = builder()
      made.string('not used')
      const ext = encodeBtfExt(sections, made, { littleEndian })
      const { btf, ext: moved, ids } = dedupBtf(made.open({ littleEndian }), { ext })
      const follow = expected.map((section) => ({
        ...section,
        funcInfo: section.funcInfo.map((row) => ({ ...row, type: ids[row.type] })),
        coreRelocations: section.coreRelocations.map((row) => ({ ...row, type: ids[row.type] })),
      }))
      expect(ids[5]).toBe(4)
      expect(said(parseBtfExt(moved!, btf))).toEqual(follow)
    },
  )

  it.each([
    ['line', { ...line, line: 4194304 }],
    ['column', { ...line, column: 1024 }],
    ['offset', { ...line, offset: -8 }],
  ])('refuses a %s that does not fit', (field, row) => {
    expect(() => encodeBtfExt([{ name: 'xdp', lineInfo: [row] }], builder())).toThrow(
      `section xdp (type 0): lineInfo[0].${field}: expected a whole number`,
    )
  })

  it('swapping refuses what is no .BTF.ext', () => {
    for (const bytes of [
      [],
      [1, 2, 3],
      [0x9f, 0xeb, 1],
      [0x9f, 0xeb, 2, 0, 0, 0, 0, 0],
      [0x9f, 0xeb, 1, 1, 0, 0, 0, 0],
    ]) {
      expect(() => swapBtfExt(Uint8Array.from(bytes))).toThrow(/expected/)
    }
  })
})
