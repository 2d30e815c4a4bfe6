import { hexBytes } from '@tsbpf/base'
import type { InsnIndex, TypeId } from '@tsbpf/base'
import { btfBuilder } from '@tsbpf/btf'
import { parseElf } from '@tsbpf/elf'
import { describe, expect, it } from 'vitest'
import { encodeObject, parseObject } from '../index.ts'
import type { FunctionSpec, InsnRelocation, MapSpec, ObjectSpec, ProgramSpec } from '../index.ts'

const bytes = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (digits) => parseInt(digits, 16))
const hex = (data: Uint8Array): string => hexBytes(data).replaceAll(' ', '')
const exit = '9500000000000000'
const call = '8510000000000000'
const wide = '18010000000000000000000000000000'
const at = (insn: number, ref: InsnRelocation['ref']): InsnRelocation => ({ insn: insn as InsnIndex, ref })

function fn(name: string, insns: string, more: Partial<FunctionSpec> = {}): FunctionSpec {
  const none = { relocations: [], coreRelocations: [], lineInfo: [], btfFunc: undefined }
  return {
    name,
    section: '.text',
    sectionOffset: 0,
    binding: 'global',
    insns: bytes(insns),
    ...none,
    ...more,
  }
}

function program(name: string, insns: string, more: Partial<ProgramSpec> = {}): ProgramSpec {
  const kind = {
    type: 'xdp',
    attachType: 'xdp',
    attachTo: undefined,
    sleepable: false,
    autoload: true,
    flags: 0,
  }
  return { ...fn(name, insns), section: 'xdp', ...kind, ...more }
}

function map(name: string, more: Partial<MapSpec> = {}): MapSpec {
  return {
    name,
    kernelName: name,
    type: 'hash',
    typeValue: 1,
    keySize: 4,
    valueSize: 8,
    maxEntries: 16,
    flags: 0,
    extra: 0n,
    numaNode: undefined,
    pinning: 'none',
    keyType: undefined,
    valueType: undefined,
    inner: undefined,
    values: [],
    data: undefined,
    ...more,
  }
}

function section(kind: 'rodata' | 'data' | 'bss', content: Uint8Array, name = `.${kind}`): MapSpec {
  const flags = kind === 'rodata' ? 128 : 0
  const array = { type: 'array', typeValue: 2, maxEntries: 1, flags }
  return map(name, { ...array, valueSize: content.length, data: { section: kind, bytes: content, align: 8 } })
}

function object(more: Partial<ObjectSpec> = {}): ObjectSpec {
  return {
    byteOrder: 'little',
    license: 'GPL',
    kernelVersion: undefined,
    programs: [],
    subprograms: [],
    maps: [],
    variables: [],
    externs: [],
    btf: undefined,
    ...more,
  }
}

const code = (spec: ObjectSpec): unknown => {
  try {
    encodeObject(spec)
  } catch (error) {
    return error
  }
  return undefined
}

describe('an object made by hand', () => {
  const hands = object({
    kernelVersion: 0x060c00,
    programs: [
      program('first', `${wide}${wide}${call}${exit}`, {
        relocations: [
          at(0, { kind: 'map', name: 'counts' }),
          at(2, { kind: 'data', map: '.data', offset: 8 }),
          at(4, { kind: 'subprogram', name: 'helper', use: 'call' }),
        ],
      }),
      program('second', `${wide}${exit}`, {
        sectionOffset: 64,
        binding: 'weak',
        relocations: [at(0, { kind: 'subprogram', name: 'callback', use: 'address' })],
      }),
      program('off', exit, { autoload: false, section: 'tp/syscalls/sys_enter_write', type: 'tracepoint' }),
    ],
    subprograms: [fn('helper', exit), fn('callback', exit, { sectionOffset: 8, binding: 'local' })],
    maps: [
      map('counts', { flags: 1, extra: 5n }),
      map('jumps', { type: 'prog_array', typeValue: 3, valueSize: 4, values: [{ index: 2, name: 'first' }] }),
      map('outer', {
        type: 'array_of_maps',
        typeValue: 12,
        valueSize: 4,
        inner: map('outer.inner', { maxEntries: 1 }),
        values: [{ index: 1, name: 'counts' }],
      }),
      map('large', { extra: 0x1_0000_0000_0000n, numaNode: 0, pinning: 'by_name' }),
      section(
        'data',
        Uint8Array.from({ length: 16 }, (_, i) => i),
      ),
      section('bss', new Uint8Array(8), '.bss.own'),
      section('rodata', Uint8Array.of(1, 2, 3, 4)),
    ],
    variables: [
      { name: 'one', section: '.data', offset: 0, size: 8, type: undefined },
      { name: 'two', section: '.data', offset: 8, size: 8, type: undefined },
    ],
  })
  // Immediates are written; names for the kernel and types of sections are made.
  const no = { insns: 0 }
  const view = ({ programs, subprograms, maps, ...rest }: ObjectSpec): unknown => ({
    ...rest,
    btf: undefined,
    programs: programs.map((one) => ({ ...one, ...no, attachTo: 0, attachType: 0 })),
    subprograms: subprograms.map((one) => ({ ...one, ...no })),
    maps: maps.map((one) => ({ ...one, kernelName: 0, valueType: 0 })),
  })

  it('is read back as it was given', () => {
    const again = parseObject(encodeObject(hands))
    expect(view(again)).toEqual(view(hands))
    expect(again.programs[2]).toMatchObject({ autoload: false, attachTo: 'syscalls/sys_enter_write' })
    expect(encodeObject(again)).toEqual(encodeObject(hands))
  })

  it('is read back so in big endian', () => {
    const big = object({ byteOrder: 'big', maps: [map('counts')], programs: [program('first', exit)] })
    expect(view(parseObject(encodeObject(big)))).toEqual(view(big))
    expect(parseElf(encodeObject(big)).littleEndian).toBe(false)
  })

  it('has immediates that fit their symbols, and exits between functions', () => {
    const elf = parseElf(encodeObject(hands))
    const xdp = elf.section('xdp')!
    const names = elf.relocations(xdp).map((row) => [row.offset, row.type, elf.symbols[row.symbol]?.name])
    expect(names).toEqual([
      [0, 1, 'counts'],
      [16, 1, 'two'],
      [32, 10, 'helper'],
      // Of a static function libbpf wants the section.
      [64, 1, ''],
    ])
    expect(hex(xdp.data.subarray(32, 64))).toBe(`85100000ffffffff${exit.repeat(3)}`)
  })

  it('has no BTF where there is nothing to say', () => {
    const elf = parseElf(encodeObject(object({ programs: [program('pass', exit)] })))
    expect(elf.sections.map(({ name }) => name)).toEqual(['', 'xdp', 'license', '.symtab', '.strtab'])
  })

  it('declares typed variables, externs and lines in its BTF', () => {
    const builder = btfBuilder()
    const int = builder.add({ kind: 'int', name: 'int', size: 4, signed: true })
    const proto = builder.add({ kind: 'func_proto', returnType: int, params: [] })
    const main = builder.add({ kind: 'func', name: 'main', type: proto, linkage: 'global' })
    const line = { insn: 2 as InsnIndex, file: 'a.ts', line: 7, column: 3, text: 'return 0' }
    const spec = object({
      programs: [
        program('main', `${wide}${call}${exit}`, {
          btfFunc: main,
          lineInfo: [{ ...line, fileOffset: 0, textOffset: 0 }],
          coreRelocations: [{ insn: 0 as InsnIndex, type: int, access: '0', kind: 6 }],
          relocations: [
            at(0, { kind: 'extern', name: 'CONFIG_HZ', use: 'address' }),
            at(2, { kind: 'extern', name: 'bpf_kfunc', use: 'call' }),
          ],
        }),
      ],
      maps: [section('data', new Uint8Array(4))],
      variables: [{ name: 'number', section: '.data', offset: 0, size: 4, type: int }],
      externs: [
        { name: 'CONFIG_HZ', kind: 'kconfig', weak: false, type: int },
        { name: 'bpf_kfunc', kind: 'kfunc', weak: true, type: undefined },
        { name: 'jiffies', kind: 'ksym', weak: false, type: undefined },
      ],
      btf: builder.open(),
    })
    const again = parseObject(encodeObject(spec))
    expect(again.programs[0]).toMatchObject({ btfFunc: main, coreRelocations: [{ access: '0', kind: 6 }] })
    expect(again.programs[0]?.lineInfo).toMatchObject([line])
    expect(again.externs.map(({ name, kind, weak }) => [name, kind, weak])).toEqual([
      ['CONFIG_HZ', 'kconfig', false],
      ['bpf_kfunc', 'kfunc', true],
      ['jiffies', 'ksym', false],
    ])
    expect(again.btf?.find('.data', 'datasec')?.size).toBe(4)
    // Mappable, since its variable is described; and the values of the configuration have a place again.
    expect(again.maps.map(({ name, flags }) => [name, flags])).toEqual([
      ['.data', 1024],
      ['.kconfig', 1152],
    ])
    expect(encodeObject(again)).toEqual(encodeObject(spec))
  })
})

describe('a spec that is changed', () => {
  const spec = parseObject(
    encodeObject(object({ maps: [map('counts'), map('other')], programs: [program('pass', exit)] })),
  )

  it('gives an object that says what the spec says, other maps untouched', () => {
    const maps = spec.maps.map((one) => (one.name === 'counts' ? { ...one, maxEntries: 99 } : one))
    const again = parseObject(encodeObject({ ...spec, maps }))
    expect(again.maps).toEqual(maps)
    const less = parseObject(encodeObject({ ...spec, maps: maps.slice(1) }))
    expect(less.maps).toEqual(maps.slice(1))
    const more = parseObject(encodeObject({ ...spec, maps: [...maps, map('new')] }))
    expect(more.maps).toEqual([...maps, map('new')])
  })
})

describe('a spec of bad content', () => {
  const relocated = (insns: string, ...relocations: InsnRelocation[]): ObjectSpec =>
    object({ programs: [program('p', insns, { relocations })], maps: [map('m')] })
  const variable = (name: string, offset: number, size: number, of = '.data') =>
    ({ name, section: of, offset, size, type: undefined }) as const
  const data = section('data', new Uint8Array(8))
  const type = 99 as TypeId
  const line = { insn: 7 as InsnIndex, file: '', line: 1, column: 1, text: '', fileOffset: 0, textOffset: 0 }
  const cases: Record<string, ObjectSpec> = {
    'a map that is not there': relocated(wide + exit, at(0, { kind: 'map', name: 'gone' })),
    'a function that is not there': relocated(call, at(0, { kind: 'subprogram', name: 'gone', use: 'call' })),
    'data that is not there': relocated(wide, at(0, { kind: 'data', map: '.data', offset: 0 })),
    'an extern that is not there': relocated(call, at(0, { kind: 'extern', name: 'gone', use: 'call' })),
    'an instruction beyond the end': relocated(exit, at(1, { kind: 'map', name: 'm' })),
    'a jump beyond the end': relocated(
      wide,
      at(0, { kind: 'jump_table', name: 't', targets: [2 as InsnIndex] }),
    ),
    'a jump to nowhere': relocated(wide, at(0, { kind: 'jump_table', name: 't', targets: [] })),
    'arena variables that are not there': object({
      maps: [map('a', { type: 'arena', typeValue: 33, keySize: 0, valueSize: 0, arena: new Uint8Array(4) })],
      variables: [variable('v', 2, 4, '.addr_space.1')],
    }),
    'no instruction': relocated(exit, at(0.5, { kind: 'map', name: 'm' })),
    'another instruction': relocated(exit, at(0, { kind: 'map', name: 'm' })),
    'a wide load cut in half': relocated(wide.slice(0, 16), at(0, { kind: 'map', name: 'm' })),
    'two references': relocated(wide, at(0, { kind: 'map', name: 'm' }), at(0, { kind: 'map', name: 'm' })),
    'two programs': object({ programs: [program('p', exit), program('p', exit, { sectionOffset: 8 })] }),
    'a program and a subprogram': object({ programs: [program('p', exit)], subprograms: [fn('p', exit)] }),
    'functions that overlap': object({ programs: [program('p', exit), program('q', exit + exit)] }),
    'a function far away': object({ programs: [program('p', exit, { sectionOffset: 2 ** 40 })] }),
    'a function in between': object({ programs: [program('p', exit, { sectionOffset: 4 })] }),
    'half an instruction': object({ programs: [program('p', exit.slice(8))] }),
    'no instructions': object({ programs: [program('p', '')] }),
    'a static program': object({ programs: [program('p', exit, { binding: 'local' })] }),
    'a program in .text': object({ programs: [program('p', exit, { section: '.text' })] }),
    'a global subprogram elsewhere': object({ subprograms: [fn('f', exit, { section: 'xdp' })] }),
    'two maps': object({ maps: [map('m'), map('m')] }),
    'two sections': object({ maps: [data, data] }),
    'entries of a plain map': object({ maps: [map('m', { values: [{ index: 0, name: 'm' }] })] }),
    'an inner map of a plain map': object({ maps: [map('m', { inner: map('i') })] }),
    'an entry far away': object({
      maps: [map('m', { typeValue: 3, values: [{ index: 2 ** 31, name: 'p' }] })],
    }),
    'an entry that is not there': object({
      maps: [map('m', { typeValue: 3, values: [{ index: 0, name: 'p' }] })],
    }),
    'a section of another name': object({ maps: [section('data', new Uint8Array(4), '.rodata')] }),
    'a section of another size': object({ maps: [{ ...data, valueSize: 9 }] }),
    'an empty section': object({ maps: [section('bss', new Uint8Array(0))] }),
    'a kconfig section': object({
      maps: [{ ...data, data: { section: 'kconfig', bytes: new Uint8Array(8) } }],
    }),
    'a variable outside': object({ maps: [data], variables: [variable('v', 5, 4)] }),
    'a variable before': object({ maps: [data], variables: [variable('v', -1, 4)] }),
    'variables that overlap': object({ maps: [data], variables: [variable('v', 0, 4), variable('w', 2, 4)] }),
    'two variables': object({ maps: [data], variables: [variable('v', 0, 4), variable('v', 4, 4)] }),
    'a variable of no section': object({ maps: [data], variables: [variable('v', 0, 4, '.bss')] }),
    'two externs': object({
      externs: [
        { name: 'e', kind: 'ksym', weak: false, type: undefined },
        { name: 'e', kind: 'kfunc', weak: false, type: undefined },
      ],
    }),
    'an extern without a name': object({
      externs: [{ name: '', kind: 'ksym', weak: false, type: undefined }],
    }),
    'a kconfig value without a type': object({
      externs: [{ name: 'e', kind: 'kconfig', weak: false, type: undefined }],
    }),
    'a licence with NUL': object({ license: 'G\0L' }),
    'a FUNC that is not there': object({ programs: [program('p', exit, { btfFunc: type })] }),
    'a local type that is not there': object({
      programs: [
        program('p', exit, { coreRelocations: [{ insn: 0 as InsnIndex, type, access: '0', kind: 0 }] }),
      ],
    }),
    'a line of no instruction': object({ programs: [program('p', exit, { lineInfo: [line] })] }),
  }
  it.each(Object.entries(cases))('is refused: %s', (_, spec) => {
    expect(code(spec)).toMatchObject({ code: 'OBJECT_SPEC' })
  })

  it('is refused where BTF or ELF cannot hold it', () => {
    expect(code(object({ maps: [map('m', { maxEntries: -1 })] }))).toMatchObject({ code: 'BTF_BUILD' })
    expect(code(object({ maps: [map('no identifier')] }))).toMatchObject({ code: 'BTF_BUILD' })
    expect(code(object({ programs: [program('p\0', exit)] }))).toMatchObject({ code: 'ELF_SPEC' })
  })
})
