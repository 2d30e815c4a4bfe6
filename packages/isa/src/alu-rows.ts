import type { ConformanceGroup, FieldUse, InsnRow, InsnText } from './insn-row.ts'
import { cls, row, source } from './insn-row.ts'

const arithmetic = 'RFC 9669 section 4.1'
const byteSwap = 'RFC 9669 section 4.2'

/** Operation codes: the four high bits (RFC 9669 section 4.1). */
const codes = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  neg: 0x80,
  mod: 0x90,
  xor: 0xa0,
  mov: 0xb0,
  arsh: 0xc0,
  end: 0xd0,
} as const

type Code = keyof typeof codes
type Groups = readonly [of32: ConformanceGroup, of64: ConformanceGroup]

const base: Groups = ['base32', 'base64']
const divmul: Groups = ['divmul32', 'divmul64']

/** One operation in its four forms: 64 and 32 bits wide, with an immediate and with a register. */
function alu<const N extends string>(
  name: N,
  code: Code,
  symbol: string,
  facts: { readonly groups?: Groups; readonly off?: FieldUse } = {},
): readonly InsnRow<`${N}64_imm` | `${N}64_reg` | `${N}32_imm` | `${N}32_reg`>[] {
  const { groups = base, off = 0 } = facts
  const opcode = codes[code]
  const imm = { dst: 'any', imm: 'any', off, source: arithmetic } as const
  const reg = { dst: 'any', src: 'any', off, source: arithmetic } as const
  const texts = (text: string, mnemonic: string, operand: string): InsnText => ({
    llvm: text,
    verifier: text,
    gnu: `${mnemonic} %{dst},${operand === 'imm' ? '{imm}' : '%{src}'}`,
    conformance: `${mnemonic} %r{dst}, ${operand === 'imm' ? '{imm}' : '%r{src}'}`,
  })
  return [
    row(`${name}64_imm`, opcode | source('k') | cls('alu64'), {
      ...imm,
      group: groups[1],
      text: texts(`r{dst} ${symbol} {imm}`, name, 'imm'),
    }),
    row(`${name}64_reg`, opcode | source('x') | cls('alu64'), {
      ...reg,
      group: groups[1],
      text: texts(`r{dst} ${symbol} r{src}`, name, 'src'),
    }),
    row(`${name}32_imm`, opcode | source('k') | cls('alu'), {
      ...imm,
      group: groups[0],
      text: texts(`w{dst} ${symbol} {imm}`, `${name}32`, 'imm'),
    }),
    row(`${name}32_reg`, opcode | source('x') | cls('alu'), {
      ...reg,
      group: groups[0],
      text: {
        ...texts(`w{dst} ${symbol} w{src}`, `${name}32`, 'src'),
        // clang -S says so that the upper half becomes zero.
        ...(name === 'mov' ? { also: { llvm: 'r{dst} = w{src}' } } : {}),
      },
    }),
  ]
}

function movsx<const W extends 32 | 64, const B extends 8 | 16 | 32>(
  width: W,
  bits: B,
): InsnRow<`movsx${W}_${B}`> {
  const r = width === 64 ? 'r' : 'w'
  const text = `${r}{dst} = (s${bits})${r}{src}`
  return row(`movsx${width}_${bits}`, codes.mov | source('x') | cls(width === 64 ? 'alu64' : 'alu'), {
    dst: 'any',
    src: 'any',
    off: bits,
    group: width === 64 ? 'base64' : 'base32',
    source: arithmetic,
    text: {
      llvm: text,
      verifier: text,
      gnu: `movs${width === 64 ? '' : '32'} %{dst},%{src},${bits}`,
      conformance: `movsx${bits}${width} %r{dst}, %r{src}`,
    },
  })
}

function neg<const W extends 32 | 64>(width: W): InsnRow<`neg${W}`> {
  const r = width === 64 ? 'r' : 'w'
  return row(`neg${width}`, codes.neg | source('k') | cls(width === 64 ? 'alu64' : 'alu'), {
    dst: 'any',
    group: width === 64 ? 'base64' : 'base32',
    source: arithmetic,
    text: {
      llvm: `${r}{dst} = -${r}{dst}`,
      verifier: `${r}{dst} = -${r}{dst}`,
      gnu: `neg${width === 64 ? '' : '32'} %{dst}`,
      conformance: `neg${width === 64 ? '' : '32'} %r{dst}`,
    },
  })
}

function swap<const N extends 'le' | 'be' | 'bswap', const B extends 16 | 32 | 64>(
  name: N,
  bits: B,
): InsnRow<`${N}${B}`> {
  const opcode = {
    le: source('k') | cls('alu'),
    be: source('x') | cls('alu'),
    bswap: source('k') | cls('alu64'),
  }[name]
  return row(`${name}${bits}`, codes.end | opcode, {
    dst: 'any',
    imm: bits,
    group: bits === 64 ? 'base64' : 'base32',
    source: byteSwap,
    text: {
      llvm: `r{dst} = ${name}${bits} r{dst}`,
      verifier: `r{dst} = ${name}${bits} r{dst}`,
      gnu: `${name === 'bswap' ? name : `end${name}`} %{dst},${bits}`,
      conformance: `${name === 'bswap' ? 'swap' : name}${bits} %r{dst}`,
      ...(name === 'bswap' ? { also: { conformance: `bswap${bits} %r{dst}` } } : {}),
    },
  })
}

/** Arithmetic and byte swaps. */
export const aluRows = [
  ...alu('add', 'add', '+='),
  ...alu('sub', 'sub', '-='),
  ...alu('mul', 'mul', '*=', { groups: divmul }),
  ...alu('div', 'div', '/=', { groups: divmul }),
  ...alu('sdiv', 'div', 's/=', { groups: divmul, off: 1 }),
  ...alu('or', 'or', '|='),
  ...alu('and', 'and', '&='),
  ...alu('lsh', 'lsh', '<<='),
  ...alu('rsh', 'rsh', '>>='),
  neg(64),
  neg(32),
  ...alu('mod', 'mod', '%=', { groups: divmul }),
  ...alu('smod', 'mod', 's%=', { groups: divmul, off: 1 }),
  ...alu('xor', 'xor', '^='),
  ...alu('mov', 'mov', '='),
  movsx(64, 8),
  movsx(64, 16),
  movsx(64, 32),
  movsx(32, 8),
  movsx(32, 16),
  row('addr_space_cast', codes.mov | source('x') | cls('alu64'), {
    dst: 'any',
    src: 'any',
    off: 1,
    imm: 'any',
    group: undefined,
    source: 'kernel/bpf/verifier.c, BPF_ADDR_SPACE_CAST; Linux 6.9',
    text: {
      llvm: 'r{dst} = addr_space_cast(r{src}, {imm_hi16}, {imm_lo16})',
      verifier: 'r{dst} = addr_space_cast(r{src}, {imm_hi16}, {imm_lo16})',
      gnu: 'addr_space_cast %{dst},%{src},{imm_hi16},{imm_lo16}',
      conformance: 'addr_space_cast %r{dst}, %r{src}, {imm_hi16}, {imm_lo16}',
    },
  }),
  ...alu('arsh', 'arsh', 's>>='),
  swap('le', 16),
  swap('le', 32),
  swap('le', 64),
  swap('be', 16),
  swap('be', 32),
  swap('be', 64),
  swap('bswap', 16),
  swap('bswap', 32),
  swap('bswap', 64),
] as const
