import type { TsbpfError } from '@tsbpf/base'
import { machines } from './elf-layout.ts'

/** Where the value of a probe's argument is when the probe is hit. */
export type UsdtOperand =
  | { readonly kind: 'constant'; readonly value: bigint }
  /** A register by its full name: `rax` for `%al`, `x0` for `w0`. */
  | { readonly kind: 'register'; readonly register: string }
  /** At `symbol + base + index * scale + displacement`; what is not given does not count. */
  | {
      readonly kind: 'memory'
      readonly base?: string
      readonly index?: string
      /** 1 unless given. */
      readonly scale?: number
      /** How arm64 widens an index register of 32 bits, or `sxtx`. */
      readonly extend?: string
      readonly displacement: number
      /** Name of a symbol of the same file; with the base `rip` the two together mean the symbol's address. */
      readonly symbol?: string
    }

/** One argument of a probe. */
export interface UsdtArgument {
  /** Bytes: 1, 2, 4, 8 or 16. */
  readonly size: number
  readonly signed: boolean
  readonly float: boolean
  readonly operand: UsdtOperand
  /** As the compiler wrote it. */
  readonly text: string
}

type Fail = (expected: string, actual: string) => TsbpfError

/** A sum of numbers and at most one name, such as `-8`, `0x10`, `counts+4`; `undefined` where it is none. */
function sum(text: string): { readonly displacement: number; readonly symbol?: string } | undefined {
  const term = /\s*([+-]?)\s*(?:(0x[\da-f]+|\d+)|([a-z_.][\w.$@]*))\s*/iy
  let displacement = 0
  let symbol: string | undefined
  for (let at = 0; at < text.length; at = term.lastIndex) {
    term.lastIndex = at
    const [whole, sign, number, name] = term.exec(text) ?? []
    if (whole === undefined || (at > 0 && sign === '')) return undefined
    if (number !== undefined) displacement += sign === '-' ? -Number(number) : Number(number)
    else if (symbol !== undefined || sign === '-') return undefined
    else symbol = name
  }
  if (!Number.isSafeInteger(displacement)) return undefined
  return symbol === undefined ? { displacement } : { displacement, symbol }
}

/** The full name of an x86-64 register, `undefined` for what is none. */
function x86Register(text: string): string | undefined {
  const name = /^%([a-z]\w*)$/.exec(text.trim())?.[1]
  if (name === undefined) return undefined
  const letter = /^(?:[re]?([abcd])x|([abcd])l)$/.exec(name)
  if (letter !== null) return `r${letter[1] ?? letter[2] ?? ''}x`
  const pointer = /^[re]?(si|di|bp|sp)l?$/.exec(name)
  if (pointer !== null) return `r${pointer[1] ?? ''}`
  return /^(r(?:8|9|1[0-5]))[bwd]?$/.exec(name)?.[1] ?? name
}

/** Forms of x86-64: `$5`, `%eax`, `-8(%rbp)`, `4(%rdi,%rax,8)`, `counts+4(%rip)`, `counts`. */
function x86Operand(text: string): UsdtOperand | undefined {
  const constant = /^\$(-?)(0x[\da-f]+|\d+)$/i.exec(text)
  if (constant !== null) {
    const value = BigInt(constant[2] ?? 0)
    return { kind: 'constant', value: constant[1] === '-' ? -value : value }
  }
  const register = x86Register(text)
  if (register !== undefined) return { kind: 'register', register }
  const [, front = '', inner] = /^([^()]*)(?:\(([^()]*)\))?$/.exec(text) ?? []
  const place = sum(front)
  if (place === undefined) return undefined
  if (inner === undefined) return place.symbol === undefined ? undefined : { kind: 'memory', ...place }
  const [first = '', second, third, ...more] = inner.split(',').map((part) => part.trim())
  const base = first === '' ? undefined : x86Register(first)
  const index = second === undefined ? undefined : x86Register(second)
  const scale = third === undefined ? 1 : Number(third)
  const wrong = (first === '' ? second === undefined : base === undefined) || (second !== undefined && !index)
  if (wrong || ![1, 2, 4, 8].includes(scale) || third === '' || more.length > 0) return undefined
  return {
    kind: 'memory',
    ...(base === undefined ? {} : { base }),
    ...(index === undefined ? {} : { index, scale }),
    ...place,
  }
}

/** The full name of an arm64 register, `undefined` for what is none. */
function armRegister(text: string): string | undefined {
  const [, width, number] = /^([xwbhsdqv])([12]?\d|3[01]|zr)$/.exec(text) ?? []
  if (width !== undefined && number !== undefined) return (width === 'w' ? 'x' : width) + number
  return /^(?:w?sp|lr|fp)$/.test(text) ? text.replace('wsp', 'sp') : undefined
}

/** Forms of arm64: `5`, `x0`, `[sp]`, `[sp, 16]`, `[x0, x1]`, `[x0, x1, lsl 3]`, `[x0, w1, sxtw 2]`. */
function armOperand(text: string): UsdtOperand | undefined {
  const constant = /^#?(-?)(0x[\da-f]+|\d+)$/i
  const number = constant.exec(text)
  if (number !== null) {
    const value = BigInt(number[2] ?? 0)
    return { kind: 'constant', value: number[1] === '-' ? -value : value }
  }
  const register = armRegister(text)
  if (register !== undefined) return { kind: 'register', register }
  const inner = /^\[([^[\]]*)\]$/.exec(text)?.[1]
  if (inner === undefined) return undefined
  const [first = '', second, third, ...more] = inner.split(',').map((part) => part.trim())
  const base = armRegister(first)
  if (base === undefined || more.length > 0) return undefined
  const memory = { kind: 'memory', base } as const
  if (second === undefined) return { ...memory, displacement: 0 }
  const index = armRegister(second)
  if (index === undefined) {
    const place = constant.test(second) && third === undefined ? sum(second.replace('#', '')) : undefined
    return place === undefined ? undefined : { ...memory, ...place }
  }
  if (third === undefined) return { ...memory, index, displacement: 0 }
  const [, extend, shift = '0'] = /^(lsl|uxtw|sxtw|sxtx)(?:\s+#?([0-4]))?$/.exec(third) ?? []
  if (extend === undefined) return undefined
  const scaled = { ...memory, index, scale: 2 ** Number(shift), displacement: 0 }
  return extend === 'lsl' ? scaled : { ...scaled, extend }
}

/** Parses the arguments of a probe of this machine; `fail` makes the error for a form that is not known. */
export function parseUsdtArguments(text: string, machine: number, fail: Fail): readonly UsdtArgument[] {
  const operandOf =
    machine === machines.value('x86_64')
      ? x86Operand
      : machine === machines.value('aarch64')
        ? armOperand
        : undefined
  if (text.trim() === '') return []
  if (operandOf === undefined) throw fail('arguments of x86_64 or aarch64', machines.format(machine))
  // Only a blank in front of a size parts arguments: operands of arm64 have blanks of their own.
  return text.split(/\s(?=-?\d{1,2}f?@)/).flatMap((part) => {
    const argument = part.trim()
    if (argument === '') return []
    const [, sign, size, float, operand = ''] = /^(-?)(1|2|4|8|16)(f?)@(.+)$/s.exec(argument) ?? []
    const parsed = operandOf(operand.trim())
    if (parsed === undefined) {
      throw fail('arguments such as -4@%eax, 8@-16(%rbp), 4@$5 or 8@[sp, 16]', argument.slice(0, 80))
    }
    return {
      size: Number(size),
      signed: sign === '-',
      float: float === 'f',
      operand: parsed,
      text: argument,
    }
  })
}
