import { isTsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../test/make-btf.ts'
import { parseBtf } from './parse-btf.ts'
import { parseBtfExt } from './parse-btf-ext.ts'

/** Offsets of the strings below in `btf`, which has them as names of ints. */
const texts = ['xdp', 'tc', 'a.c', '  return 0;', '0:1']
const offsets = new Map<string, number>()
let next = 1
for (const text of texts) {
  offsets.set(text, next)
  next += text.length + 1
}
const at = (text: string): number => offsets.get(text) ?? 0
const btfOf = (little: boolean) =>
  parseBtf(
    makeBtf(
      texts.map((text) => made.int(text, 4)),
      { little },
    ),
  )

type Table = readonly (readonly [section: string, rows: readonly (readonly number[])[]])[]

/** Bytes of a table: record size, then sections of records, each padded to that size. */
function table(size: number, sections: Table): number[] {
  if (sections.length === 0) return []
  const words = [size]
  for (const [section, rows] of sections) {
    words.push(at(section), rows.length)
    for (const row of rows) words.push(...row, ...Array.from({ length: size / 4 - row.length }, () => 0xabcd))
  }
  return words
}

function makeExt(
  tables: { func?: readonly number[]; line?: readonly number[]; core?: readonly number[] },
  options: { little?: boolean; headerSize?: number } = {},
): Uint8Array {
  const { little = true, headerSize = 32 } = options
  const { func = [], line = [], core = [] } = tables
  const bytes = new Uint8Array(headerSize + (func.length + line.length + core.length) * 4)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0xeb9f, little)
  view.setUint8(2, 1)
  const header = [headerSize, 0, func.length * 4, func.length * 4, line.length * 4]
  if (headerSize >= 32) header.push((func.length + line.length) * 4, core.length * 4)
  header.forEach((word, i) => {
    view.setUint32(4 + i * 4, word, little)
  })
  ;[...func, ...line, ...core].forEach((word, i) => {
    view.setUint32(headerSize + i * 4, word, little)
  })
  return bytes
}

const func = table(8, [
  ['xdp', [[0, 1]]],
  [
    'tc',
    [
      [0, 2],
      [16, 3],
    ],
  ],
])
const line = table(16, [
  [
    'xdp',
    [
      [0, at('a.c'), at('  return 0;'), (1000 << 10) | 3],
      [8, at('a.c'), 0, 5],
    ],
  ],
])
const core = table(16, [['tc', [[24, 4, at('0:1'), 12]]]])

describe.each([true, false])('little endian %s', (little) => {
  it('all tables are read, by section', () => {
    const ext = parseBtfExt(makeExt({ func, line, core }, { little }), btfOf(little))
    expect([...ext]).toEqual([
      [
        'xdp',
        {
          name: 'xdp',
          funcInfo: [{ offset: 0, type: 1 }],
          lineInfo: [
            {
              offset: 0,
              file: 'a.c',
              line: 1000,
              column: 3,
              text: 'return 0;',
              fileOffset: at('a.c'),
              textOffset: at('  return 0;'),
            },
            { offset: 8, file: 'a.c', line: 0, column: 5, text: '', fileOffset: at('a.c'), textOffset: 0 },
          ],
          coreRelocations: [],
        },
      ],
      [
        'tc',
        {
          name: 'tc',
          funcInfo: [
            { offset: 0, type: 2 },
            { offset: 16, type: 3 },
          ],
          lineInfo: [],
          coreRelocations: [{ offset: 24, type: 4, access: '0:1', kind: 12 }],
        },
      ],
    ])
  })
})

it('longer records and headers are read as far as they are known', () => {
  const wide = table(24, [
    [
      'tc',
      [
        [24, 4, at('0:1'), 12],
        [32, 5, at('0:1'), 0],
      ],
    ],
  ])
  const ext = parseBtfExt(makeExt({ core: wide }, { headerSize: 48 }), btfOf(true))
  expect(ext.get('tc')?.coreRelocations.map((row) => [row.offset, row.type])).toEqual([
    [24, 4],
    [32, 5],
  ])
})

it('a header without CO-RE is read', () => {
  const ext = parseBtfExt(makeExt({ func }, { headerSize: 24 }), btfOf(true))
  expect([...ext.keys()]).toEqual(['xdp', 'tc'])
})

it('a section named like a property is only a name', () => {
  const btf = parseBtf(makeBtf([made.int('__proto__', 4)]))
  const ext = parseBtfExt(makeExt({ func: [8, 1, 1, 0, 1] }), btf)
  expect(ext.get('__proto__')?.funcInfo).toEqual([{ offset: 0, type: 1 }])
})

describe('data that lies', () => {
  const cases: readonly (readonly [string, string, string, Uint8Array])[] = [
    ['no bytes', 'BTF_NOT_BTF', 'magic', new Uint8Array()],
    ['half a header', 'BTF_TRUNCATED', 'header', makeExt({}).subarray(0, 16)],
    ['short header', 'BTF_TRUNCATED', 'hdr_len', makeExt({}).fill(8, 4, 5)],
    ['long header', 'BTF_TRUNCATED', 'hdr_len', makeExt({}).fill(200, 4, 5)],
    ['version', 'BTF_VERSION', 'version', makeExt({}).fill(9, 2, 3)],
    ['flags', 'BTF_VERSION', 'flags', makeExt({}).fill(9, 3, 4)],
    ['unaligned table', 'BTF_EXT', 'func_info_off', makeExt({ func }).fill(2, 8, 9)],
    ['table outside', 'BTF_TRUNCATED', 'func_info', makeExt({ func }).fill(255, 12, 13)],
    ['record too small', 'BTF_EXT', 'func_info.rec_size', makeExt({ func: [4, 1, 1, 0, 1] })],
    ['record size odd', 'BTF_EXT', 'line_info.rec_size', makeExt({ line: [18, 1, 1, 0, 1] })],
    ['no records', 'BTF_EXT', 'core_relo[0].num_info', makeExt({ core: [16, 1, 0] })],
    ['too many records', 'BTF_TRUNCATED', 'core_relo[0].num_info', makeExt({ core: [16, 1, 0xffff_ffff] })],
    ['half a section', 'BTF_TRUNCATED', 'func_info[0]', makeExt({ func: [8, 1] })],
    ['section name outside', 'BTF_STRING', 'func_info[0].sec_name_off', makeExt({ func: [8, 999, 1, 0, 1] })],
    ['type outside', 'BTF_REFERENCE', 'func_info[0][0].type_id', makeExt({ func: [8, 1, 1, 0, 6] })],
    [
      'file outside',
      'BTF_STRING',
      'line_info[0][0].file_name_off',
      makeExt({ line: [16, 1, 1, 0, 99, 0, 0] }),
    ],
    ['text outside', 'BTF_STRING', 'line_info[0][0].line_off', makeExt({ line: [16, 1, 1, 0, 0, 99, 0] })],
    [
      'access outside',
      'BTF_STRING',
      'core_relo[0][0].access_str_off',
      makeExt({ core: [16, 1, 1, 0, 1, 99, 0] }),
    ],
  ]
  it.each(cases)('%s: %s at %s', (_, code, path, bytes) => {
    try {
      parseBtfExt(bytes, btfOf(true), { name: 'broken' })
      expect.unreachable()
    } catch (error) {
      if (!isTsbpfError(error)) throw error
      expect(error).toMatchObject({ code, context: { file: 'broken', path } })
      expect(error.context['offset']).toBeLessThanOrEqual(bytes.length)
    }
  })
})
