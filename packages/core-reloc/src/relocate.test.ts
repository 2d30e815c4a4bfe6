import type { InsnIndex } from '@tsbpf/base'
import { isTsbpfError } from '@tsbpf/base'
import { decodeInsns, swapInsns } from '@tsbpf/isa'
import type { ObjectSpec } from '@tsbpf/object'
import { parseObject } from '@tsbpf/object'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import { golden } from '../test/goldens.ts'
import { makeBtf } from '../test/make-btf.ts'
import type { Made } from '../test/make-btf.ts'
import { insns, reloc } from '../test/make-insns.ts'
import type { CoreResult, RelocateInsnsOptions } from './index.ts'
import { poisonImm, relocate, relocateInsns } from './index.ts'
import { limits } from './limits.ts'

const int: Made = { int: 'int', size: 4, encoding: 1 }
const local = makeBtf([
  int,
  {
    struct: 'task',
    size: 8,
    members: [
      ['pid', 1, 0],
      ['tgid', 1, 32],
    ],
  },
  { struct: 'elsewhere', size: 4, members: [['x', 1, 0]] },
])
const kernel = makeBtf([
  {
    struct: 'task',
    size: 16,
    members: [
      ['flags', 2, 0],
      ['tgid', 2, 32],
      ['pid', 2, 64],
    ],
  },
  int,
])
const targets = [{ name: 'vmlinux', btf: kernel }]
const options: RelocateInsnsOptions = { local, targets, littleEndian: true }
const exit = ['exit'] as const
const decode = (bytes: Uint8Array, littleEndian = true) =>
  [...decodeInsns(bytes, { littleEndian })].map(({ insn }) => insn)

function only(results: readonly CoreResult[]): CoreResult {
  expect(results.length).toBe(1)
  return results[0]!
}

function thrown(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('relocateInsns', () => {
  const load = insns(['ldxw', { dst: 0, src: 1, off: 0 }], exit)

  it('patches a copy and says what it did', () => {
    const before = load.slice()
    const done = relocateInsns(load, [reloc('byte_off', 2, '0:0')], { ...options, program: 'main' })
    expect(load).toEqual(before)
    expect(decode(done.insns)[0]!.off).toBe(8)
    expect(only(done.results)).toMatchObject({
      program: 'main',
      insn: 0,
      kind: 'byte_off',
      localType: { id: 2, name: 'task', kind: 'struct', source: 'object' },
      access: '0:0',
      accessText: 'struct task.pid (0:0 @ offset 0)',
      status: 'resolved',
      oldValue: 0n,
      newValue: 8n,
      targetType: { id: 1, name: 'task', kind: 'struct', source: 'vmlinux' },
      error: undefined,
    })
    expect(done.results[0]!.before).toEqual(before.subarray(0, 8))
    expect(done.results[0]!.after).toEqual(done.insns.subarray(0, 8))
  })

  it('does not write to a view whose slice() is a view too, as that of a Node Buffer', () => {
    class Aliasing extends Uint8Array {
      override slice(start?: number, end?: number) {
        return this.subarray(start, end)
      }
    }
    const buffer = new Aliasing(load.length)
    buffer.set(load)
    const done = relocateInsns(buffer, [reloc('byte_off', 2, '0:0')], options)
    expect([...buffer]).toEqual([...load])
    expect(done.insns).not.toBe(buffer)
  })

  it('gives back the same bytes where nothing changes', () => {
    const same = insns(['ldxw', { dst: 0, src: 1, off: 4 }], exit)
    const done = relocateInsns(same, [reloc('byte_off', 2, '0:1')], options)
    expect(done.insns).toBe(same)
    expect(done.results[0]!.status).toBe('resolved')
  })

  it('patches big-endian instructions', () => {
    const done = relocateInsns(swapInsns(load), [reloc('byte_off', 2, '0:0')], {
      ...options,
      littleEndian: false,
    })
    expect(decode(done.insns, false)[0]!.off).toBe(8)
  })

  it('poisons both slots of a wide instruction, and nothing else', () => {
    const wide = insns(['lddw', { dst: 3, imm64: 1n }], ['mov64_imm', { dst: 0, imm: 7 }], exit)
    const btf = makeBtf([{ enum: 'colour', values: [['RED', 1]] }])
    const done = relocateInsns(wide, [reloc('enumval_value', 1)], { ...options, local: btf })
    const after = decode(done.insns)
    expect(after.map(({ op, dst, src, off, imm }) => [op, dst, src, off, imm])).toEqual([
      ['call', 0, 0, 0, poisonImm],
      ['call', 0, 0, 0, poisonImm],
      ['mov64_imm', 0, 0, 0, 7],
      ['exit', 0, 0, 0, 0],
    ])
    const result = only(done.results)
    expect(result).toMatchObject({ status: 'poisoned', oldValue: 1n, newValue: undefined, candidates: [] })
    expect(result.before.length).toBe(16)
  })

  it.each<[string, Uint8Array, ReturnType<typeof reloc>, string]>([
    ['a jump', insns(['ja', { off: 0 }], exit), reloc('byte_off', 2, '0:0'), 'CORE_INSN'],
    [
      'arithmetic on a register',
      insns(['add64_reg', { dst: 1, src: 2 }], exit),
      reloc('byte_off', 2, '0:0'),
      'CORE_INSN',
    ],
    ['a map', insns(['lddw_map_fd', { dst: 1 }], exit), reloc('byte_off', 2, '0:0'), 'CORE_INSN'],
    ['a place past the end', load, reloc('byte_off', 2, '0:0', 2), 'CORE_INSN'],
    [
      'half a wide instruction',
      insns(['lddw', { dst: 1 }]).subarray(0, 8),
      reloc('byte_off', 2, '0:0'),
      'CORE_INSN',
    ],
    [
      'an immediate of another value',
      insns(['mov64_imm', { dst: 1, imm: 1 }], exit),
      reloc('byte_off', 2, '0:0'),
      'CORE_INSN_VALUE',
    ],
    [
      'an offset of another value',
      insns(['ldxw', { off: 4 }], exit),
      reloc('byte_off', 2, '0:0'),
      'CORE_INSN_VALUE',
    ],
    ['an empty accessor string', load, reloc('byte_off', 2, ''), 'CORE_ACCESS'],
    ['an accessor string with a colon at the end', load, reloc('byte_off', 2, '0:0:'), 'CORE_ACCESS'],
    ['an accessor string with a sign', load, reloc('byte_off', 2, '0:-1'), 'CORE_ACCESS'],
    ['an index of 32 bits', load, reloc('byte_off', 2, '0:4294967295'), 'CORE_ACCESS'],
    ['a member that is not there', load, reloc('byte_off', 2, '0:2'), 'CORE_ACCESS'],
    ['a member of an int', load, reloc('byte_off', 2, '0:0:0'), 'CORE_ACCESS'],
    ['65 indexes', load, reloc('byte_off', 2, Array(65).fill('0').join(':')), 'CORE_ACCESS'],
    ['a type with a path', load, reloc('type_exists', 2, '0:0'), 'CORE_ACCESS'],
    ['an enumerator of a struct', load, reloc('enumval_value', 2, '0'), 'CORE_ACCESS'],
    [
      'a shift of an array element',
      insns(['mov64_imm', {}], exit),
      reloc('lshift_u64', 2, '0'),
      'CORE_UNSUPPORTED_KIND',
    ],
    ['an offset beyond 32 bits', load, reloc('byte_off', 2, '2147483647:0'), 'CORE_VALUE'],
    ['a type that is not there', load, reloc('byte_off', 99, '0:0'), 'CORE_BTF'],
    ['void', load, reloc('byte_off', 0, '0'), 'CORE_BTF'],
    ['an unknown kind', load, { ...reloc('byte_off', 2, '0:0'), kind: 13 }, 'CORE_UNSUPPORTED_KIND'],
    ['bytes that are no instructions', load.subarray(0, 9), reloc('byte_off', 2, '0:0'), 'CORE_BTF'],
  ])('fails on %s and leaves the instructions alone', (_, bytes, relocation, code) => {
    const done = relocateInsns(bytes, [relocation], { ...options, program: 'main' })
    const result = only(done.results)
    expect(result.status).toBe('failed')
    expect(done.insns).toBe(bytes)
    expect(isTsbpfError(result.error, code) ? code : result.error).toBe(code)
    expect(result.error!.message).toMatch(/^main insn \d+: \S+ of /)
    expect(result.error!.hint).toBeTruthy()
    expect(result.newValue).toBeUndefined()
  })

  it('names program, source line, access and losing candidates in the error it throws', () => {
    const lineInfo = [
      {
        insn: 0 as InsnIndex,
        file: 'a.c',
        line: 3,
        column: 1,
        text: 'return p->x;',
        fileOffset: 0,
        textOffset: 0,
      },
    ]
    const flavoured = makeBtf([
      int,
      { struct: 'task___a', size: 4, members: [['pid', 1, 0]] },
      { struct: 'task___b', size: 8, members: [['pid', 1, 32]] },
      { struct: 'task___c', size: 8, members: [] },
    ])
    const error = thrown(() =>
      relocateInsns(load, [reloc('byte_off', 2, '0:0')], {
        ...options,
        targets: [{ name: 'vmlinux', btf: flavoured }],
        program: 'main',
        lineInfo,
        onFailure: 'throw',
      }),
    )
    expect(isTsbpfError(error, 'CORE_AMBIGUOUS') && error.message).toBe(
      'main insn 0 (a.c:3): byte_off of struct task.pid (0:0 @ offset 0): struct task___a.pid (0:0 @ offset 0) and ' +
        'struct task___b.pid (0:0 @ offset 4) both fit, but disagree',
    )
    expect(isTsbpfError(error) && error.context).toMatchObject({ program: 'main', insn: 0, access: '0:0' })
  })

  it('refuses to relocate to nothing, but has nothing against it where there is nothing to relocate', () => {
    const error = thrown(() =>
      relocateInsns(load, [reloc('byte_off', 2, '0:0')], { ...options, targets: [] }),
    )
    expect(isTsbpfError(error, 'CORE_NO_TARGET')).toBe(true)
    expect(relocateInsns(load, [], { ...options, targets: [] })).toEqual({ insns: load, results: [] })
  })

  it('fails the second time, because the value is no longer the local one', () => {
    const relocation = reloc('byte_off', 2, '0:0')
    const once = relocateInsns(load, [relocation], options)
    const twice = relocateInsns(once.insns, [relocation], options)
    expect(isTsbpfError(twice.results[0]!.error, 'CORE_INSN_VALUE')).toBe(true)
  })

  it('stops at its budget, soon', { timeout: 20_000 }, () => {
    const load = insns(['ldxw', {}], exit)
    // Every candidate leads to the same many anonymous structs, each time for nothing.
    const wide = 10_000
    const many = makeBtf([
      int,
      ...Array.from({ length: wide }, (): Made => ({ struct: '', size: 4, members: [['m', 1, 0]] })),
      { struct: '', size: 4, members: Array.from({ length: wide }, (_, i) => ['', i + 2, 0] as const) },
      ...Array.from({ length: 400 }, (_, i): Made => ({
        struct: `s___${i}`,
        size: 4,
        members: [['', wide + 2, 0]],
      })),
    ])
    const small = makeBtf([int, { struct: 's', size: 4, members: [['x', 1, 0]] }])
    expect(wide * 400).toBeGreaterThan(limits.steps)
    const started = cpuTime()
    const done = relocateInsns(load, [reloc('byte_off', 2, '0:0')], {
      ...options,
      local: small,
      targets: [{ name: 'vmlinux', btf: many }],
    })
    expect(isTsbpfError(done.results[0]!.error, 'CORE_LIMIT')).toBe(true)
    expect(cpuTime() - started).toBeLessThan(3_000)
  })
})

describe('candidates', () => {
  const load = insns(['ldxw', { dst: 0, src: 1, off: 0 }], exit)
  const withX = (at: number): Made[] => [int, { struct: 'elsewhere', size: 8, members: [['x', 1, at * 8]] }]
  const module = (name: string, at: number) => ({
    name,
    btf: makeBtf([{ struct: 'elsewhere', size: 64, members: [['x', 2, at * 8]] }], kernel),
  })
  const at = (list: RelocateInsnsOptions['targets']) =>
    only(relocateInsns(load, [reloc('byte_off', 3, '0:0')], { ...options, targets: list }).results)

  it('come from modules where the kernel has none', () => {
    const result = at([...targets, module('one', 8)])
    expect(result).toMatchObject({ status: 'resolved', newValue: 8n, targetType: { source: 'one', id: 3 } })
  })

  it('come from the kernel alone where it has one', () => {
    const result = at([module('one', 8), { name: 'vmlinux', btf: makeBtf(withX(4)) }])
    expect(result).toMatchObject({ newValue: 4n, targetType: { source: 'vmlinux' } })
    expect(result.candidates.length).toBe(1)
  })

  it('come from all modules together, which must agree', () => {
    expect(at([...targets, module('one', 8), module('two', 8)])).toMatchObject({
      newValue: 8n,
      candidates: [{ verdict: 'chosen' }, { verdict: 'agrees' }],
    })
    const disagreeing = at([...targets, module('one', 8), module('two', 12)])
    expect(isTsbpfError(disagreeing.error, 'CORE_AMBIGUOUS')).toBe(true)
  })

  it('of a corrupt module fail nothing', () => {
    // A member of a type that is not there: found out only where the type is looked at.
    const corrupt = {
      name: 'corrupt',
      btf: makeBtf([{ struct: 'elsewhere', size: 64, members: [['x', 999, 0]] }], kernel),
    }
    const result = at([...targets, corrupt, module('one', 8)])
    expect(result).toMatchObject({ status: 'resolved', newValue: 8n, targetType: { source: 'one' } })
    expect(result.candidates[0]?.why).toMatch(/malformed/)
    expect(at([...targets, corrupt])).toMatchObject({ status: 'poisoned' })
    // The kernel's own is another matter.
    const own = at([{ name: 'vmlinux', btf: corrupt.btf }])
    expect(isTsbpfError(own.error, 'CORE_BTF')).toBe(true)
  })

  it('never mix two layouts: one that is ruled out stays out', () => {
    const local = makeBtf([
      int,
      {
        struct: 'adapter',
        size: 12,
        members: [
          ['both', 1, 0],
          ['old_only', 1, 32],
          ['new_only', 1, 64],
        ],
      },
    ])
    const kernels = makeBtf([
      int,
      {
        struct: 'adapter',
        size: 64,
        members: [
          ['both', 1, 32],
          ['old_only', 1, 64],
        ],
      },
      {
        struct: 'adapter',
        size: 64,
        members: [
          ['both', 1, 32],
          ['new_only', 1, 128],
        ],
      },
    ])
    const code = insns(['ldxw', { off: 0 }], ['ldxw', { off: 4 }], ['ldxw', { off: 8 }], exit)
    const run = (...members: readonly number[]) => {
      const relocations = members.map((member) => reloc('byte_off', 2, `0:${member}`, member))
      return relocateInsns(code, relocations, {
        local,
        targets: [{ name: 'vmlinux', btf: kernels }],
        littleEndian: true,
      }).results.map(({ status, newValue }) => newValue ?? status)
    }
    expect(run(0, 1, 2)).toEqual([4n, 8n, 'poisoned'])
    // The documented exception: the relocation that comes first decides which layout is meant.
    expect(run(0, 2, 1)).toEqual([4n, 16n, 'poisoned'])
  })

  it('of a module are its own types, not those of its base', () => {
    const result = only(
      relocateInsns(load, [reloc('byte_off', 2, '0:0')], {
        ...options,
        targets: [{ name: 'other.btf', btf: makeBtf([int]) }, module('one', 8)],
      }).results,
    )
    expect(result).toMatchObject({ status: 'poisoned', candidates: [] })
  })

  it('must be of the same kind: an anonymous local type has none', () => {
    const anonymous = makeBtf([int, { struct: '', size: 4, members: [['x', 1, 0]] }])
    const result = only(
      relocateInsns(load, [reloc('byte_off', 2, '0:0')], { ...options, local: anonymous }).results,
    )
    expect(isTsbpfError(result.error, 'CORE_ANONYMOUS')).toBe(true)
  })
})

describe('relocate', () => {
  const spec = parseObject(golden('pruning.bpf.o'))
  const own = spec.btf!

  it('replaces instructions and drops the relocations that are done', () => {
    const { spec: done, results } = relocate(spec, { targets: [{ name: 'own', btf: own }] })
    expect(results.length).toBe(9)
    expect(results.every(({ status }) => status === 'resolved')).toBe(true)
    expect(done.programs.every((program) => program.coreRelocations.length === 0)).toBe(true)
    expect(done.programs.map(({ name }) => name)).toEqual(spec.programs.map(({ name }) => name))
    // Against its own BTF nothing changes: even the instructions' bytes are the same objects.
    done.programs.forEach((program, i) => expect(program.insns).toBe(spec.programs[i]!.insns))
    done.subprograms.forEach((fn, i) => expect(fn.insns).toBe(spec.subprograms[i]!.insns))
    expect(relocate(done, { targets: [] })).toEqual({ spec: done, results: [] })
  })

  it('keeps the relocations that failed', () => {
    const twice = makeBtf([
      int,
      { struct: 'gamma___1', size: 8, members: [['only_b', 1, 0]] },
      { struct: 'gamma___2', size: 8, members: [['only_b', 1, 32]] },
    ])
    const { spec: done, results } = relocate(spec, { targets: [{ name: 'vmlinux', btf: twice }] })
    const failed = results.filter(({ status }) => status === 'failed')
    expect(failed.map(({ program }) => program)).toEqual(['calls'])
    const left = done.programs.filter(({ coreRelocations }) => coreRelocations.length > 0)
    expect(left.map(({ name }) => name)).toEqual(['calls'])
  })

  it('relocates what is included', () => {
    const { spec: done, results } = relocate(spec, {
      targets: [{ name: 'own', btf: own }],
      include: ({ name }) => name === 'uses_gamma',
    })
    expect(results.map(({ program }) => program)).toEqual(['uses_gamma'])
    expect(done.programs.find(({ name }) => name === 'calls')).toBe(
      spec.programs.find(({ name }) => name === 'calls'),
    )
  })

  it('throws the first failure where asked to', () => {
    const btf = makeBtf([
      int,
      { struct: 'gamma___1', size: 8, members: [['only_b', 1, 0]] },
      { struct: 'gamma___2', size: 8, members: [['only_b', 1, 32]] },
    ])
    const run = () => relocate(spec, { targets: [{ name: 'vmlinux', btf }], onFailure: 'throw' })
    expect(isTsbpfError(thrown(run), 'CORE_AMBIGUOUS')).toBe(true)
  })

  it('says what is missing', () => {
    const without: ObjectSpec = { ...spec, btf: undefined }
    expect(
      isTsbpfError(
        thrown(() => relocate(without, { targets })),
        'CORE_NO_BTF',
      ),
    ).toBe(true)
    expect(
      isTsbpfError(
        thrown(() => relocate(spec, { targets: [] })),
        'CORE_NO_TARGET',
      ),
    ).toBe(true)
  })
})
