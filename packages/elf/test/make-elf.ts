/** Makes small ELF64 files for tests, without the code under test: every number is written by hand. */

/** One section to be made. */
export interface MadeSection {
  readonly name: string
  readonly type: number
  readonly data?: Uint8Array
  readonly size?: number
  readonly link?: number
  readonly info?: number
  readonly entsize?: number
  readonly flags?: number
}

/** Where the parts of a made file are. */
export interface MadeElf {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly little: boolean
  /** Overwrites a number of 16, 32 or 64 bits. */
  readonly put: (bits: 16 | 32 | 64, at: number, value: number | bigint) => void
  /** Offset of a field of a section header. */
  readonly field: (section: number, field: keyof typeof places) => number
  /** Offset of the program headers. */
  readonly segmentsAt: number
  /** Offset of a section's bytes. */
  readonly dataOf: (section: number) => number
}

const places = { name: 0, type: 4, offset: 24, size: 32, link: 40, info: 44, addralign: 48, entsize: 56 }

/**
 * A file of these sections, the null section in front and a string table of their names behind them.
 * `extended` writes the number of sections and the index of that table into section 0.
 */
export function makeElf(
  sections: readonly MadeSection[],
  options: {
    little?: boolean
    type?: number
    machine?: number
    extended?: boolean
    segments?: Uint8Array
  } = {},
): MadeElf {
  const { little = true, type = 1, machine = 247, extended = false, segments } = options
  const rows: MadeSection[] = [{ name: '', type: 0 }, ...sections]
  const names = [...rows.map((row) => row.name), '.shstrtab'].join('\0') + '\0'
  const table = new TextEncoder().encode(names)
  rows.push({ name: '.shstrtab', type: 3, data: table })
  const offsets: number[] = []
  let at = 64
  for (const row of rows) {
    offsets.push(at)
    at += Math.ceil((row.data?.length ?? 0) / 8) * 8
  }
  const segmentsAt = at
  const headers = at + (segments?.length ?? 0)
  const bytes = new Uint8Array(headers + rows.length * 64)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, little ? 1 : 2, 1])
  view.setUint16(16, type, little)
  view.setUint16(18, machine, little)
  view.setUint32(20, 1, little)
  view.setBigUint64(40, BigInt(headers), little)
  view.setUint16(52, 64, little)
  view.setUint16(58, 64, little)
  view.setUint16(60, extended ? 0 : rows.length, little)
  view.setUint16(62, extended ? 0xffff : rows.length - 1, little)
  if (segments !== undefined) {
    bytes.set(segments, segmentsAt)
    view.setBigUint64(32, BigInt(segmentsAt), little)
    view.setUint16(54, 56, little)
    view.setUint16(56, segments.length / 56, little)
  }
  let nameAt = 0
  rows.forEach((row, index) => {
    const header = headers + index * 64
    view.setUint32(header, index === 0 ? 0 : nameAt, little)
    nameAt += new TextEncoder().encode(row.name).length + 1
    view.setUint32(header + 4, row.type, little)
    view.setBigUint64(header + 8, BigInt(row.flags ?? 0), little)
    view.setBigUint64(header + 24, BigInt(index === 0 ? 0 : (offsets[index] ?? 0)), little)
    view.setBigUint64(header + 32, BigInt(row.size ?? row.data?.length ?? 0), little)
    view.setUint32(header + 40, row.link ?? 0, little)
    view.setUint32(header + 44, row.info ?? 0, little)
    view.setBigUint64(header + 48, 1n, little)
    view.setBigUint64(header + 56, BigInt(row.entsize ?? 0), little)
    if (row.data !== undefined) bytes.set(row.data, offsets[index])
  })
  if (extended) {
    view.setBigUint64(headers + 32, BigInt(rows.length), little)
    view.setUint32(headers + 40, rows.length - 1, little)
  }
  return {
    bytes,
    view,
    little,
    put(bits, at, value) {
      if (bits === 16) view.setUint16(at, Number(value), little)
      else if (bits === 32) view.setUint32(at, Number(value), little)
      else view.setBigUint64(at, BigInt(value), little)
    },
    field: (section, field) => headers + section * 64 + places[field],
    segmentsAt,
    dataOf: (section) => offsets[section] ?? 0,
  }
}

/** Bytes of symbol rows. */
export function symbolRows(
  rows: readonly {
    name?: number
    info?: number
    other?: number
    shndx?: number
    value?: bigint
    size?: bigint
  }[],
  little = true,
): Uint8Array {
  const bytes = new Uint8Array(rows.length * 24)
  const view = new DataView(bytes.buffer)
  rows.forEach((row, i) => {
    view.setUint32(i * 24, row.name ?? 0, little)
    view.setUint8(i * 24 + 4, row.info ?? 0)
    view.setUint8(i * 24 + 5, row.other ?? 0)
    view.setUint16(i * 24 + 6, row.shndx ?? 0, little)
    view.setBigUint64(i * 24 + 8, row.value ?? 0n, little)
    view.setBigUint64(i * 24 + 16, row.size ?? 0n, little)
  })
  return bytes
}

/** Bytes of REL rows, or of RELA rows where they have an addend. */
export function relocationRows(
  rows: readonly { offset: bigint; symbol: number; type: number; addend?: bigint }[],
  little = true,
): Uint8Array {
  const size = rows[0]?.addend === undefined ? 16 : 24
  const bytes = new Uint8Array(rows.length * size)
  const view = new DataView(bytes.buffer)
  rows.forEach((row, i) => {
    view.setBigUint64(i * size, row.offset, little)
    view.setBigUint64(i * size + 8, (BigInt(row.symbol) << 32n) | BigInt(row.type), little)
    if (row.addend !== undefined) view.setBigInt64(i * size + 16, row.addend, little)
  })
  return bytes
}

/** Bytes of program headers. */
export function programHeaders(
  rows: readonly { type: number; offset: bigint; vaddr?: bigint; filesz: bigint; memsz: bigint }[],
  little = true,
): Uint8Array {
  const bytes = new Uint8Array(rows.length * 56)
  const view = new DataView(bytes.buffer)
  rows.forEach((row, i) => {
    view.setUint32(i * 56, row.type, little)
    view.setBigUint64(i * 56 + 8, row.offset, little)
    view.setBigUint64(i * 56 + 16, row.vaddr ?? 0n, little)
    view.setBigUint64(i * 56 + 32, row.filesz, little)
    view.setBigUint64(i * 56 + 40, row.memsz, little)
    view.setBigUint64(i * 56 + 48, 8n, little)
  })
  return bytes
}
