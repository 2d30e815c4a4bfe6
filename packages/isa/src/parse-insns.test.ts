import { isTsbpfError } from '@tsbpf/base'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import type { Dialect, ParseInsnsOptions, TextProblem } from './index.ts'
import { formatInsn, makeInsn, parseInsn, parseInsns } from './index.ts'

function failureOf(
  text: string,
  options: ParseInsnsOptions,
): { message: string; hint: string | undefined; problems: readonly TextProblem[] } {
  try {
    parseInsns(text, options)
  } catch (error) {
    if (!isTsbpfError(error, 'ISA_TEXT')) throw error
    return {
      message: error.message,
      hint: error.hint,
      problems: error.context['problems'] as readonly TextProblem[],
    }
  }
  throw new RangeError('the text was read')
}

const problemsOf = (text: string, dialect: Dialect): readonly TextProblem[] =>
  failureOf(text, { dialect }).problems

describe('parseInsns', () => {
  it('reads a listing with labels, comments and several instructions in a line', () => {
    const { insns, lines, labels } = parseInsns(
      '# start\nr0 = 0 // zero\n\nloop:\n  r1 = 0x1234567890 ll; r0 += 1\n  if w0 s< -5 goto loop\n goto +0x0 <end>\nend: exit',
      { dialect: 'llvm' },
    )
    expect(insns).toEqual([
      makeInsn('mov64_imm', { dst: 0 }),
      makeInsn('lddw', { dst: 1, imm64: 0x1234567890n }),
      makeInsn('add64_imm', { dst: 0, imm: 1 }),
      makeInsn('jslt32_imm', { dst: 0, imm: -5, off: -4 }),
      makeInsn('ja'),
      makeInsn('exit'),
    ])
    expect(lines).toEqual([2, 5, 5, 6, 7, 8])
    expect([...labels]).toEqual([
      ['loop', 1],
      ['end', 6],
    ])
  })

  it('reads lines of the kernel log', () => {
    const log = [
      '; return 0; @ a.c:1',
      '0: (18) r1 = 0x5',
      '2: (85) call bpf_map_lookup_elem#1  ; R0=scalar()',
      '(95) exit',
    ]
    expect(parseInsns(log.join('\n'), { dialect: 'verifier' }).insns).toEqual([
      makeInsn('lddw', { dst: 1, imm64: 5n }),
      makeInsn('call', { imm: 1 }),
      makeInsn('exit'),
    ])
  })

  it('reads labels of elsewhere', () => {
    const { insns } = parseInsns('call local f\nexit', {
      dialect: 'conformance',
      labels: new Map([['f', -7]]),
    })
    expect(insns[0]).toEqual(makeInsn('call_subprogram', { imm: -8 }))
  })

  it('calls a label in llvm', () => {
    expect(parseInsns('call f\nexit\nf: exit', { dialect: 'llvm' }).insns[0]).toEqual(
      makeInsn('call_subprogram', { imm: 1 }),
    )
  })

  it('takes exit for the label of the first exit in conformance, unless it is defined', () => {
    const [first] = parseInsns('ja exit\nmov %r0, 1\nexit\nexit', { dialect: 'conformance' }).insns
    expect(first?.off).toBe(1)
    const [own] = parseInsns('ja exit\nexit\nexit: mov %r0, 1\nexit', { dialect: 'conformance' }).insns
    expect(own?.off).toBe(1)
    expect(problemsOf('goto exit\nexit', 'llvm')[0]).toMatchObject({ line: 1, column: 6 })
  })

  it('reports all problems at once, each with its place and a suggestion', () => {
    const { message, hint, problems } = failureOf(
      'moov %r0, 1\nmov %r16, 1\nja nxt\nnext: exit\nnext: exit\n\tstb [%r1+40000], 1',
      {
        dialect: 'conformance',
        path: 'a.s',
      },
    )
    expect(
      problems.map(({ line, column, expected, actual, suggestion }) => [
        line,
        column,
        expected,
        actual,
        suggestion,
      ]),
    ).toEqual([
      [1, 1, 'an instruction of dialect conformance', '"moov"', 'mov'],
      [2, 6, 'a register from r0 to r15', '"r16"', undefined],
      [3, 4, 'a label that is defined', '"nxt"', 'next'],
      [5, 1, 'a label that is not defined yet', '"next"', undefined],
      [6, 11, 'an offset from -32768 to 32767', '"40000"', undefined],
    ])
    expect(message).toContain(
      'a.s:1:1: expected an instruction of dialect conformance, got "moov"; did you mean mov?\n  moov %r0, 1\n  ^',
    )
    expect(message).toContain('  \tstb [%r1+40000], 1\n  \t         ^')
    expect(hint).toBe('line 1: did you mean mov?')
  })

  it('stops at 100 problems and shows ten', () => {
    const { message, problems } = failureOf('nothing\n'.repeat(100_000), { dialect: 'llvm' })
    expect(problems).toHaveLength(100)
    expect(message).toContain('and 90 more')
  })

  it('is quick with hostile texts', () => {
    const start = cpuTime()
    const names = Array.from({ length: 50_000 }, (_, i) => `l${i}`)
    const texts = [
      names.map((name) => `${name}: goto x${name}`).join('\n'),
      `goto ${'a'.repeat(1 << 20)}\n${'b'.repeat(1 << 20)}: exit`,
      'bad;'.repeat(200_000),
      '<'.repeat(1 << 20),
      `r1 = ${'9'.repeat(1 << 20)}`,
    ]
    for (const text of texts) {
      const { message, problems } = failureOf(text, { dialect: 'llvm' })
      expect(problems.length).toBeGreaterThan(0)
      expect(message.length).toBeLessThan(10_000)
    }
    expect(cpuTime() - start).toBeLessThan(5000)
  })

  it.each<[Dialect, string, number, string]>([
    ['llvm', 'r1 += 0x100000000', 7, 'an integer from -2147483648 to 4294967295'],
    ['llvm', 'r1 += 010', 7, 'an integer or a register from r0 to r11'],
    ['llvm', 'r12 = 0', 1, 'an instruction of dialect llvm'],
    ['llvm', 'r1 = -r2', 7, 'register 1 again'],
    ['llvm', 'goto +40000', 7, 'a distance from -32768 to 32767'],
    ['llvm', 'r1 = 5 5', 8, 'the end of the instruction or ll'],
    ['verifier', '(b7) r1 += 5', 2, 'the opcode (07)'],
    ['verifier', '(85) call bpf_map_lookup_elem#2', 11, 'bpf_map_update_elem#2 or bpf_map_lookup_elem#1'],
    ['conformance', 'mov %r0', 8, ','],
    ['conformance', '.insn 0x18, 0, 0, 0', 20, ','],
    ['conformance', '.insn 0x07, 0, 0, 0, 0, 0', 7, 'opcode 0x18 of a wide instruction'],
  ])('%s: %s', (dialect, text, column, expected) => {
    const [problem] = problemsOf(text, dialect)
    expect(problem?.column).toBe(column)
    expect(problem?.expected).toBe(expected)
  })

  it('names a label that is too far away', () => {
    const far = `ja end\n${'mov %r0, 0\n'.repeat(32_768)}end: exit`
    expect(problemsOf(far, 'conformance')[0]?.expected).toBe(
      'a label that 16 bits reach, not 32768 slots away',
    )
    expect(parseInsns(far.replace('ja', 'ja32'), { dialect: 'conformance' }).insns[0]).toEqual(
      makeInsn('gotol', { imm: 32_768 }),
    )
  })
})

describe('parseInsn', () => {
  it('takes exactly one instruction', () => {
    expect(parseInsn('exit', 'llvm')).toEqual(makeInsn('exit'))
    for (const text of ['', 'exit\nexit', '# nothing']) {
      expect(() => parseInsn(text, 'llvm')).toThrow(expect.objectContaining({ code: 'ISA_TEXT' }))
    }
  })

  it('reads names of helpers that the caller gives', () => {
    const helperName = (id: number): string | undefined => (id === 7777 ? 'mine' : undefined)
    const insn = makeInsn('call', { imm: 7777 })
    const text = formatInsn(insn, 'verifier', { helperName })
    expect(parseInsns(text, { dialect: 'verifier', helperName }).insns).toEqual([insn])
  })

  it('reads other spellings of the same instruction', () => {
    expect(parseInsn('bswap16 %r1', 'conformance')).toEqual(parseInsn('swap16 %r1', 'conformance'))
    expect(parseInsn('call 5', 'conformance')).toEqual(parseInsn('call helper 5', 'conformance'))
    expect(parseInsn('ldxb %r1, [%r2+0]', 'conformance')).toEqual(parseInsn('ldxb %r1, [%r2]', 'conformance'))
    expect(parseInsn('r1 = 0x5', 'verifier')).toEqual(parseInsn('(b7) r1 = 5', 'verifier'))
  })
})
