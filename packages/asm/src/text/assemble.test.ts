import { TsbpfError } from '@tsbpf/base'
import type { TextProblem } from '@tsbpf/isa'
import { formatInsn, decodeInsns } from '@tsbpf/isa'
import { parseElf } from '@tsbpf/elf'
import { describe, expect, it } from 'vitest'
import type { AssembleOptions } from '../index.ts'
import { assemble, assembleInsns, assembleObject } from '../index.ts'

const program = (body: string): string => `.section xdp\n.globl main\nmain:\n${body}\nexit`

function failure(run: () => unknown): TsbpfError {
  try {
    run()
  } catch (error) {
    if (error instanceof TsbpfError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

function problems(text: string, options: AssembleOptions = {}): readonly TextProblem[] {
  const error = failure(() => assembleObject(text, { name: 'a.s', ...options }))
  expect(error.code).toBe('ASM_TEXT')
  return error.context['problems'] as readonly TextProblem[]
}

const texts = (bytes: Uint8Array): readonly string[] =>
  [...decodeInsns(bytes, { littleEndian: true })].map(({ insn }) => formatInsn(insn, 'conformance'))

describe('code', () => {
  it('knows functions, labels and numbers for them', () => {
    const { programs, subprograms } = assemble(`
      .section tracepoint/raw_syscalls/sys_enter
      .globl on_enter
      on_enter:
        if r1 == 0 goto out
      1: r1 += -1
        if r1 != 0 goto 1b
        call sum; goto 1f
      out: r0 = 0
      1: exit
      .text
      .type sum, @function
      sum: r0 = r1
        exit
      .type other, @function
      other: call sum
        exit`)
    const [main] = programs
    expect(main).toMatchObject({
      name: 'on_enter',
      type: 'tracepoint',
      attachTo: 'raw_syscalls/sys_enter',
      binding: 'global',
    })
    expect(main?.relocations).toEqual([{ insn: 3, ref: { kind: 'subprogram', name: 'sum', use: 'call' } }])
    expect(texts(main!.insns).slice(0, 6)).toEqual([
      'jeq %r1, 0, +4',
      'add %r1, -1',
      'jne %r1, 0, -2',
      'call local -1',
      'ja +1',
      'mov %r0, 0',
    ])
    expect(subprograms.map(({ name, insns, binding }) => [name, insns.length, binding])).toEqual([
      ['sum', 16, 'local'],
      ['other', 16, 'local'],
    ])
    expect(texts(subprograms[1]!.insns)[0]).toBe('call local -3')
  })

  it.each([
    ['llvm', 'r1 = counts ll\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\nout: exit'],
    [
      'verifier',
      '0: (18) r1 = counts ll\n2: (85) call bpf_map_lookup_elem#1\n(15) if r0 == 0x0 goto out\nout: (95) exit',
    ],
    ['gnu', 'lddw %r1,counts\ncall bpf_map_lookup_elem\njeq %r0,0,out\nout: exit'],
    ['conformance', 'lddw %r1, counts\ncall helper bpf_map_lookup_elem\njeq %r0, 0, exit\nexit'],
  ] as const)('takes names in the dialect %s', (dialect, code) => {
    const map = '.map counts, type=array, key=u32, value=u64, max_entries=1'
    const spec = assemble(`${map}\n.section xdp\n.globl main\nmain:\n${code}`, { dialect })
    expect(spec.programs[0]?.relocations).toEqual([{ insn: 0, ref: { kind: 'map', name: 'counts' } }])
    expect(texts(spec.programs[0]!.insns)).toEqual([
      'lddw %r1, 0x0',
      'call helper 1',
      'jeq %r0, 0, +0',
      'exit',
    ])
  })

  it('writes big endian', () => {
    const text = program('r1 = *(u16 *)(r2 + 4)')
    expect(assemble(text, { byteOrder: 'big' }).programs[0]?.insns.subarray(0, 4)).toEqual(
      Uint8Array.of(0x69, 0x12, 0, 4),
    )
    expect(assemble(text).programs[0]?.insns.subarray(0, 4)).toEqual(Uint8Array.of(0x69, 0x21, 4, 0))
  })

  it('gives raw instructions alone', () => {
    expect(texts(assembleInsns('call f\nexit\n.globl f\nf: r0 = answer ll\n.set answer, 42\nexit'))).toEqual([
      'call local +1',
      'exit',
      'lddw %r0, 0x2a',
      'exit',
    ])
    for (const text of ['', '.data\n.long 1', 'exit\n.data\n.long 1', '.extern far\nr1 = far ll\nexit']) {
      expect(failure(() => assembleInsns(text)).code).toBe('ASM_RAW')
    }
  })
})

describe('data', () => {
  it('lays out sections, names and places', () => {
    const elf = parseElf(
      assembleObject(`
        .set four, 2 + (1 + 1)
        .set five, four+1
        .data
        .globl table
        .type table, @object
        table: .byte 1, five, -1; .p2align 1, 0xff
        .2byte 0x0201
        .long four
        here: .quad here, there - here, .-table
        there: .ascii "a;\\n\\"", "\\x41\\101"  # a comment, "quoted"
        .asciz "b" /* over
        lines */
        .skip 2, 0xaa
        .size table, .-table
        .comm spare, 16, 8
        .section .rodata.str1.1,"aMS",@progbits,1
        .string "x"
        .section "odd name; #1", "aw"
        .word 7
        .license "GPL"`),
    )
    const data = elf.section('.data')!
    expect(Buffer.from(data.data).toString('hex')).toBe(
      `0105ffff0102` +
        '04000000' +
        '0a00000000000000' +
        '1800000000000000' +
        '1a00000000000000' +
        '613b0a22' +
        '4141' +
        '6200' +
        'aaaa',
    )
    expect(
      elf.relocations(data).map(({ offset, type, symbol }) => [offset, type, elf.symbols[symbol]?.section]),
    ).toEqual([[10, 2, data.index]])
    expect(elf.symbols.find(({ name }) => name === 'table')).toMatchObject({
      size: 44,
      binding: 'global',
      type: 1,
    })
    expect(elf.section('.bss')).toMatchObject({ type: 8, size: 16, addralign: 8n })
    expect(elf.section('.rodata.str1.1')).toMatchObject({ flags: 0x32n, entsize: 1 })
    expect(elf.section('odd name; #1')).toMatchObject({ flags: 3n, size: 4 })
    expect(new TextDecoder().decode(elf.section('license')?.data)).toBe('GPL\0')
  })

  it('leaves debug information out', () => {
    const text = `.file "x.c"\n.section .debug_info,"",@progbits\n.uleb128 5\n.Linfo: .long .Lnowhere\n${program('.loc 1 2 3\n.cfi_startproc')}`
    expect(parseElf(assembleObject(text)).sections.map(({ name }) => name)).toEqual([
      '',
      'xdp',
      '.symtab',
      '.strtab',
    ])
  })

  it('takes sections one in another', () => {
    const elf = parseElf(
      assembleObject(
        '.data\n.byte 1\n.pushsection .rodata\n.byte 2\n.popsection\n.byte 3\n.section .rodata\n.byte 4\n.previous\n.byte 5',
      ),
    )
    expect([...elf.section('.data')!.data]).toEqual([1, 3, 5])
    expect([...elf.section('.rodata')!.data]).toEqual([2, 4])
  })
})

describe('.map, .kfunc and .ksym', () => {
  it('declare what libbpf needs', () => {
    const spec = assemble(`
      .map counts, type=percpu_hash, key=u32, value=u8[12], max_entries=64, flags=no_prealloc|rdonly, pinning=by_name
      .map sized, type=hash, key_size=6, value_size=10, max_entries=2, map_extra=0x100000000, numa_node=0
      .map events, type=ringbuf, max_entries=0x1000
      .map jumps, type=prog_array, key=u32, max_entries=4, values=[, main]
      .map outer, type=array_of_maps, key=u32, max_entries=2, values=[sized2]
      .map sized2, type=array, key=u32, value=s64, max_entries=1
      .kfunc struct task_struct *bpf_task_from_pid(s32 pid)
      .kfunc void bpf_rcu_read_lock(void)
      .ksym bpf_prog_fops
      .weak bpf_rcu_read_lock
      ${program('call bpf_task_from_pid\ncall bpf_rcu_read_lock\nr1 = bpf_prog_fops ll')}`)
    expect(
      spec.maps.map(({ name, type, keySize, valueSize, maxEntries, flags }) => [
        name,
        type,
        keySize,
        valueSize,
        maxEntries,
        flags,
      ]),
    ).toEqual([
      ['counts', 'percpu_hash', 4, 12, 64, 9],
      ['sized', 'hash', 6, 10, 2, 0],
      ['events', 'ringbuf', 0, 0, 0x1000, 0],
      ['jumps', 'prog_array', 4, 4, 4, 0],
      ['outer', 'array_of_maps', 4, 4, 2, 0],
      ['sized2', 'array', 4, 8, 1, 0],
    ])
    const [counts, sized, , jumps, outer] = spec.maps
    expect(counts?.pinning).toBe('by_name')
    expect([sized?.extra, sized?.numaNode]).toEqual([0x1_0000_0000n, 0])
    expect(jumps?.values).toEqual([{ index: 1, name: 'main' }])
    expect(outer?.values).toEqual([{ index: 0, name: 'sized2' }])
    expect(outer?.inner).toMatchObject({ type: 'array', valueSize: 8 })
    expect(spec.externs.map(({ name, kind, weak }) => [name, kind, weak])).toEqual([
      ['bpf_task_from_pid', 'kfunc', false],
      ['bpf_rcu_read_lock', 'kfunc', true],
      ['bpf_prog_fops', 'ksym', false],
    ])
  })

  it.each([
    ['.map m, type=hsah, key=u32', 14, 'a map type such as hash', 'hash'],
    ['.map m, type=hash, keys=u32', 20, /^a field: type, key/, 'key'],
    ['.map m, type=hash, key=u31', 24, /^u8, u16/, undefined],
    ['.map m, type=hash, flags=no_preallok', 26, 'a map flag', 'no_prealloc'],
    ['.map m, type=hash, type=hash', 20, 'a field that is not there yet', undefined],
    ['.map m, key=u32', 16, 'type=, such as type=hash', undefined],
    ['.map m, type=array_of_maps', 6, 'inner=, a map that is like those in it', undefined],
    ['.map m, type=hash, inner=x', 6, 'no initial entries in this type of map', undefined],
    ['.map m, type=array_of_maps, inner=x', 6, /^an inner map that is declared/, undefined],
    ['.map m, type=hash\n.section .BTF\n.long 1', 6, /^no \.map/, undefined],
    ['.kfunc struct bpf_x *(int)', 22, 'the name of the function', undefined],
    ['.kfunc int f(int, int, int, int, int, int)', 39, 'at most 5 parameters', undefined],
    ['.ksym a, a', 10, 'a name that is not declared yet', undefined],
  ] as const)('%s is wrong at its place', (text, column, expected, suggestion) => {
    const [problem] = problems(text)
    expect(problem).toMatchObject({ line: 1, column, suggestion })
    if (typeof expected === 'string') expect(problem?.expected).toBe(expected)
    else expect(problem?.expected).toMatch(expected)
  })
})
