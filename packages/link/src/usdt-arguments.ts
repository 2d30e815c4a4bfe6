import { findSymbols, machines } from '@tsbpf/elf'
import type { ElfFile, UsdtArgument, UsdtProbe } from '@tsbpf/elf'

/** Where a program finds an argument: members of libbpf's `struct __bpf_usdt_arg_spec` (tools/lib/bpf/usdt.bpf.h). */
export interface UsdtArgumentSpec {
  /** A name of `enum __bpf_usdt_arg_type`. */
  readonly arg_type: 'BPF_USDT_ARG_CONST' | 'BPF_USDT_ARG_REG' | 'BPF_USDT_ARG_REG_DEREF' | 'BPF_USDT_ARG_SIB'
  /** The constant, or what is added to the address. */
  readonly val_off: bigint
  /** Offsets in `struct pt_regs`. */
  readonly reg_off: number
  readonly idx_reg_off?: number
  readonly scale_bitshift?: number
  readonly arg_signed: boolean
  /** Bits of 64 that the argument does not have. */
  readonly arg_bitshift: number
}

/** Registers in the order of arch/x86/include/uapi/asm/ptrace.h and arch/arm64/include/uapi/asm/ptrace.h, 8 bytes each. */
const registers = new Map<number, ReadonlyMap<string, number>>(
  Object.entries({
    x86_64: 'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp',
    aarch64: `${Array.from({ length: 31 }, (_, i) => `x${i}`).join(' ')} sp pc`,
  }).map(([machine, names]) => [
    machines.value(machine as 'x86_64' | 'aarch64'),
    new Map(names.split(' ').map((name, i) => [name, i * 8])),
  ]),
)
/** Other names of arm64's registers; the place of the probe is what x86-64 counts symbols from. */
const aliases = new Map([
  ['fp', 'x29'],
  ['lr', 'x30'],
])

/**
 * Where a program finds the arguments of a probe; `undefined` for one that it cannot get at: it is in a vector register,
 * or its address takes more than a base, an index and a scale.
 */
export function usdtArgumentSpecs(elf: ElfFile, probe: UsdtProbe): readonly (UsdtArgumentSpec | undefined)[] {
  const offsets = registers.get(elf.machine) ?? new Map<string, number>()
  const offsetOf = (name: string): number | undefined => offsets.get(aliases.get(name) ?? name)
  return probe.arguments.map((argument) => {
    if (argument.size > 8) return undefined
    const place = placeOf(elf, probe, argument, offsetOf)
    return place && { ...place, arg_signed: argument.signed, arg_bitshift: 64 - argument.size * 8 }
  })
}

function placeOf(
  elf: ElfFile,
  probe: UsdtProbe,
  { operand }: UsdtArgument,
  offsetOf: (register: string) => number | undefined,
): Omit<UsdtArgumentSpec, 'arg_signed' | 'arg_bitshift'> | undefined {
  if (operand.kind === 'constant') {
    return { arg_type: 'BPF_USDT_ARG_CONST', val_off: BigInt.asUintN(64, operand.value), reg_off: 0 }
  }
  if (operand.kind === 'register') {
    const register = offsetOf(operand.register)
    return register === undefined
      ? undefined
      : { arg_type: 'BPF_USDT_ARG_REG', val_off: 0n, reg_off: register }
  }
  const { base, index, scale = 1, extend, displacement, symbol } = operand
  let add = BigInt(displacement)
  let register = base === undefined ? undefined : offsetOf(base)
  if (symbol !== undefined) {
    // Wherever the file is mapped, the symbol is as far from the probe as in the file.
    if (base !== undefined && base !== 'rip') return undefined
    const [found] = findSymbols(elf, symbol)
    if (found === undefined) return undefined
    add += found.value - probe.location
    register = offsetOf('rip')
  }
  const val_off = BigInt.asUintN(64, add)
  if (register === undefined || extend !== undefined) return undefined
  if (index === undefined) return { arg_type: 'BPF_USDT_ARG_REG_DEREF', val_off, reg_off: register }
  const idx_reg_off = offsetOf(index)
  if (idx_reg_off === undefined || scale > 8) return undefined
  return {
    arg_type: 'BPF_USDT_ARG_SIB',
    val_off,
    reg_off: register,
    idx_reg_off,
    scale_bitshift: Math.log2(scale),
  }
}
