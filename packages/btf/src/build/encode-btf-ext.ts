import { errors } from '../errors.ts'
import { btfMagic } from '../header.ts'
import type { BtfBuilder, BuildBtfOptions } from './btf-builder.ts'
import { ExtHeader } from './ext-image.ts'

/** What is to be said about one section of code; a {@link BtfExtSection} is one. Offsets count bytes from its start. */
export interface BtfExtSectionInput {
  readonly name: string
  readonly funcInfo?: readonly { readonly offset: number; readonly type: number }[]
  readonly lineInfo?: readonly {
    readonly offset: number
    readonly file: string
    readonly line: number
    readonly column: number
    readonly text: string
  }[]
  readonly coreRelocations?: readonly {
    readonly offset: number
    readonly type: number
    readonly access: string
    /** Number of the kind (enum bpf_core_relo_kind). */
    readonly kind: number
  }[]
}

type Row = readonly number[]

/** `line_col` has 22 bits for the line and 10 for the column. */
const lineMost = 0x3f_ffff
const columnMost = 0x3ff

/**
 * Encodes `.BTF.ext`: function info, line info and CO-RE relocations (Documentation/bpf/btf.rst). Strings go into
 * `builder`, so its `.BTF` is built afterwards. Records stay in their order; a section without records of a table is
 * not in it. Throws `BTF_BUILD` for numbers that do not fit, and for lines beyond 4194303 and columns beyond 1023.
 *
 * @example
 * ```ts
 * import { btfBuilder, encodeBtfExt } from '@tsbpf/btf'
 * const builder = btfBuilder()
 * const type = builder.add({ kind: 'func_proto', returnType: 0, params: [] })
 * const main = builder.add({ kind: 'func', name: 'main', type, linkage: 'global' })
 * const ext = encodeBtfExt([{ name: 'xdp', funcInfo: [{ offset: 0, type: main }] }], builder)
 * const btf = builder.build()
 * ```
 */
export function encodeBtfExt(
  sections: Iterable<BtfExtSectionInput>,
  builder: Pick<BtfBuilder, 'string'>,
  options: BuildBtfOptions & { readonly name?: string } = {},
): Uint8Array {
  const { littleEndian = true, name: file = '.BTF.ext' } = options
  const all = [...sections]
  const fits = (section: string, path: string, value: number, most = 0xffff_ffff): number => {
    if (Number.isInteger(value) && value >= 0 && value <= most) return value
    const fault = { path, expected: `a whole number from 0 to ${most}`, actual: String(value) }
    throw errors.BTF_BUILD({ file, id: 0, type: `section ${section}`, ...fault })
  }
  /** One table: the size of its records, then for each section its name, their number and them. */
  const table = <T>(
    size: number,
    rowsOf: (section: BtfExtSectionInput) => readonly T[] | undefined,
    encode: (row: T, check: (field: string, value: number, most?: number) => number) => Row,
    path: string,
  ): readonly number[] => {
    const words: number[] = []
    for (const section of all) {
      const rows = rowsOf(section) ?? []
      if (rows.length === 0) continue
      if (words.length === 0) words.push(size)
      words.push(builder.string(section.name), rows.length)
      rows.forEach((row, i) => {
        const check = (field: string, value: number, most?: number): number =>
          fits(section.name, `${path}[${i}].${field}`, value, most)
        for (const word of encode(row, check)) words.push(word)
      })
    }
    return words
  }
  const funcs = table(
    8,
    (section) => section.funcInfo,
    ({ offset, type }, check) => [check('offset', offset), check('type', type)],
    'funcInfo',
  )
  const lines = table(
    16,
    (section) => section.lineInfo,
    ({ offset, file: source, line, column, text }, check) => [
      check('offset', offset),
      builder.string(source),
      builder.string(text),
      ((check('line', line, lineMost) << 10) | check('column', column, columnMost)) >>> 0,
    ],
    'lineInfo',
  )
  const relocations = table(
    16,
    (section) => section.coreRelocations,
    ({ offset, type, access, kind }, check) => [
      check('offset', offset),
      check('type', type),
      builder.string(access),
      check('kind', kind),
    ],
    'coreRelocations',
  )

  const words = [...funcs, ...lines, ...relocations]
  const bytes = new Uint8Array(ExtHeader.size + words.length * 4)
  const view = new DataView(bytes.buffer)
  const header = {
    magic: btfMagic,
    version: 1,
    hdr_len: ExtHeader.size,
    func_info_off: 0,
    func_info_len: funcs.length * 4,
    line_info_off: funcs.length * 4,
    line_info_len: lines.length * 4,
    core_relo_off: (funcs.length + lines.length) * 4,
    core_relo_len: relocations.length * 4,
  }
  ExtHeader.write(view, 0, header, littleEndian)
  words.forEach((word, i) => {
    view.setUint32(ExtHeader.size + i * 4, word, littleEndian)
  })
  return bytes
}
