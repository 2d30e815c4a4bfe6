import type { InsnIndex, TypeId } from '@tsbpf/base'
import { isTsbpfError } from '@tsbpf/base'
import { InsnView } from '@tsbpf/isa'
import { describe, expect, it } from 'vitest'
import { linkSubprograms } from './index.ts'
import type { FunctionSpec, InsnReference, LineInfo, ObjectSpec, ProgramSpec } from './index.ts'

const slot = (...bytes: number[]): number[] => [...bytes, ...new Array<number>(8 - bytes.length).fill(0)]
const call = slot(0x85)
const wide = [...slot(0x18, 0x02), ...slot()]
const exit = slot(0x95)
const line: LineInfo = {
  insn: 0 as InsnIndex,
  file: 'a.c',
  line: 1,
  column: 1,
  text: 'x',
  fileOffset: 0,
  textOffset: 0,
}

function fn(name: string, code: number[][], refs: [number, InsnReference][]): FunctionSpec {
  return {
    name,
    section: '.text',
    sectionOffset: 0,
    binding: 'global',
    insns: new Uint8Array(code.flat()),
    relocations: refs.map(([insn, ref]) => ({ insn: insn as InsnIndex, ref })),
    coreRelocations: [],
    btfFunc: name.length as TypeId,
    lineInfo: [line],
  }
}

function program(base: FunctionSpec): ProgramSpec {
  const kind = {
    type: 'xdp',
    attachType: 'xdp',
    attachTo: undefined,
    sleepable: false,
    autoload: true,
    flags: 0,
  }
  return { ...base, section: 'xdp', ...kind }
}

function spec(
  main: ProgramSpec,
  subprograms: FunctionSpec[],
  byteOrder: ObjectSpec['byteOrder'] = 'little',
): ObjectSpec {
  return {
    byteOrder,
    license: 'GPL',
    kernelVersion: undefined,
    programs: [main],
    subprograms,
    maps: [],
    variables: [],
    externs: [],
    btf: undefined,
  }
}

const to = (name: string, use: 'call' | 'address' = 'call'): InsnReference => ({
  kind: 'subprogram',
  name,
  use,
})

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (isTsbpfError(error)) return error.code
    throw error
  }
  return 'no error'
}

describe('linkSubprograms', () => {
  const main = program(
    fn(
      'main',
      [call, wide, call, exit],
      [
        [0, to('one')],
        [1, to('two', 'address')],
        [3, { kind: 'extern', name: 'kfunc', use: 'call' }],
      ],
    ),
  )
  const one = fn('one', [call, exit], [[0, to('three')]])
  const two = fn('two', [wide, exit], [[0, { kind: 'map', name: 'counts' }]])
  const three = fn('three', [call, exit], [[0, to('main')]])
  const unused = fn('unused', [exit], [])

  it.each(['little', 'big'] as const)('appends depth first and patches in %s endian', (byteOrder) => {
    const object = spec(main, [unused, two, three, one], byteOrder)
    const linked = linkSubprograms(object, main)
    expect(linked.functions).toEqual([
      { name: 'main', startSlot: 0, btfFunc: 4 },
      { name: 'one', startSlot: 5, btfFunc: 3 },
      { name: 'three', startSlot: 7, btfFunc: 5 },
      { name: 'two', startSlot: 9, btfFunc: 3 },
    ])
    const code = new InsnView(linked.insns, { littleEndian: byteOrder === 'little' })
    expect([code.count, code.src(0), code.imm(0)]).toEqual([12, 1, 4])
    expect([code.src(1), code.imm(1)]).toEqual([4, 7])
    expect([code.src(5), code.imm(5)]).toEqual([1, 1])
    expect([code.src(7), code.imm(7)]).toEqual([1, -8])
    // A wide load keeps its destination.
    expect(code.dst(1)).toBe(byteOrder === 'little' ? 2 : 0)
  })

  it('moves what stays symbolic, and lines', () => {
    const linked = linkSubprograms(spec(main, [one, two, three]), main)
    expect(linked.relocations).toEqual([
      { insn: 3, ref: { kind: 'extern', name: 'kfunc', use: 'call' } },
      { insn: 9, ref: { kind: 'map', name: 'counts' } },
    ])
    expect(linked.lineInfo.map((row) => row.insn)).toEqual([0, 5, 7, 9])
  })

  it('changes nothing of the spec', () => {
    const before = [main, one, two, three].map((each) => each.insns.slice())
    linkSubprograms(spec(main, [one, two, three]), main)
    expect([main, one, two, three].map((each) => each.insns)).toEqual(before)
  })

  it('takes the program that is given, not the one of that name in the spec', () => {
    const changed = { ...main, insns: new Uint8Array([...exit, ...wide, ...call, ...exit]), relocations: [] }
    expect(linkSubprograms(spec(main, [one, two, three]), changed).insns).toEqual(changed.insns)
  })

  it('follows chains of any length', () => {
    const length = 50_000
    const chain = Array.from({ length }, (_, i) =>
      fn(`f${i}`, [call, exit], i + 1 < length ? [[0, to(`f${i + 1}`)]] : []),
    )
    const head = program(fn('head', [call, exit], [[0, to('f0')]]))
    expect(linkSubprograms(spec(head, chain), head).functions.length).toBe(length + 1)
  })

  it('names what is missing and what is near', () => {
    const head = program(fn('head', [call, exit], [[0, to('tow')]]))
    try {
      linkSubprograms(spec(head, [two]), head)
      expect.unreachable()
    } catch (error) {
      if (!isTsbpfError(error, 'OBJECT_NO_SUBPROGRAM')) throw error
      expect(error.hint).toMatch(/did you mean two\?/)
    }
  })

  it('refuses a reference at an instruction that cannot take it', () => {
    const wrong = program(fn('wrong', [exit, exit], [[0, to('two')]]))
    expect(codeOf(() => linkSubprograms(spec(wrong, [two]), wrong))).toBe('OBJECT_REFERENCE_INSN')
    const beyond = program(fn('beyond', [call, exit], [[2, to('two')]]))
    expect(codeOf(() => linkSubprograms(spec(beyond, [two]), beyond))).toBe('OBJECT_REFERENCE_INSN')
  })

  it('refuses a program that no kernel would take', () => {
    const huge = { ...unused, name: 'huge', insns: new Uint8Array(8 * 1_000_000) }
    const head = program(fn('head', [call, exit], [[0, to('huge')]]))
    expect(codeOf(() => linkSubprograms(spec(head, [huge]), head))).toBe('OBJECT_PROGRAM_SIZE')
  })
})
