import { parseElf } from '@tsbpf/elf'
import { describe, expect, it } from 'vitest'
import { golden, goldenSpec } from '../test/goldens.ts'
import { layoutKconfig, parseObject } from './index.ts'
import type { FunctionSpec, ObjectSpec } from './index.ts'

const orders = ['clang-19.el', 'clang-19.eb', 'clang-14.el'] as const

function fn(spec: ObjectSpec, name: string): FunctionSpec {
  const found = [...spec.programs, ...spec.subprograms].find((one) => one.name === name)
  if (found === undefined) throw new RangeError(name)
  return found
}
const refs = (spec: ObjectSpec, name: string) => fn(spec, name).relocations.map(({ ref }) => ref)
const call = (name: string) => ({ kind: 'subprogram', name, use: 'call' })

describe.each(orders)('functions of %s', (order) => {
  const spec = goldenSpec(`functions.${order}.o`)

  it('are programs outside .text, else subprograms', () => {
    expect(spec.byteOrder).toBe(order.endsWith('eb') ? 'big' : 'little')
    expect(spec.programs.map((program) => program.name)).toEqual([
      'first',
      'second',
      'third',
      'not_by_itself',
      'with_fragments',
      'may_sleep',
      'on_connect',
      'called',
      'anywhere',
      'with_pattern',
      'unknown',
    ])
    expect(spec.subprograms.map((one) => one.name).sort()).toEqual(
      ['a', 'b', 'c', 'd', 'e', 'each', 'each_globally', 'parent_tgid'].sort(),
    )
    expect(fn(spec, 'b').binding).toBe('local')
    expect(fn(spec, 'c').binding).toBe('global')
    expect(fn(spec, 'd').binding).toBe('weak')
    expect(fn(spec, 'unknown')).toMatchObject({ binding: 'weak', section: 'my_own/section', type: undefined })
  })

  it('refer by name: with and without a relocation, static and global', () => {
    expect(refs(spec, 'first')).toEqual([call('a')])
    expect(refs(spec, 'a')).toEqual([call('b'), call('parent_tgid')])
    expect(refs(spec, 'c')).toEqual([call('b'), call('b')])
    expect(refs(spec, 'd')).toEqual([call('c')])
    expect(refs(spec, 'b')).toEqual([
      { kind: 'data', map: '.bss', offset: 0 },
      { kind: 'data', map: '.rodata', offset: 0 },
    ])
  })

  it('refer to callbacks by address', () => {
    expect(refs(spec, 'third')).toEqual(
      expect.arrayContaining([
        { kind: 'map', name: 'slots' },
        { kind: 'subprogram', name: 'each', use: 'address' },
        { kind: 'subprogram', name: 'each_globally', use: 'address' },
      ]),
    )
  })

  it('own their lines, CO-RE relocations and FUNC, counted from their start', () => {
    const { btf } = spec
    for (const one of [...spec.programs, ...spec.subprograms]) {
      expect(btf?.nameOf(one.btfFunc ?? 0)).toBe(one.name)
      expect(one.lineInfo[0]).toMatchObject({ insn: 0, file: './functions.bpf.c' })
      expect(one.lineInfo.every((line) => line.insn < one.insns.length / 8)).toBe(true)
    }
    expect(fn(spec, 'may_sleep').lineInfo.map((line) => line.text)).toContain('return 0;')
    const core = fn(spec, 'parent_tgid').coreRelocations
    expect(core.map((row) => [btf?.nameOf(row.type), row.access, row.kind])).toEqual([
      ['task_struct', '0:1', 0],
      ['task_struct', '0:0', 0],
    ])
    expect(core.every((row) => row.insn > 0 && row.insn < fn(spec, 'parent_tgid').insns.length / 8)).toBe(
      true,
    )
    expect(fn(spec, 'b').coreRelocations).toEqual([])
  })

  it('alias the input', () => {
    const bytes = golden(`functions.${order}.o`)
    const { programs } = parseObject(bytes)
    expect(programs.every((program) => program.insns.buffer === bytes.buffer)).toBe(true)
  })

  it('say what their section name says', () => {
    expect(fn(spec, 'not_by_itself')).toMatchObject({
      section: 'tracepoint/syscalls/sys_enter_openat',
      autoload: false,
      attachTo: 'syscalls/sys_enter_openat',
    })
    expect(fn(spec, 'may_sleep')).toMatchObject({ sleepable: true, attachTo: 'bprm_execve', flags: 16 })
  })
})

describe.each(orders)('maps of %s', (order) => {
  const spec = goldenSpec(`maps.${order}.o`)
  const map = (name: string) => spec.maps.find((one) => one.name === name)

  it('carry initial entries by name', () => {
    expect(map('outer_array')?.values).toEqual([
      { index: 1, name: 'inner_a' },
      { index: 3, name: 'inner_b' },
      { index: 4, name: 'inner_a' },
    ])
    expect(map('tails')?.values).toEqual([
      { index: 0, name: 'on_tail' },
      { index: 2, name: 'on_other_tail' },
    ])
    expect(map('outer_hash')?.values).toEqual([])
  })

  it('have types in the BTF of the object', () => {
    expect(spec.btf?.nameOf(map('by_task')?.keyType ?? 0)).toBe('key')
    expect(spec.btf?.nameOf(map('by_task')?.valueType ?? 0)).toBe('value')
    expect(map('by_size')).toMatchObject({ keySize: 4, valueSize: 40, keyType: undefined, flags: 1024 })
  })

  it('know pinning, extra, NUMA node and kernel name', () => {
    expect(map('pinned_counters_with_a_long_name')).toMatchObject({
      pinning: 'by_name',
      kernelName: 'pinned_counters',
    })
    expect(map('bloom')?.extra).toBe(3n)
    expect([map('lru')?.numaNode, map('bloom')?.numaNode]).toEqual([1, undefined])
    expect(map('outer_hash')?.inner).toMatchObject({ name: 'outer_hash.inner', keySize: 8, maxEntries: 7 })
  })
})

describe.each(orders)('data of %s', (order) => {
  const spec = goldenSpec(`data.${order}.o`)
  const map = (name: string) => spec.maps.find((one) => one.name === name)

  it('is variables at places, hidden and static ones left out', () => {
    const little = order.endsWith('el')
    const rows = spec.variables.map((one) => [one.name, one.section, one.size] as const)
    expect(rows).toEqual([
      ['chosen', '.rodata', 4],
      ['settings', '.rodata', 24],
      ['apart', '.rodata.apart', 8],
      ['counter', '.data', 8],
      ['may_be_replaced', '.data', 4],
      ['apart_data', '.data.apart_by_a_long_name', 16],
      ['sums', '.bss', 64],
      ['hits', '.bss', 4],
      ['apart_bss', '.bss.apart', 8],
    ])
    for (const one of spec.variables) {
      expect(spec.btf?.sizeOf(one.type ?? 0)).toBe(one.size)
      const bytes = map(one.section)?.data?.bytes
      expect(bytes?.length).toBeGreaterThanOrEqual(one.offset + one.size)
    }
    const chosen = spec.variables[0]
    const bytes = map('.rodata')?.data?.bytes ?? new Uint8Array()
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    expect(view.getUint32(chosen?.offset ?? 0, little)).toBe(7)
  })

  it('is referred to by section and offset, static variables too', () => {
    const offsets = refs(spec, 'use').filter((ref) => ref.kind === 'data')
    const at = (name: string) => {
      const one = spec.variables.find((variable) => variable.name === name)
      return { kind: 'data', map: one?.section, offset: one?.offset }
    }
    for (const name of ['chosen', 'apart', 'counter', 'may_be_replaced', 'apart_bss', 'hits']) {
      expect(offsets).toContainEqual(at(name))
    }
    // The array of primes stands behind the settings, and only its addend says where.
    const primes = offsets.filter((ref) => ref.map === '.rodata' && ref.offset >= 32)
    expect(primes.length).toBeGreaterThan(0)
  })

  it('has zeroes for .bss, made once and when asked for', () => {
    const bss = map('.bss')?.data
    expect(bss).toMatchObject({ section: 'bss' })
    expect(bss?.bytes).toBe(bss?.bytes)
    expect(bss?.bytes.every((byte) => byte === 0)).toBe(true)
  })

  it('has completed BTF', () => {
    const datasec = spec.btf?.find('.data', 'datasec')
    expect(datasec?.size).toBe(24)
    expect(datasec?.vars.map((row) => row.offset)).toEqual([0, 8, 12, 16, 20])
    const linkage = (name: string) => spec.btf?.find(name, 'var')?.linkage
    expect([linkage('counter'), linkage('hidden_counter')]).toEqual(['global', 'static'])
  })

  it('has licence and version', () => {
    expect([spec.license, spec.kernelVersion]).toEqual(['GPL', 0x060c00])
  })
})

describe.each(orders)('externs of %s', (order) => {
  const spec = goldenSpec(`externs.${order}.o`)

  it('are kconfig values, ksyms and kfuncs', () => {
    const rows = spec.externs.map((one) => `${one.name} ${one.kind}${one.weak ? ' weak' : ''}`)
    expect(rows.sort()).toEqual([
      'CONFIG_BPF_SYSCALL kconfig weak',
      'CONFIG_DEFAULT_HOSTNAME kconfig weak',
      'CONFIG_HZ kconfig',
      'CONFIG_VETH kconfig weak',
      'LINUX_KERNEL_VERSION kconfig',
      'bpf_prog_fops ksym',
      'bpf_task_from_pid kfunc',
      'bpf_task_release kfunc weak',
      'nr_cpu_ids_or_not ksym weak',
    ])
  })

  it('are referred to by name', () => {
    const kinds = new Map(spec.externs.map((one) => [one.name, one.kind]))
    for (const ref of refs(spec, 'use')) {
      if (ref.kind !== 'extern') continue
      expect(kinds.has(ref.name)).toBe(true)
      if (ref.use === 'call') expect(kinds.get(ref.name)).toBe('kfunc')
    }
    expect(refs(spec, 'use')).toContainEqual({ kind: 'extern', name: 'bpf_task_from_pid', use: 'call' })
    expect(refs(spec, 'use')).toContainEqual({ kind: 'extern', name: 'bpf_task_release', use: 'address' })
  })

  it('lay kconfig values out as libbpf does, in the BTF too', () => {
    if (spec.btf === undefined) throw new RangeError('no BTF')
    const { size, slots } = layoutKconfig(spec.externs, spec.btf)
    expect([...slots].map(([name, slot]) => [name, slot.offset, slot.size])).toEqual([
      ['CONFIG_HZ', 0, 8],
      ['CONFIG_VETH', 8, 4],
      ['LINUX_KERNEL_VERSION', 12, 4],
      ['CONFIG_BPF_SYSCALL', 16, 1],
      ['CONFIG_DEFAULT_HOSTNAME', 17, 10],
    ])
    expect(spec.maps.at(-1)).toMatchObject({
      name: '.kconfig',
      kernelName: 'externs.kconfig',
      valueSize: size,
    })
    const datasec = spec.btf.find('.kconfig', 'datasec')
    expect(datasec).toMatchObject({ size })
    expect(datasec?.vars.map((row) => row.offset)).toEqual([0, 8, 12, 16, 17])
  })
})

describe.each(orders)('a static function in the section of a program, %s', (order) => {
  const spec = goldenSpec(`in-section.${order}.o`)

  it('is a subprogram, called by name from within and from elsewhere', () => {
    expect(spec.programs.map((program) => program.name)).toEqual(['entry', 'from_elsewhere'])
    expect(spec.subprograms.map((one) => [one.name, one.section])).toEqual(
      expect.arrayContaining([
        ['helper', 'xdp'],
        ['outer_helper', 'xdp'],
      ]),
    )
    expect(refs(spec, 'entry')).toEqual([call('outer_helper')])
    expect(refs(spec, 'outer_helper')).toEqual([call('helper'), call('helper')])
    expect(refs(spec, 'from_elsewhere')).toEqual([call('helper')])
  })
})

describe('hostile headers', () => {
  /** Changes a field of a section's header: its place in `Elf64_Shdr` by name. */
  function patched(name: string, section: string, field: 'size' | 'type', value: bigint): Uint8Array {
    const bytes = golden(name)
    const view = new DataView(bytes.buffer)
    const index = parseElf(bytes).section(section)?.index ?? 0
    const header = Number(view.getBigUint64(0x28, true)) + index * 64
    if (field === 'size') view.setBigUint64(header + 32, value, true)
    else view.setUint32(header + 4, Number(value), true)
    return bytes
  }

  it.each([1n << 31n, 1n << 40n])('a .bss of %s bytes is refused, not allocated', (size) => {
    const bytes = patched('data.nobtf.el.o', '.bss', 'size', size)
    expect(() => parseObject(bytes)).toThrow(expect.objectContaining({ code: 'OBJECT_DATA_SIZE' }))
  })

  it('a .bss of one gigabyte costs nothing until it is looked at', () => {
    const bytes = patched('data.nobtf.el.o', '.bss', 'size', 1n << 30n)
    const map = parseObject(bytes).maps.find(({ name }) => name === '.bss')
    expect(map?.valueSize).toBe(1 << 30)
    // Not a value that is there already.
    expect(Object.getOwnPropertyDescriptor(map?.data, 'bytes')).not.toHaveProperty('value')
  })

  it('an object for another machine is refused', () => {
    const bytes = golden('data.nobtf.el.o')
    bytes[18] = 62
    expect(() => parseObject(bytes)).toThrow(expect.objectContaining({ code: 'OBJECT_NOT_BPF' }))
    const linked = golden('data.nobtf.el.o')
    linked[16] = 2
    expect(() => parseObject(linked, { name: 'x' })).toThrow(/x: e_type at byte 16/)
  })

  it('maps without BTF are refused', () => {
    const bytes = patched('maps.clang-19.el.o', '.BTF', 'type', 1n)
    const name = Array.from('.BTF\0', (char) => char.charCodeAt(0))
    const at = bytes.findLastIndex((_, i) => name.every((code, j) => bytes[i + j] === code))
    // No section of that name is left.
    bytes[at + 1] = 0x58
    expect(() => parseObject(bytes)).toThrow(expect.objectContaining({ code: 'OBJECT_NO_BTF' }))
  })
})
