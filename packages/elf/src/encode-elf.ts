import { checkSpec } from './check-spec.ts'
import type { ElfRelocation } from './elf-file.ts'
import {
  FileHeader,
  fileTypes,
  ident,
  machines,
  RelaRow,
  RelRow,
  SectionHeader,
  sectionFlags,
  sectionTypes,
  SymbolRow,
} from './elf-layout.ts'
import type { ElfSpec, ElfSymbolSpec } from './elf-spec.ts'
import { stringTableBytes } from './string-table-bytes.ts'
import type { StringTableBytes } from './string-table-bytes.ts'

const bindings = { local: 0, global: 1, weak: 2 } as const

/** One section as it will stand in the file. */
interface Placed {
  readonly header: Parameters<typeof SectionHeader.encode>[0]
  readonly data: Uint8Array
}

/** New numbers of symbols by their old ones, local symbols first, as the System V gABI demands. */
function orderSymbols(symbols: readonly ElfSymbolSpec[]) {
  const isLocal = (symbol: ElfSymbolSpec) => (symbol.binding ?? 'local') === 'local'
  const ordered = [...symbols.filter(isLocal), ...symbols.filter((symbol) => !isLocal(symbol))]
  const numbers = new Uint32Array(symbols.length + 1)
  const locals = symbols.filter(isLocal).length
  let [local, other] = [1, locals + 1]
  symbols.forEach((symbol, index) => {
    numbers[index + 1] = isLocal(symbol) ? local++ : other++
  })
  return { ordered, numbers, locals }
}

function symbolBytes(
  symbols: readonly ElfSymbolSpec[],
  names: StringTableBytes,
  little: boolean,
): Uint8Array {
  const bytes = new Uint8Array((symbols.length + 1) * SymbolRow.size)
  const view = new DataView(bytes.buffer)
  symbols.forEach((symbol, index) => {
    const { name, type = 0, binding = 'local', visibility = 0, section = 0, value = 0n, size = 0 } = symbol
    const row = {
      st_name: names.add(name),
      st_info: Uint8Array.of((bindings[binding] << 4) | type),
      st_other: Uint8Array.of(visibility),
      st_shndx: section,
      st_value: value,
      st_size: BigInt(size),
    }
    SymbolRow.write(view, (index + 1) * SymbolRow.size, row, little)
  })
  return bytes
}

function relocationBytes(rows: readonly ElfRelocation[], numbers: Uint32Array, little: boolean): Uint8Array {
  const { size } = rows[0]?.addend === undefined ? RelRow : RelaRow
  const bytes = new Uint8Array(rows.length * size)
  const view = new DataView(bytes.buffer)
  rows.forEach(({ offset, symbol, type, addend }, index) => {
    const row = { r_offset: BigInt(offset), r_info: (BigInt(numbers[symbol] ?? 0) << 32n) | BigInt(type) }
    if (addend === undefined) RelRow.write(view, index * size, row, little)
    else RelaRow.write(view, index * size, { ...row, r_addend: BigInt.asUintN(64, addend) }, little)
  })
  return bytes
}

/** The sections of the file, the null section first, as yet without a place. */
function layOut(spec: ElfSpec, little: boolean): readonly Placed[] {
  const { ordered, numbers, locals } = orderSymbols(spec.symbols ?? [])
  const names = stringTableBytes()
  const tables = spec.sections.filter((section) => (section.relocations ?? []).length > 0).length
  const symtab = spec.sections.length + tables + 1
  const rows: Placed[] = [{ header: {}, data: new Uint8Array(0) }]
  for (const section of spec.sections) {
    const { type = sectionTypes.value('progbits'), link = 0, data = new Uint8Array(0) } = section
    const nobits = type === sectionTypes.value('nobits')
    rows.push({
      header: {
        sh_name: names.add(section.name),
        sh_type: type,
        sh_flags: section.flags ?? 0n,
        sh_addr: section.addr ?? 0n,
        sh_size: BigInt(nobits ? (section.size ?? 0) : data.length),
        sh_link: link === 'symtab' ? symtab : link,
        sh_info: section.info ?? 0,
        sh_addralign: section.addralign ?? 1n,
        sh_entsize: BigInt(section.entsize ?? 0),
      },
      data: nobits ? new Uint8Array(0) : data,
    })
  }
  const table = (name: string, type: number, header: Placed['header'], data: Uint8Array): void => {
    rows.push({
      header: { sh_name: names.add(name), sh_type: type, sh_size: BigInt(data.length), ...header },
      data,
    })
  }
  spec.sections.forEach(({ name, relocations = [] }, index) => {
    if (relocations.length === 0) return
    const kind = relocations[0]?.addend === undefined ? 'rel' : 'rela'
    const header = {
      sh_flags: BigInt(sectionFlags.value('info_link')),
      sh_link: symtab,
      sh_info: index + 1,
      sh_addralign: 8n,
      sh_entsize: BigInt(kind === 'rel' ? RelRow.size : RelaRow.size),
    }
    const data = relocationBytes(relocations, numbers, little)
    table(`.${kind}${name}`, sectionTypes.value(kind), header, data)
  })
  const header = {
    sh_link: symtab + 1,
    sh_info: locals + 1,
    sh_addralign: 8n,
    sh_entsize: BigInt(SymbolRow.size),
  }
  table('.symtab', sectionTypes.value('symtab'), header, symbolBytes(ordered, names, little))
  names.add('.strtab')
  table('.strtab', sectionTypes.value('strtab'), { sh_addralign: 1n }, names.bytes())
  return rows
}

/**
 * Encodes a relocatable ELF64 file of either byte order, such as a BPF object that libbpf, bpftool and cilium/ebpf load.
 *
 * The same spec gives the same bytes, everywhere. Sections come in the order given and keep their numbers; behind them
 * come the tables of relocations (`.rel` or `.rela` and the section's name), `.symtab` and `.strtab`. The result belongs
 * to the caller; nothing of the spec is kept. `elfSpecOf(parseElf(encodeElf(spec)))` is the spec again.
 *
 * Throws `ELF_SPEC` with the path of the value that cannot be written: a number out of range, a name with NUL, a
 * relocation outside its section, more than 65,000 sections.
 *
 * @example
 * ```ts
 * import { encodeElf, parseElf } from '@tsbpf/elf'
 * const bytes = encodeElf({
 *   sections: [{ name: 'xdp', flags: 6n, addralign: 8n, data: Uint8Array.of(0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0) }],
 *   symbols: [{ name: 'pass', type: 2, binding: 'global', section: 1, size: 16 }],
 * })
 * console.log(parseElf(bytes).symbols[1]?.name) // pass
 * ```
 */
export function encodeElf(spec: ElfSpec): Uint8Array {
  checkSpec(spec)
  const little = spec.littleEndian ?? true
  const rows = layOut(spec, little)
  let end: number = FileHeader.size
  const offsets = rows.map(({ header, data }, index) => {
    if (index === 0) return 0
    const align = Math.max(1, Number(header.sh_addralign ?? 1n))
    const offset = Math.ceil(end / align) * align
    end = offset + data.length
    return offset
  })
  const tableAt = Math.ceil(end / 8) * 8
  const bytes = new Uint8Array(tableAt + rows.length * SectionHeader.size)
  const view = new DataView(bytes.buffer)
  const header = {
    e_ident: Uint8Array.of(...ident.magic, 2, little ? 1 : 2, 1),
    e_type: fileTypes.value('relocatable'),
    e_machine: spec.machine ?? machines.value('bpf'),
    e_version: 1,
    e_shoff: BigInt(tableAt),
    e_flags: spec.flags ?? 0,
    e_ehsize: FileHeader.size,
    e_shentsize: SectionHeader.size,
    e_shnum: rows.length,
    e_shstrndx: rows.length - 1,
  }
  FileHeader.write(view, 0, header, little)
  rows.forEach(({ header: row, data }, index) => {
    const offset = offsets[index] ?? 0
    bytes.set(data, offset)
    SectionHeader.write(
      view,
      tableAt + index * SectionHeader.size,
      { ...row, sh_offset: BigInt(offset) },
      little,
    )
  })
  return bytes
}
