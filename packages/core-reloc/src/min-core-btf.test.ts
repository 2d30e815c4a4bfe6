import { encodeBtf, parseBtf, swapBtf } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import { parseObject } from '@tsbpf/object'
import type { CoreRelocation, ObjectSpec } from '@tsbpf/object'
import { describe, expect, it } from 'vitest'
import { golden, kernelBtf } from '../test/goldens.ts'
import { makeBtf } from '../test/make-btf.ts'
import type { Made } from '../test/make-btf.ts'
import { insns, reloc } from '../test/make-insns.ts'
import { outcomes } from '../test/outcomes.ts'
import { minCoreBtf } from './index.ts'

const object = (name: string): ObjectSpec => parseObject(golden(name))
const kernel = parseBtf(await kernelBtf())

const int: Made = { int: 'int', size: 4, encoding: 1 }
const base = object('local.bpf.o')

/** An object of one function with nothing but these relocations, each of an instruction that holds `imm`. */
function specOf(local: Btf, relocations: readonly CoreRelocation[], imm = 1): ObjectSpec {
  const [program] = base.programs
  if (program === undefined) throw new TypeError('the fixture has no program')
  const fn = {
    ...program,
    insns: insns(...relocations.map(() => ['mov64_imm', { dst: 1, imm }] as const)),
    coreRelocations: relocations.map((relocation, i) => ({ ...relocation, insn: i as never })),
    lineInfo: [],
  }
  return { ...base, btf: local, programs: [fn], subprograms: [] }
}

describe('minCoreBtf', () => {
  it('keeps the members and enumerators that are asked for, and of pointers none', () => {
    const types: readonly Made[] = [
      int,
      {
        struct: 'task',
        size: 32,
        members: [
          ['pid', 1, 0],
          ['cred', 3, 64],
          ['tgid', 5, 128],
        ],
      },
      { ptr: 4 },
      { struct: 'cred', size: 4, members: [['uid', 1, 0]] },
      { typedef: 'pid_t', to: 1 },
      {
        enum: 'state',
        values: [
          ['RUN', 0],
          ['STOP', 1],
          ['DEAD', 2],
        ],
      },
      { struct: 'not_used', size: 4, members: [['x', 1, 0]] },
    ]
    const full = makeBtf(types)
    const spec = specOf(full, [
      reloc('field_exists', 2, '0:1'),
      reloc('field_exists', 2, '0:2'),
      reloc('enumval_exists', 6, '1'),
    ])
    const min = parseBtf(minCoreBtf([spec], full))
    const all = Array.from({ length: min.endId - 1 }, (_, i) => min.type(i + 1))
    expect(all).toMatchObject([
      { kind: 'int', name: 'int' },
      {
        kind: 'struct',
        name: 'task',
        size: 32,
        members: [
          { name: 'cred', type: 3, offsetBits: 64 },
          { name: 'tgid', type: 4, offsetBits: 128 },
        ],
      },
      { kind: 'ptr', type: 0 },
      { kind: 'typedef', name: 'pid_t', type: 1 },
      { kind: 'enum', name: 'state', values: [{ name: 'STOP', value: 1n }] },
    ])
    expect(all.length).toBe(5)
    expect(outcomes(spec, min)).toEqual(outcomes(spec, full))
  })

  it('keeps a candidate that only agrees where a later relocation needs it', () => {
    const local = makeBtf([
      int,
      {
        struct: 's',
        size: 8,
        members: [
          ['a', 1, 0],
          ['b', 1, 32],
        ],
      },
    ])
    const target = makeBtf([
      int,
      { struct: 's', size: 8, members: [['a', 1, 0]] },
      {
        struct: 's',
        size: 8,
        members: [
          ['a', 1, 0],
          ['b', 1, 32],
        ],
      },
    ])
    // Without `a` in the second, the first relocation would rule it out.
    const spec = specOf(local, [reloc('field_exists', 2, '0:0'), reloc('field_exists', 2, '0:1')])
    const min = parseBtf(minCoreBtf([spec], target))
    expect(outcomes(spec, min)).toEqual(outcomes(spec, target))
    expect(min.idsByName('s').length).toBe(2)
    const once = specOf(local, [reloc('field_exists', 2, '0:0')])
    expect(parseBtf(minCoreBtf([once], target)).idsByName('s').length).toBe(1)
  })

  it('keeps what keeps an array from being the last member', () => {
    const array: Made = { array: 1, length: 0 }
    const local = makeBtf([
      int,
      {
        struct: 's',
        size: 4,
        members: [
          ['n', 1, 0],
          ['a', 3, 32],
        ],
      },
      array,
    ])
    const target = makeBtf([
      int,
      {
        struct: 's',
        size: 8,
        members: [
          ['n', 1, 0],
          ['a', 3, 32],
          ['after', 1, 32],
        ],
      },
      array,
    ])
    // The member is there, its third element is not, as the array is not at the end.
    const spec = specOf(local, [reloc('field_exists', 2, '0:1'), reloc('field_exists', 2, '0:1:2')])
    expect(outcomes(spec, target).map(({ value }) => value)).toEqual([1n, 0n])
    const min = parseBtf(minCoreBtf([spec], target))
    expect(outcomes(spec, min)).toEqual(outcomes(spec, target))
    expect(min.find('s', 'struct')?.members.map(({ name }) => name)).toContain('after')
  })

  it('throws the first failure, or keeps it', () => {
    const local = makeBtf([int, { struct: 's', size: 4, members: [['a', 1, 0]] }])
    const target = makeBtf([
      int,
      { struct: 's', size: 8, members: [['a', 1, 0]] },
      { struct: 's', size: 8, members: [['a', 1, 32]] },
    ])
    const spec = specOf(local, [reloc('byte_off', 2, '0:0')], 0)
    expect(() => minCoreBtf([spec], target)).toThrow(expect.objectContaining({ code: 'CORE_AMBIGUOUS' }))
    const min = parseBtf(minCoreBtf([spec], target, { onFailure: 'collect' }))
    expect(outcomes(spec, min)).toMatchObject([{ code: 'CORE_AMBIGUOUS' }])
  })

  it('gives one BTF for several objects, in the byte order of the target, without its base', () => {
    const specs = [object('kernel.bpf.o'), object('pruning.bpf.o')]
    const swapped = parseBtf(swapBtf(kernel.bytes))
    const options = { onFailure: 'collect' } as const
    const min = parseBtf(minCoreBtf(specs, swapped, options))
    expect(min.littleEndian).toBe(false)
    expect(swapBtf(min.bytes)).toEqual(minCoreBtf(specs, kernel, options))
    for (const spec of specs) expect(outcomes(spec, min)).toEqual(outcomes(spec, swapped))

    const split = parseBtf(
      encodeBtf(
        [
          {
            kind: 'struct',
            name: 'not_in_any_kernel',
            size: 8,
            members: [{ name: 'x', type: kernel.find('int', 'int')?.id ?? 0, offsetBits: 0 }],
          },
        ],
        { base: kernel },
      ),
      { base: kernel },
    )
    const flat = parseBtf(minCoreBtf(specs.slice(0, 1), split, options))
    const gone = (btf: Btf) => outcomes(specs[0]!, btf).filter(({ at }) => at[0] === 'gone_struct')
    expect(flat.base).toBeUndefined()
    expect(gone(min)[0]?.status).toBe('poisoned')
    expect(gone(flat)[0]?.status).toBe('resolved')
  })

  it('knows the size of a pointer that `long` told', () => {
    const types: readonly Made[] = [
      { int: 'long int', size: 4, encoding: 1 },
      { ptr: 1 },
      { struct: 's', size: 4, members: [['p', 2, 0]] },
    ]
    const target = makeBtf(types)
    const spec = specOf(target, [reloc('field_exists', 3, '0:0')])
    expect(parseBtf(minCoreBtf([spec], target)).pointerSize).toBe(4)
  })

  it('is empty for no objects, and for none with relocations', () => {
    expect(parseBtf(minCoreBtf([], kernel)).endId).toBe(1)
  })

  it('made again from what it made, it is the same', () => {
    const spec = object('kernel.bpf.o')
    const min = minCoreBtf([spec], kernel)
    expect(minCoreBtf([spec], parseBtf(min))).toEqual(min)
    expect(outcomes(spec, parseBtf(min))).toEqual(outcomes(spec, kernel))
  })
})
