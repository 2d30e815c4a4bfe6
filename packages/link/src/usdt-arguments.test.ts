import { machines } from '@tsbpf/elf'
import type { ElfFile, UsdtArgument, UsdtOperand, UsdtProbe } from '@tsbpf/elf'
import { describe, expect, it } from 'vitest'
import { UsdtSpecs } from './usdt-specs.ts'
import type { UsdtSpec } from './usdt-specs.ts'
import { usdtArgumentSpecs } from './usdt-arguments.ts'
import type { UsdtArgumentSpec } from './usdt-arguments.ts'

const register = (name: string): UsdtOperand => ({ kind: 'register', register: name })
const memory = (base: string, more: Partial<UsdtOperand> = {}): UsdtOperand =>
  ({ kind: 'memory', base, displacement: 0, ...more }) as UsdtOperand

/** Where arguments are, on a machine whose files have no symbols; signed ones have a negative size. */
function specs(
  machine: 'x86_64' | 'aarch64',
  ...operands: readonly (readonly [size: number, operand: UsdtOperand])[]
): readonly (UsdtArgumentSpec | undefined)[] {
  const elf = { machine: machines.value(machine), symbols: [], dynamicSymbols: [] }
  const args = operands.map(([size, operand]): UsdtArgument => {
    return { size: Math.abs(size), signed: size < 0, float: false, operand, text: '' }
  })
  const probe = { arguments: args, location: 0n }
  return usdtArgumentSpecs(elf as unknown as ElfFile, probe as unknown as UsdtProbe)
}

describe('arguments of probes as programs look them up', () => {
  it('of x86-64 are at the offsets of struct pt_regs', () => {
    const found = specs(
      'x86_64',
      [-4, register('rax')],
      [8, memory('rbp', { displacement: -16 })],
      [2, { kind: 'constant', value: -3n }],
      [1, memory('rdi', { displacement: 8, index: 'r15', scale: 4 })],
    )
    const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value)
    expect(found).toEqual([
      { arg_type: 'BPF_USDT_ARG_REG', val_off: 0n, reg_off: 80, arg_signed: true, arg_bitshift: 32 },
      {
        arg_type: 'BPF_USDT_ARG_REG_DEREF',
        val_off: unsigned(-16n),
        reg_off: 32,
        arg_signed: false,
        arg_bitshift: 0,
      },
      {
        arg_type: 'BPF_USDT_ARG_CONST',
        val_off: unsigned(-3n),
        reg_off: 0,
        arg_signed: false,
        arg_bitshift: 48,
      },
      {
        arg_type: 'BPF_USDT_ARG_SIB',
        val_off: 8n,
        reg_off: 112,
        idx_reg_off: 0,
        scale_bitshift: 2,
        arg_signed: false,
        arg_bitshift: 56,
      },
    ])
  })

  it('of arm64 are at the offsets of struct user_pt_regs', () => {
    const names = ['x0', 'x30', 'lr', 'fp', 'sp']
    const found = specs(
      'aarch64',
      ...names.map((name) => [8, register(name)] as const),
      [-4, memory('sp', { displacement: 96 })],
      [8, memory('x2', { index: 'x3', scale: 8 })],
    )
    expect(found.map((one) => one?.reg_off)).toEqual([0, 240, 240, 232, 248, 248, 16])
    expect(found[6]).toMatchObject({ arg_type: 'BPF_USDT_ARG_SIB', idx_reg_off: 24, scale_bitshift: 3 })
  })

  it.each([
    ['x86_64', 8, register('xmm0')],
    ['x86_64', 16, register('rax')],
    ['x86_64', 4, memory('rax', { symbol: 'table' })],
    ['x86_64', 8, { kind: 'memory', index: 'rcx', scale: 4, displacement: 8 }],
    ['aarch64', 8, register('d0')],
    ['aarch64', 4, memory('x0', { index: 'x1', extend: 'sxtw', scale: 4 })],
    ['aarch64', 8, memory('x0', { index: 'x1', scale: 16 })],
  ] as const)('of %s with %i bytes at %j are out of reach', (machine, size, operand) => {
    expect(specs(machine, [size, operand])).toEqual([undefined])
  })
})

describe('UsdtSpecs', () => {
  const argument = {
    val_off: 0n,
    arg_type: 'BPF_USDT_ARG_CONST',
    reg_off: 0,
    arg_signed: false,
    arg_bitshift: 0,
  }
  const probe = { program: 'main', target: 'a:b:c' }
  const fresh = () => {
    const values = new Map<number, UsdtSpec>()
    const empty = { args: [argument, argument], usdt_cookie: 0n, arg_cnt: 0 }
    const specsMap = {
      name: '__bpf_usdt_specs',
      maxEntries: 2,
      get: (id: number) => values.get(id) ?? empty,
      set: (id: number, value: unknown) => void values.set(id, value as UsdtSpec),
    }
    return { values, specs: new UsdtSpecs(specsMap) }
  }

  it('gives numbers out, and again when they are given back', () => {
    const { specs: ids } = fresh()
    expect([ids.add([], 1n, probe), ids.add([], 2n, probe)]).toEqual([0, 1])
    expect(() => ids.add([], 3n, probe)).toThrow(expect.objectContaining({ code: 'LINK_USDT_FULL' }))
    ids.release([0])
    expect(ids.add([], 4n, probe)).toBe(0)
    expect(() => ids.add([], 5n, probe)).toThrow(expect.objectContaining({ code: 'LINK_USDT_FULL' }))
  })

  it("writes what the object's version knows, and marks the rest as unreadable", () => {
    const { values, specs: ids } = fresh()
    const [indexed, plain] = specs('x86_64', [8, memory('rax', { index: 'rbx' })], [8, register('rax')])
    ids.add([indexed, plain], 7n, probe)
    expect(values.get(0)).toMatchObject({
      args: [{ arg_type: 255 }, { arg_type: 'BPF_USDT_ARG_REG', reg_off: 80 }],
      usdt_cookie: 7n,
      arg_cnt: 2,
    })
  })

  it('refuses more arguments than programs can look up', () => {
    const { specs: ids } = fresh()
    const rax = [8, register('rax')] as const
    const three = specs('x86_64', rax, rax, rax)
    expect(() => ids.add(three, 0n, probe)).toThrow(
      expect.objectContaining({
        code: 'LINK_USDT_ARGUMENTS',
        message: expect.stringContaining('3 arguments') as string,
      }),
    )
    expect(ids.add([], 0n, probe)).toBe(0)
  })
})
