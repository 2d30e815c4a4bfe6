import { describe, expect, it } from 'vitest'
import { formatType, parseBtf, parseBtfExt } from '../../src/index.ts'
import { golden, recorded, sectionsOf } from './sections.ts'

/** Names of the kinds of CO-RE relocations, by number, as llvm-objdump prints them. */
const kinds = 'byte_off byte_sz field_exists signed lshift_u64 rshift_u64 local_type_id target_type_id type_exists'.split(
  ' ',
)

/** What objdump says of one section: each instruction's line, and the relocations, by offset in bytes. */
interface Said {
  readonly lines: Map<number, string>
  readonly functions: number[]
  readonly core: { offset: number; kind: string; type: string; access: string }[]
}

function readObjdump(text: string): Map<string, Said> {
  const sections = new Map<string, Said>()
  let said: Said = { lines: new Map(), functions: [], core: [] }
  let line = ''
  let starts = false
  for (const row of text.split('\n')) {
    const section = /^Disassembly of section (.+):$/.exec(row)?.[1]
    if (section !== undefined) {
      said = { lines: new Map(), functions: [], core: [] }
      sections.set(section, said)
    }
    const start = /^([0-9a-f]{16}) <(?!LBB).*>:$/.exec(row)?.[1]
    if (start !== undefined) said.functions.push(Number.parseInt(start, 16))
    line = /^; (\S+:\d+)$/.exec(row)?.[1] ?? line
    const insn = /^ +(\d+):\t/.exec(row)?.[1]
    if (insn !== undefined) said.lines.set(Number(insn) * 8, line)
    const core = /^\t\t([0-9a-f]+): {2}CO-RE <(\w+)> \[(\d+)\] (.*)$/.exec(row)
    if (core !== null) {
      const [, offset = '', kind = '', type = '', rest = ''] = core
      const access = /\(([\d:]+)\)$/.exec(rest)?.[1] ?? '0'
      said.core.push({ offset: Number.parseInt(offset, 16), kind, type, access })
    }
    starts = starts || section !== undefined
  }
  expect(starts).toBe(true)
  return sections
}

const objects = Object.keys(recorded.objects).filter((name) => name.startsWith('types'))

describe(`as ${recorded.judges[1] ?? ''}, prints them`, () => {
  it.each(objects)('functions, lines and CO-RE relocations of %s', (name) => {
    const sections = sectionsOf(golden(name))
    const btf = parseBtf(sections.get('.BTF')!, { name })
    const ext = parseBtfExt(sections.get('.BTF.ext')!, btf, { name })
    const objdump = readObjdump(new TextDecoder().decode(golden(`${name}.objdump.txt`)))
    expect([...ext.keys()].sort()).toEqual([...objdump.keys()].sort())
    for (const [section, said] of objdump) {
      const { funcInfo, lineInfo, coreRelocations } = ext.get(section)!
      expect(funcInfo.map((row) => row.offset)).toEqual(said.functions)
      for (const row of funcInfo) expect(btf.kind(row.type)).toBe('func')
      const lines = [...said.lines.keys()].map((offset) => {
        const row = lineInfo.findLast((candidate) => candidate.offset <= offset)
        return [offset, `${row?.file ?? ''}:${row?.line ?? 0}`]
      })
      expect(lines).toEqual([...said.lines])
      expect(
        coreRelocations.map((row) => ({
          offset: row.offset,
          kind: kinds[row.kind],
          type: String(row.type),
          access: row.access,
        })),
      ).toEqual(said.core)
    }
  })

  it('and the lines have their text', () => {
    const sections = sectionsOf(golden('types.clang-19.el.o'))
    const btf = parseBtf(sections.get('.BTF')!)
    const [row] = parseBtfExt(sections.get('.BTF.ext')!, btf).get('raw_tp/second')!.lineInfo
    expect(row).toMatchObject({ offset: 0, file: './types.bpf.c', line: 112, text: 'u32 len = skb->len;' })
    expect(btf.string(row!.textOffset)).toBe('\tu32 len = skb->len;')
    expect(btf.string(row!.fileOffset)).toBe('./types.bpf.c')
    expect(row!.column).toBe('\tu32 len = skb->'.length + 1)
  })

  it('and functions are spelt as the source has them', () => {
    const btf = parseBtf(sectionsOf(golden('types.clang-19.el.o')).get('.BTF')!)
    expect(formatType(btf, btf.idsByName('helper')[0]!)).toBe('int helper(const struct outer *value)')
  })
})
