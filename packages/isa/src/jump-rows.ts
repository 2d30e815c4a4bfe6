import type { InsnRow, InsnText } from './insn-row.ts'
import { cls, row, source } from './insn-row.ts'

const jumps = 'RFC 9669 section 4.3'

/** Operation codes: the four high bits (RFC 9669 section 4.3). */
const codes = {
  ja: 0x00,
  jeq: 0x10,
  jgt: 0x20,
  jge: 0x30,
  jset: 0x40,
  jne: 0x50,
  jsgt: 0x60,
  jsge: 0x70,
  call: 0x80,
  exit: 0x90,
  jlt: 0xa0,
  jle: 0xb0,
  jslt: 0xc0,
  jsle: 0xd0,
  /** include/uapi/linux/bpf.h, BPF_JCOND. */
  jcond: 0xe0,
} as const

type Condition = Exclude<keyof typeof codes, 'ja' | 'call' | 'exit' | 'jcond'>

/** One condition in its four forms: 64 and 32 bits wide, with an immediate and with a register. */
function jump<const N extends Condition>(
  name: N,
  symbol: string,
): readonly InsnRow<`${N}_imm` | `${N}_reg` | `${N}32_imm` | `${N}32_reg`>[] {
  const imm = { dst: 'any', imm: 'any', off: 'any', target: 'off', source: jumps } as const
  const reg = { dst: 'any', src: 'any', off: 'any', target: 'off', source: jumps } as const
  const withImm = (r: string, suffix: string): InsnText => ({
    llvm: `if ${r}{dst} ${symbol} {imm} goto {jump}`,
    verifier: `if ${r}{dst} ${symbol} {uimm} goto {jump}`,
    gnu: `${name}${suffix} %{dst},{imm},{jump}`,
    conformance: `${name}${suffix} %r{dst}, {imm}, {jump}`,
  })
  const withReg = (r: string, suffix: string): InsnText => ({
    llvm: `if ${r}{dst} ${symbol} ${r}{src} goto {jump}`,
    verifier: `if ${r}{dst} ${symbol} ${r}{src} goto {jump}`,
    gnu: `${name}${suffix} %{dst},%{src},{jump}`,
    conformance: `${name}${suffix} %r{dst}, %r{src}, {jump}`,
  })
  return [
    row(`${name}_imm`, codes[name] | source('k') | cls('jmp'), {
      ...imm,
      group: 'base64',
      text: withImm('r', ''),
    }),
    row(`${name}_reg`, codes[name] | source('x') | cls('jmp'), {
      ...reg,
      group: 'base64',
      text: withReg('r', ''),
    }),
    row(`${name}32_imm`, codes[name] | source('k') | cls('jmp32'), {
      ...imm,
      group: 'base32',
      text: withImm('w', '32'),
    }),
    row(`${name}32_reg`, codes[name] | source('x') | cls('jmp32'), {
      ...reg,
      group: 'base32',
      text: withReg('w', '32'),
    }),
  ]
}

/** Jumps, calls and exit. */
export const jumpRows = [
  row('ja', codes.ja | source('k') | cls('jmp'), {
    off: 'any',
    target: 'off',
    group: 'base32',
    source: jumps,
    text: { llvm: 'goto {jump}', verifier: 'goto {jump}', gnu: 'ja {jump}', conformance: 'ja {jump}' },
  }),
  row('gotol', codes.ja | source('k') | cls('jmp32'), {
    imm: 'any',
    target: 'imm',
    group: 'base32',
    source: jumps,
    text: {
      llvm: 'gotol {jump32}',
      verifier: 'gotol {jump32}',
      gnu: 'jal {jump32}',
      conformance: 'ja32 {jump32}',
    },
  }),
  row('gotox', codes.ja | source('x') | cls('jmp'), {
    dst: 'any',
    group: undefined,
    source: 'kernel/bpf/verifier.c, BPF_JMP | BPF_JA | BPF_X; Linux 6.19',
    text: {
      llvm: 'gotox r{dst}',
      verifier: 'gotox r{dst}',
      gnu: 'gotox %{dst}',
      conformance: 'gotox %r{dst}',
    },
  }),
  ...jump('jeq', '=='),
  ...jump('jgt', '>'),
  ...jump('jge', '>='),
  ...jump('jset', '&'),
  ...jump('jne', '!='),
  ...jump('jsgt', 's>'),
  ...jump('jsge', 's>='),
  ...jump('jlt', '<'),
  ...jump('jle', '<='),
  ...jump('jslt', 's<'),
  ...jump('jsle', 's<='),
  row('may_goto', codes.jcond | source('k') | cls('jmp'), {
    off: 'any',
    target: 'off',
    group: undefined,
    source: 'include/uapi/linux/bpf.h, BPF_JCOND and BPF_MAY_GOTO; Linux 6.9',
    text: {
      llvm: 'may_goto {jump}',
      verifier: 'may_goto {jump}',
      gnu: 'may_goto {jump}',
      conformance: 'may_goto {jump}',
    },
  }),
  row('call', codes.call | source('k') | cls('jmp'), {
    src: 0,
    imm: 'any',
    group: 'base32',
    source: 'RFC 9669 section 4.3.1',
    text: {
      llvm: 'call {callee}',
      verifier: 'call {helper}#{imm}',
      gnu: 'call {callee}',
      conformance: 'call helper {callee}',
      also: { conformance: 'call {callee}' },
    },
  }),
  row('call_subprogram', codes.call | source('k') | cls('jmp'), {
    src: 1,
    imm: 'any',
    target: 'imm',
    group: 'base32',
    source: 'RFC 9669 section 4.3.2',
    text: {
      llvm: 'call {callee}',
      verifier: 'call {jump32}',
      gnu: 'call {callee}',
      conformance: 'call local {jump32}',
      also: { llvm: 'call {label32}', gnu: 'call {label32}' },
    },
  }),
  row('call_kfunc', codes.call | source('k') | cls('jmp'), {
    src: 2,
    // The kernel reads off as an index into the load command's array of module BTFs (kernel/bpf/verifier.c).
    off: 'any',
    imm: 'any',
    group: 'base32',
    source: 'RFC 9669 section 4.3.1',
    text: {
      llvm: 'call {callee}',
      verifier: 'call {kfunc}#{imm}',
      gnu: 'call {callee}',
      conformance: 'call runtime {callee}{module}',
    },
  }),
  row('callx', codes.call | source('x') | cls('jmp'), {
    dst: 'any',
    group: undefined,
    // clang before 19 wrote the register into imm; such an instruction is raw.
    source: 'kernel/bpf/core.c, public_insntable: not there, the kernel refuses what clang and gcc emit',
    text: { llvm: 'callx r{dst}', verifier: 'callx r{dst}', gnu: 'call %{dst}', conformance: 'call %r{dst}' },
  }),
  row('exit', codes.exit | source('k') | cls('jmp'), {
    group: 'base32',
    source: jumps,
    text: { llvm: 'exit', verifier: 'exit', gnu: 'exit', conformance: 'exit' },
  }),
] as const
