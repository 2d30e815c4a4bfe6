import { isTsbpfError } from '@tsbpf/base'
import type { TsbpfError } from '@tsbpf/base'
import { parseElf } from '@tsbpf/elf'
import { describe, expect, it } from 'vitest'
import { golden } from '../test/goldens.ts'
import { parseObject } from './index.ts'

/** A copy of a golden object (little endian), to be damaged on purpose. */
class Damaged {
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(name: string) {
    this.bytes = golden(`${name}.o`)
    this.view = new DataView(this.bytes.buffer)
  }

  section(name: string) {
    const found = parseElf(this.bytes).section(name)
    if (found === undefined) throw new RangeError(name)
    return found
  }

  /** Replaces every occurrence of a text by one of the same length. */
  replace(from: string, to: string): this {
    const codes = (text: string): number[] => Array.from(text, (char) => char.charCodeAt(0))
    const wanted = codes(from)
    for (let at = 0; at + wanted.length <= this.bytes.length; at++) {
      if (wanted.every((code, i) => this.bytes[at + i] === code)) this.bytes.set(codes(to), at)
    }
    return this
  }

  /** Writes a field of a section's header. */
  header(name: string, field: { readonly type?: number; readonly size?: number }): this {
    const at = Number(this.view.getBigUint64(0x28, true)) + this.section(name).index * 64
    if (field.type !== undefined) this.view.setUint32(at + 4, field.type, true)
    if (field.size !== undefined) this.view.setBigUint64(at + 32, BigInt(field.size), true)
    return this
  }

  /** Writes `st_size` of a symbol. */
  symbolSize(name: string, size: bigint): this {
    const { elf, table } = { elf: parseElf(this.bytes), table: this.section('.symtab') }
    const index = elf.symbols.find((symbol) => symbol.name === name)?.index ?? 0
    this.view.setBigUint64(table.offset + index * 24 + 16, size, true)
    return this
  }

  /** Moves the first relocation of a section by some bytes. */
  moveRelocation(table: string, by: bigint): this {
    const at = this.section(table).offset
    this.view.setBigUint64(at, this.view.getBigUint64(at, true) + by, true)
    return this
  }

  /** Writes the immediate of the first call of a subprogram. */
  call(section: string, imm: number): this {
    const { data } = this.section(section)
    for (let slot = 0; slot * 8 < data.length; slot++) {
      if (data[slot * 8] === 0x85 && data[slot * 8 + 1] === 0x10) return this.imm(section, slot, imm)
    }
    throw new RangeError('no call')
  }

  /** Writes a word of 64 bits. */
  word(section: string, at: number, value: bigint): this {
    this.view.setBigUint64(this.section(section).offset + at, value, true)
    return this
  }

  /** Writes the number of elements of the BTF array that says the type of the arena. */
  arenaType(type: number): this {
    const { offset, data } = this.section('.BTF')
    for (let at = 24; at + 24 <= data.length; at += 4) {
      // An array's info, size 0, then its element, index and 33 elements.
      if (this.view.getUint32(offset + at + 4, true) !== 3 << 24) continue
      if (this.view.getUint32(offset + at + 20, true) === 33)
        this.view.setUint32(offset + at + 20, type, true)
    }
    return this
  }

  /** Writes the immediate of an instruction. */
  imm(section: string, slot: number, imm: number): this {
    this.view.setInt32(this.section(section).offset + slot * 8 + 4, imm, true)
    return this
  }
}

function fails(damaged: Damaged): TsbpfError {
  try {
    parseObject(damaged.bytes, { name: 'damaged.o' })
  } catch (error) {
    if (isTsbpfError(error)) return error
    throw error
  }
  throw new RangeError('nothing was thrown')
}

const at = (name: string): Damaged => new Damaged(`${name}.clang-19.el`)
const at22 = (): Damaged => new Damaged('jump-table.clang-22.el')

describe('every error has its cause', () => {
  it.each<[string, Damaged, RegExp]>([
    ['OBJECT_FUNCTION', at('functions').symbolSize('first', 0n), /function first .* got 0 bytes/],
    ['OBJECT_FUNCTION', at('functions').symbolSize('first', 12n), /whole instructions/],
    ['OBJECT_FUNCTION', at('functions').symbolSize('second', 1n << 20n), /an end at or before/],
    ['OBJECT_FUNCTION', at('functions').symbolSize('first', 56n), /after the end of first/],
    ['OBJECT_RELOCATION', at('functions').moveRelocation('.relxdp', 4n), /an instruction, got byte 4/],
    ['OBJECT_RELOCATION', at('functions').moveRelocation('.relxdp', 8n), /a call or a wide load/],
    ['OBJECT_RELOCATION_TARGET', at('functions').header('.bss', { type: 0 }), /total in section \.bss/],
    [
      'OBJECT_CALL_TARGET',
      at('functions').imm('xdp', 0, 3),
      /instruction 0 in section xdp .* start of a function/,
    ],
    ['OBJECT_CALL_TARGET', at('in-section').call('xdp', 1000), /call at instruction \d+ in section xdp/],
    ['OBJECT_MAP', at('maps').replace('max_entries\0', 'mux_entries\0'), /mux_entries .* an unknown field/],
    ['OBJECT_MAP', at('maps').replace('type\0', 'tipe\0'), /map .*tipe/],
    [
      'OBJECT_PIN_NAME',
      at('maps').replace('pinned_counters', '../../etc/passwd'.slice(0, 15)),
      /that is neither/,
    ],
    ['OBJECT_MAP_VALUES', at('maps').moveRelocation('.rel.maps', 4n), /a whole entry/],
    ['OBJECT_DUPLICATE_NAME', at('maps').replace('inner_b\0', 'inner_a\0'), /inner_a/],
    ['OBJECT_DUPLICATE_NAME', at('functions').replace('second\0', 'third\0\0'), /program third/],
    ['OBJECT_EXTERN', at('externs').replace('.ksyms\0', '.ksymz\0'), /section \.ksymz/],
    ['OBJECT_EXTERN', at('externs').replace('libbpf_tristate\0', 'libbpf_tristat_\0'), /CONFIG_VETH/],
    ['OBJECT_VERSION', at('data').header('version', { size: 3 }), /4 bytes, got 3 bytes/],
    ['OBJECT_STRUCT_OPS', at('struct-ops').header('.struct_ops', { size: 8 }), /plain/],
    [
      'OBJECT_STRUCT_OPS',
      at('struct-ops').replace('struct_ops/init\0', 'raw_tp/init\0\0\0\0\0'),
      /plain\.init.* a program of SEC\("struct_ops"\), got on_init/,
    ],
    [
      'OBJECT_STRUCT_OPS',
      at('struct-ops').moveRelocation('.rel.struct_ops', 16n),
      /a pointer to a function, got byte 16/,
    ],
    ['OBJECT_LEGACY_MAPS', at('legacy').symbolSize('counts', 12n), /map counts .* at least 16 bytes, got 12/],
    ['OBJECT_LEGACY_MAPS', at('legacy').symbolSize('counts', 24n), /map counts .* at or before 20, got 24/],
    ['OBJECT_LEGACY_MAPS', at('legacy').symbolSize('flagged', 24n), /map flagged .* before 40, got 44/],
    ['OBJECT_MAP', at('arena').arenaType(2), /section \.addr_space\.1 .* an arena in \.maps, got none/],
    ['OBJECT_JUMP_TABLE', at22().symbolSize('BPF.JT.1.0', 12n), /entries of 8 bytes/],
    ['OBJECT_JUMP_TABLE', at22().symbolSize('BPF.JT.1.0', 1n << 40n), /within \.jumptables/],
    ['OBJECT_JUMP_TABLE', at22().word('.jumptables', 0, 4n), /an instruction of .*, got byte 4/],
    ['OBJECT_JUMP_TABLE', at22().word('.jumptables', 8, 1n << 40n), /an instruction of/],
    ['OBJECT_NO_BTF', at('externs').replace('.BTF\0', '.XTF\0'), /extern .* BTF that describes it/],
  ])('%s', (code, damaged, message) => {
    const error = fails(damaged)
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
    expect(error.message).toMatch(/^damaged\.o: /)
    expect(error.hint).toBeTypeOf('string')
    expect(error.context).toMatchObject({
      file: 'damaged.o',
      path: expect.any(String) as string,
      offset: expect.any(Number) as number,
      expected: expect.any(String) as string,
      actual: expect.any(String) as string,
    })
  })

  it('OBJECT_BTF_EXT', () => {
    const damaged = at('data')
    const { offset } = damaged.section('.BTF.ext')
    // The first row of func_info: behind the header, the row size and the section's row.
    const first = offset + damaged.view.getUint32(offset + 4, true) + 12
    damaged.view.setUint32(first, 4, true)
    expect(fails(damaged)).toMatchObject({ code: 'OBJECT_BTF_EXT' })
  })
})
