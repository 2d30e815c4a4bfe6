import { isTsbpfError } from '@tsbpf/base'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import { errors } from './errors.ts'
import { parseUsdtArguments } from './usdt-arguments.ts'

const parse = (text: string, machine: number) =>
  parseUsdtArguments(text, machine, (expected, actual) =>
    errors.ELF_USDT({ file: 'elf', path: 'arguments', offset: 7, expected, actual }),
  )
const x86 = (text: string) => parse(text, 62)
const arm = (text: string) => parse(text, 183)

describe('arguments of probes of x86-64', () => {
  it.each([
    ['-4@%eax', { size: 4, signed: true, float: false, operand: { kind: 'register', register: 'rax' } }],
    ['8@-16(%rbp)', { size: 8, signed: false, operand: { kind: 'memory', base: 'rbp', displacement: -16 } }],
    ['4@$5', { size: 4, signed: false, operand: { kind: 'constant', value: 5n } }],
    ['-8@$-9223372036854775808', { operand: { kind: 'constant', value: -(1n << 63n) } }],
    ['4@$0x1F', { operand: { kind: 'constant', value: 31n } }],
    ['8@(%rsp)', { operand: { kind: 'memory', base: 'rsp', displacement: 0 } }],
    ['1@0x10(%r8)', { operand: { kind: 'memory', base: 'r8', displacement: 16 } }],
    [
      '1@-96(%rbp,%rax,8)',
      { operand: { kind: 'memory', base: 'rbp', index: 'rax', scale: 8, displacement: -96 } },
    ],
    ['2@(%r12,%r9d)', { operand: { kind: 'memory', base: 'r12', index: 'r9', scale: 1, displacement: 0 } }],
    ['8@8(,%rcx,4)', { operand: { kind: 'memory', index: 'rcx', scale: 4, displacement: 8 } }],
    ['4@counts(%rip)', { operand: { kind: 'memory', base: 'rip', symbol: 'counts', displacement: 0 } }],
    [
      '4@.LANCHOR0+8-4(%rip)',
      { operand: { kind: 'memory', base: 'rip', symbol: '.LANCHOR0', displacement: 4 } },
    ],
    ['4@counts', { operand: { kind: 'memory', symbol: 'counts', displacement: 0 } }],
    ['8f@%xmm0', { size: 8, float: true, operand: { kind: 'register', register: 'xmm0' } }],
  ])('%s', (text, expected) => {
    expect(x86(text)).toMatchObject([{ text, ...expected }])
  })

  it.each([
    ['al ax eax rax', 'rax'],
    ['dl dx edx rdx', 'rdx'],
    ['sil si esi rsi', 'rsi'],
    ['bpl bp ebp rbp', 'rbp'],
    ['spl sp esp rsp', 'rsp'],
    ['r8b r8w r8d r8', 'r8'],
    ['r15b r15w r15d r15', 'r15'],
  ])('%s are one register', (names, register) => {
    const text = names
      .split(' ')
      .map((name) => `8@%${name}`)
      .join(' ')
    expect(x86(text).map(({ operand }) => operand)).toEqual(
      names.split(' ').map(() => ({ kind: 'register', register })),
    )
  })

  it('several, however many blanks are between them', () => {
    expect(x86('  8@%rdi\t-4@$1   2@4(%rax) ').map(({ text }) => text)).toEqual([
      '8@%rdi',
      '-4@$1',
      '2@4(%rax)',
    ])
    expect([x86(''), x86('   ')]).toEqual([[], []])
  })

  it.each([
    ...['%rax', '4@', '3@%eax', '4@$', '4@$x', '4@()', '4@(eax)', '4@(%rax,)', '4@(%rax,%rbx,3)', '4@5'],
    ...[
      '4@(%rax,%rbx,)',
      '4@(%rax,%rbx,4,5)',
      '4@a b(%rax)',
      '4@a+b(%rax)',
      '4@-a(%rax)',
      '4@8 8(%rax)',
      '4@%fs:8',
    ],
    ...['4@(%rax', '4@%rax)', '4@[sp]', '-4@%eax,', '4@99999999999999999999(%rax)', 'x', '4@(,)'],
  ])('%s is refused', (text) => {
    expect(() => x86(text)).toThrow('elf: arguments at byte 7: expected arguments such as')
  })
})

describe('arguments of probes of arm64', () => {
  it.each([
    ['-8@x0', { size: 8, signed: true, operand: { kind: 'register', register: 'x0' } }],
    ['-4@w30', { operand: { kind: 'register', register: 'x30' } }],
    ['8@sp', { operand: { kind: 'register', register: 'sp' } }],
    ['8f@d0', { float: true, operand: { kind: 'register', register: 'd0' } }],
    ['-4@-5', { operand: { kind: 'constant', value: -5n } }],
    ['8@#16', { operand: { kind: 'constant', value: 16n } }],
    ['4@[sp]', { operand: { kind: 'memory', base: 'sp', displacement: 0 } }],
    ['-4@[sp, 96]', { operand: { kind: 'memory', base: 'sp', displacement: 96 } }],
    ['-4@[x29,#-12]', { operand: { kind: 'memory', base: 'x29', displacement: -12 } }],
    ['8@[x0, x1]', { operand: { kind: 'memory', base: 'x0', index: 'x1', displacement: 0 } }],
    [
      '8@[x0, x1, lsl 3]',
      { operand: { kind: 'memory', base: 'x0', index: 'x1', scale: 8, displacement: 0 } },
    ],
    [
      '4@[x0, w1, sxtw #2]',
      { operand: { kind: 'memory', base: 'x0', index: 'x1', scale: 4, extend: 'sxtw', displacement: 0 } },
    ],
    [
      '1@[x0, w1, uxtw]',
      { operand: { kind: 'memory', base: 'x0', index: 'x1', scale: 1, extend: 'uxtw', displacement: 0 } },
    ],
  ])('%s', (text, expected) => {
    expect(arm(text)).toMatchObject([{ text, ...expected }])
  })

  it('several, with blanks inside', () => {
    expect(arm('-4@[sp, 96] 8@[x0, x1, lsl 3] 4@7').map(({ text }) => text)).toEqual([
      '-4@[sp, 96]',
      '8@[x0, x1, lsl 3]',
      '4@7',
    ])
  })

  it.each([
    ...['4@%eax', '4@x32', '4@[5]', '4@[x0', '4@[x0, 4, 5]', '4@[x0, x1, lsl 9]', '4@[x0, x1, ror 3]'],
    ...['4@[x0, x1, lsl 3, 4]', '4@[x0, :lo12:counts]', '4@[]', '4@$5'],
  ])('%s is refused', (text) => {
    expect(() => arm(text)).toThrow('elf: arguments at byte 7: expected arguments such as')
  })
})

it('arguments of another machine are not guessed at', () => {
  expect(parse('', 22)).toEqual([])
  expect(() => parse('8@%r2', 22)).toThrow('expected arguments of x86_64 or aarch64, got s390')
  expect(() => parse('8@a1', 999)).toThrow('got machine(999)')
})

it('long texts take a moment', () => {
  const start = cpuTime()
  for (const text of [
    ' '.repeat(1e5),
    '4@%eax '.repeat(1e4),
    `4@${'+1'.repeat(1e5)}(%rax)`,
    `4@${'('.repeat(1e5)}`,
  ]) {
    try {
      x86(text)
    } catch (error) {
      if (!isTsbpfError(error)) throw error
    }
  }
  expect(cpuTime() - start).toBeLessThan(1000)
})
