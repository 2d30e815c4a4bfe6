import { TsbpfError } from '@tsbpf/base'
import type { TextProblem } from '@tsbpf/isa'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import { assemble, assembleObject } from '../index.ts'

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

function problems(text: string): readonly TextProblem[] {
  const error = failure(() => assembleObject(text, { name: 'a.s' }))
  expect(error.code).toBe('ASM_TEXT')
  return error.context['problems'] as readonly TextProblem[]
}

describe('mistakes', () => {
  it('are reported many at once, with carets and what was meant', () => {
    const error = failure(() =>
      assembleObject(
        [
          '.sectoin xdp',
          '.section xdp',
          '.globl main',
          'main:\tr1 = conuts ll',
          '  call bpf_map_lookup_elen',
          '  r1 += 0x100000000',
          '  goto nowhere',
          'main: exit',
          '.byte 256, "x"',
          '.map counts, type=array, key=u32, value=u64, max_entries=1',
        ].join('\n'),
        { name: 'a.s' },
      ),
    )
    const list = error.context['problems'] as readonly TextProblem[]
    expect(list.map(({ line, column, suggestion }) => [line, column, suggestion])).toEqual([
      [1, 1, '.section'],
      [4, 12, 'counts'],
      [5, 8, 'bpf_map_lookup_elem'],
      [6, 9, undefined],
      [7, 8, undefined],
      [8, 1, undefined],
      [9, 7, undefined],
    ])
    expect(error.message).toContain(
      'a.s:1:1: expected a directive, got ".sectoin"; did you mean .section?\n  .sectoin xdp\n  ^',
    )
    expect(error.message).toContain('  main:\tr1 = conuts ll\n       \t     ^')
    expect(error.hint).toBe('line 1: did you mean .section?')
  })

  it.each([
    ['exit', 1, /^a function before the code of section \.text/],
    [
      program('call bpf_nothing_like_it_at_all'),
      6,
      'a name that is defined, or declared by .extern, .kfunc or .ksym',
    ],
    [program('goto 1f'), 6, 'a label that is defined'],
    [program('goto far\n.section tc\nfar: exit'), 6, 'a label of section xdp'],
    ['.data\nr1 = 0', 1, 'a directive: section .data holds no code'],
    [program('.byte 1\nr1 = 0'), 1, 'an instruction at a multiple of 8 bytes: put .p2align 3 before it'],
    ['.bss\n.byte 1', 7, 'a section with contents, not .bss'],
    ['.data\n.zero 0x7fffffff', 7, /^at most \d+ bytes$/],
    ['.bss\n.zero 0x7fffffff\n.zero 1', 7, /^at most \d+ bytes$/],
    ['.section a, "aq"', 13, /^flags of/],
    ['.section a, "a"\n.section a, "aw"', 10, 'section a with the flags that it has already'],
    ['.popsection', 12, 'a .pushsection before'],
    ['.p2align 17', 10, 'an alignment from 0 to 16'],
    ['.align 3', 8, 'a power of two'],
    ['.type main, @thing', 13, '@function or @object'],
    ['.ascii "\\q"', 9, 'an escape such as \\n, \\x41 or \\101'],
    ['.ascii "open', 8, 'a string in quotes'],
    ['.license GPL', 10, 'a licence in quotes such as "GPL"'],
    ['.license "GPL"\n.license "MIT"', 10, 'one licence'],
    ['.data\n.quad nowhere', 7, 'a name that is defined, or declared by .extern, .kfunc or .ksym'],
    ['.data\na:\n.bss\nb: .data\n.quad a-b', 7, 'a number, or the distance of names of one section'],
    ['.data\na: .byte a', 10, 'a place in .long or .quad'],
    ['.set a, b\n.set b, a\n.data\n.long a', 6, 'a name that is not set to itself'],
    [`.data\n.long ${'('.repeat(100)}1`, 72, 'at most 64 parentheses in each other'],
    ['.globl a\n.local a', 8, 'a name that is not global already'],
    ['a: .set a, 1', 9, 'a name that is no label'],
  ] as const)('%j', (text, column, expected) => {
    const [problem] = problems(text)
    expect(problem?.column).toBe(column)
    if (typeof expected === 'string') expect(problem?.expected).toBe(expected)
    else expect(problem?.expected).toMatch(expected)
  })

  it('stop at a hundred, and a message shows ten', () => {
    const error = failure(() => assembleObject('nothing\n'.repeat(100_000)))
    expect(error.context['problems']).toHaveLength(100)
    expect(error.message).toContain('and 90 more')
  })

  it('of size are refused at once', () => {
    const huge = { length: 2 ** 29, split: () => [] } as unknown as string
    expect(failure(() => assembleObject(huge)).code).toBe('ASM_TEXT_LENGTH')
  })

  it('are found quickly in hostile texts', () => {
    const start = cpuTime()
    const names = Array.from({ length: 29_000 }, (_, i) => `n${i}`)
    const hostile = [
      names.map((name, i) => `.set ${name}, n${i + 1}`).join('\n') + '\n.data\n.long n0',
      `.data\n.long ${names.join('+')}`,
      names.map((name) => `.globl ${name}; call x${name}`).join('\n'),
      `.section xdp\n${'r1 = "'.repeat(100_000)}`,
      `.ascii ${'"\\'.repeat(40_000)}`,
      'a:'.repeat(40_000),
      '/*'.repeat(40_000),
      `.data\n.long ${'-'.repeat(60_000)}x`,
      `.section ${'['.repeat(60_000)}\n.bad`,
      names.map((name) => `.section ${name}`).join('\n') + '\n.bad',
      `.map m, type=hash, values=[${','.repeat(60_000)}]`,
    ]
    for (const text of hostile) {
      const error = failure(() => assembleObject(text))
      expect(error.code).toBe('ASM_TEXT')
      expect(error.message.length).toBeLessThan(20_000)
    }
    // Processor time: a busy machine takes longer by the clock.
    expect(cpuTime() - start).toBeLessThan(8000)
  })

  it('in names of strangers change nothing else', () => {
    const text = program('__proto__: goto __proto__\nconstructor: goto constructor')
    expect(assemble(text).programs[0]?.insns.length).toBe(24)
  })
})
