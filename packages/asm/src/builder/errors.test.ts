import { isTsbpfError } from '@tsbpf/base'
import type { TsbpfError } from '@tsbpf/base'
import { makeInsn } from '@tsbpf/isa'
import { describe, expect, it } from 'vitest'
import { builderErrors } from '../errors.ts'
import { buildInsns } from './build-insns.ts'
import { buildObject } from './build-object.ts'
import { array, struct, u32, u64, u8 } from './c-type.ts'
import { global, kfunc, map, newLabel, program, subprogram } from './definitions.ts'
import { helpers } from './helpers.ts'
import type { FunctionBody, InsnBuilder } from './insn-builder.ts'
import { r0, r1, r10, r2, w0, w1 } from './register.ts'

function failure(run: () => unknown): TsbpfError {
  try {
    run()
  } catch (error) {
    if (isTsbpfError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const failed = (body: FunctionBody, cpu: 'v1' | 'v2' | 'v3' | 'v4' = 'v4'): TsbpfError =>
  failure(() => buildInsns(body, { cpu }))

/** In plain JavaScript nothing checks operands before they are there. */
const unchecked = (b: InsnBuilder) => b as unknown as Record<string, (...all: unknown[]) => InsnBuilder>

const here = 'errors.test.ts'
const long = (count: number) => (b: InsnBuilder) => {
  for (let i = 0; i < count; i++) b.add(r0, 1)
}

interface Case {
  readonly code: keyof typeof builderErrors
  readonly what: string
  readonly error: () => TsbpfError
  readonly message: RegExp
}

const cases: readonly Case[] = [
  {
    code: 'ASM_OPERAND',
    what: 'a register of the wrong width',
    error: () => failed((b) => unchecked(b)['add']!(r0, w1)),
    message: /operand 2 of add: expected a register from r0 to r10, got w1/,
  },
  {
    code: 'ASM_OPERAND',
    what: 'a missing operand',
    error: () => failed((b) => unchecked(b)['ldxw']!(r0)),
    message: /operand 2 of ldxw: expected memory such as r1\.at\(8\), got undefined/,
  },
  {
    code: 'ASM_OPERAND',
    what: 'one operand more',
    error: () => failed((b) => unchecked(b)['exit']!(r0)),
    message: /operand 1 of exit: expected no operand, got r0/,
  },
  {
    code: 'ASM_OPERAND',
    what: 'a misspelt helper',
    error: () =>
      failed((b) => unchecked(b)['call']!((helpers as unknown as Record<string, unknown>)['nothing'])),
    message: /operand 1 of call: expected a helper such as/,
  },
  {
    code: 'ASM_OPERAND',
    what: 'a number where a label has to be',
    error: () => failed((b) => unchecked(b)['ja']!(3)),
    message: /operand 1 of ja: expected a label, got 3/,
  },
  {
    code: 'ASM_OPERAND',
    what: 'a label that is none',
    error: () => failed((b) => unchecked(b)['label']!(3)),
    message: /operand 1 of label: expected a label, got 3/,
  },
  {
    code: 'ASM_OPERAND',
    what: 'a fraction',
    error: () => failed((b) => b.mov(r0, 0.5)),
    message: /operand 2 of mov: expected an integer, got 0\.5/,
  },
  {
    code: 'ASM_OPERAND',
    what: 'a wide load of nothing',
    error: () => failed((b) => unchecked(b)['lddw']!(r0, { kind: 'program' })),
    message: /operand 2 of lddw: expected an integer, a map/,
  },
  {
    code: 'ASM_OPERAND',
    what: 'an instruction that counts a distance',
    error: () => failed((b) => b.insn(makeInsn('ja', { off: 1 }))),
    message: /operand 1 of insn/,
  },
  {
    code: 'ASM_IMMEDIATE',
    what: 'a number that would be sign-extended to another',
    error: () => failed((b) => b.mov(r0, 0xffff_ffff)),
    message: /imm of mov64_imm is 4294967295, expected an integer from -2147483648 to 2147483647/,
  },
  {
    code: 'ASM_IMMEDIATE',
    what: 'a byte',
    error: () => failed((b) => b.stb(r1.at(0), 256)),
    message: /stb is 256/,
  },
  {
    code: 'ASM_IMMEDIATE',
    what: 'a shift',
    error: () => failed((b) => b.lsh(w0, 32)),
    message: /from 0 to 31/,
  },
  {
    code: 'ASM_IMMEDIATE',
    what: 'a division',
    error: () => failed((b) => b.div(r0, 0)),
    message: /and not 0/,
  },
  {
    code: 'ASM_IMMEDIATE',
    what: 'an offset',
    error: () => failed((b) => b.ldxw(r0, r1.at(0x8000))),
    message: /offset of ldxw is 32768/,
  },
  {
    code: 'ASM_IMMEDIATE',
    what: 'more than 64 bits',
    error: () => failed((b) => b.lddw(r0, 1n << 64n)),
    message: /at most 64 bits/,
  },
  {
    code: 'ASM_WRITE_R10',
    what: 'arithmetic',
    error: () => failed((b) => b.mov(r10 as never, 0)),
    message: /mov64_imm writes r10/,
  },
  {
    code: 'ASM_WRITE_R10',
    what: 'a fetch',
    error: () => failed((b) => b.atomic_xchg(r1.at(0), r10 as never)),
    message: /atomic_xchg64 writes r10/,
  },
  {
    code: 'ASM_NO_LABEL',
    what: 'a misspelt one',
    error: () => failed((b) => b.label('loop').jeq(r0, 1, 'lop').exit()),
    message: /has no label lop/,
  },
  {
    code: 'ASM_NO_LABEL',
    what: "another's of the same name",
    error: () => failed((b) => b.label('end').ja(newLabel('end'))),
    message: /has no label end/,
  },
  {
    code: 'ASM_DUPLICATE',
    what: 'two labels',
    error: () => failed((b) => b.label('a').label('a')),
    message: /a second label a; the first is at .*errors\.test\.ts:\d+/,
  },
  {
    code: 'ASM_DUPLICATE',
    what: 'a map and a function',
    error: () => {
      const same = map('same', { type: 'array', key: u32, value: u32, maxEntries: 1 })
      const other = program('same', 'xdp', (b) => b.lddw(r1, same).exit())
      return failure(() => buildObject({ license: 'GPL', programs: [other] }))
    },
    message: /a second map same/,
  },
  {
    code: 'ASM_JUMP_RANGE',
    what: 'beyond 16 bits on v3',
    error: () =>
      failed((b) => {
        b.label('end').mov(r0, 0)
        long(40_000)(b)
        b.ja('end')
      }, 'v3'),
    message: /ja to end is -40002 instructions away, and cpu v3 reaches 32767/,
  },
  {
    code: 'ASM_NO_EXIT',
    what: 'an empty body',
    error: () => failed((b) => b),
    message: /ends with no instruction/,
  },
  {
    code: 'ASM_NO_EXIT',
    what: 'arithmetic last',
    error: () => failed((b) => b.mov(r0, 0)),
    message: /ends with mov64_imm/,
  },
  {
    code: 'ASM_NO_EXIT',
    what: 'a condition last',
    error: () => failed((b) => b.label('a').jeq(r0, 0, 'a')),
    message: /jeq_imm/,
  },
  {
    code: 'ASM_NO_EXIT',
    what: 'a jump to the end',
    error: () => failed((b) => b.jeq(r0, 0, 'end').exit().label('end')),
    message: /ends with the label end/,
  },
  {
    code: 'ASM_CPU',
    what: 'v4',
    error: () => failed((b) => b.sdiv(r0, 2).exit(), 'v3'),
    message: /sdiv64_imm needs cpu v4, and v3/,
  },
  {
    code: 'ASM_CPU',
    what: 'v2',
    error: () => failed((b) => b.jlt(r0, 2, 'a').label('a').exit(), 'v1'),
    message: /jlt_imm needs cpu v2/,
  },
  {
    code: 'ASM_UNRESOLVED',
    what: 'a variable',
    error: () => failed((b) => b.lddw(r1, global('seen', u64)).exit()),
    message: /cannot refer to the global variable seen/,
  },
  {
    code: 'ASM_UNRESOLVED',
    what: 'a kfunc',
    error: () => failed((b) => b.call(kfunc('bpf_x')).exit()),
    message: /cannot refer to the kfunc bpf_x/,
  },
  ...(
    [
      ['a name', () => global('a-b', u32), /a C identifier/],
      ['a value of another type', () => global('a', u32, { value: 'text' }), /a value of its type/],
      ['a value in .bss', () => global('a', u32, { value: 1, section: '.bss' }), /no value in \.bss/],
      [
        'a section',
        () => global('a', u32, { section: '.text' as '.data' }),
        /a section \.data, \.rodata or \.bss/,
      ],
      ['no size', () => global('a', struct('unknown')), /a type that has a size/],
      ['an array of none', () => global('a', array(u8, 0)), /a type that has a size/],
    ] as const
  ).map(([what, make, message]): Case => ({
    code: 'ASM_DEFINITION',
    what,
    error: () => failure(() => buildObject({ license: 'GPL', programs: [], globals: [make()] })),
    message,
  })),
  ...(
    [
      ['no inner map', () => map('a', { type: 'hash_of_maps', key: u32, maxEntries: 1 }), /an inner map/],
      [
        'too many entries',
        () => map('a', { type: 'hash', key: u32, value: u32, maxEntries: 2 ** 32 }),
        /maxEntries/,
      ],
      [
        'entries of a hash',
        () => map('a', { type: 'hash', values: [program('p', 'xdp', (b) => b.exit())] }),
        /of kind nothing/,
      ],
    ] as const
  ).map(([what, make, message]): Case => ({
    code: 'ASM_DEFINITION',
    what,
    error: () => failure(() => buildObject({ license: 'GPL', programs: [], maps: [make()] })),
    message,
  })),
]

describe('errors of the builder', () => {
  it.each(cases)('$code: $what', ({ code, error, message }) => {
    const { code: actual, message: text, hint, context } = error()
    expect(actual).toBe(code)
    expect(text).toMatch(message)
    expect(text).toMatch(/^\S*errors\.test\.ts:\d+:\d+: /)
    expect(context['place']).toContain(here)
    expect(hint).toBeTruthy()
  })

  it('are all provoked here', () => {
    expect([...new Set(cases.map(({ code }) => code))].sort()).toEqual(Object.keys(builderErrors).sort())
  })

  it('suggest the label that was meant', () => {
    expect(failed((b) => b.label('loop').jeq(r0, 1, 'lop').exit()).hint).toMatch(/did you mean loop\?/)
  })

  it('name the line of the call, not of the definition', () => {
    const line = Number(/:(\d+):\d+\)?$/m.exec(new Error().stack!.split('\n')[1]!)?.[1])
    const bad = subprogram('bad', (b) => {
      b.mov(r0, 0)
      b.jeq(r2, 1, 'nowhere')
      b.exit()
    })
    expect(failure(() => buildInsns((b) => b.call(bad).exit())).message).toContain(`${here}:${line + 3}:`)
  })
})
