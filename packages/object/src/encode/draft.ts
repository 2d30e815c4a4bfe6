import type { TsbpfError } from '@tsbpf/base'
import { btfBuilder } from '@tsbpf/btf'
import type { BtfBuilder } from '@tsbpf/btf'
import { sectionFlags, symbolTypes } from '@tsbpf/elf'
import type { ElfSectionSpec, ElfSpec, ElfSymbolSpec } from '@tsbpf/elf'
import { errors } from '../errors.ts'
import type { ObjectSpec } from '../object-spec.ts'

type Relocation = NonNullable<ElfSectionSpec['relocations']>[number]

/** Relocation types of BPF (Documentation/bpf/llvm_reloc.rst). */
export const relocationTypes = { wideLoad: 1, abs64: 2, call: 10 } as const

/** `sh_flags` of the sections that are made. */
export const flags = {
  readOnly: BigInt(sectionFlags.value('alloc')),
  writable: BigInt(sectionFlags.value('alloc') | sectionFlags.value('write')),
  code: BigInt(sectionFlags.value('alloc') | sectionFlags.value('execinstr')),
} as const

/** An object's file in the making: sections and symbols by number, from 1, and the BTF that describes them. */
export interface Draft {
  readonly spec: ObjectSpec
  readonly types: BtfBuilder
  /** Adds a section; gives its number. */
  section(section: ElfSectionSpec): number
  /** Number of the section with that name. */
  numberOf(name: string): number | undefined
  /** Adds a symbol; gives its number. */
  symbol(symbol: ElfSymbolSpec): number
  /** The symbol that stands for a section as a whole, made when it is first asked for. */
  sectionSymbol(section: number): number
  relocate(section: number, relocation: Relocation): void
  fail(path: string, expected: string, actual: string | number): TsbpfError
  elf(): ElfSpec
}

/** Starts the file of a spec. The builder of BTF goes on from the spec's, so that ids and strings stay where they are. */
export function startDraft(spec: ObjectSpec): Draft {
  const { btf } = spec
  const sections: ElfSectionSpec[] = []
  const relocations: Relocation[][] = []
  const symbols: ElfSymbolSpec[] = []
  const numbers = new Map<string, number>()
  const wholes = new Map<number, number>()
  return {
    spec,
    // The rules are the kernel's: BTF of other makers than C need not keep them.
    types: btf === undefined ? btfBuilder() : btfBuilder({ from: btf, rules: 'none' }),
    section(section) {
      const number = sections.push(section)
      relocations.push([])
      if (!numbers.has(section.name)) numbers.set(section.name, number)
      return number
    },
    numberOf: (name) => numbers.get(name),
    symbol: (symbol) => symbols.push(symbol),
    sectionSymbol(section) {
      let symbol = wholes.get(section)
      if (symbol === undefined) {
        symbol = symbols.push({ name: '', type: symbolTypes.value('section'), section })
        wholes.set(section, symbol)
      }
      return symbol
    },
    relocate(section, relocation) {
      relocations[section - 1]?.push(relocation)
    },
    fail: (path, expected, actual) => errors.OBJECT_SPEC({ path, expected, actual: String(actual) }),
    elf: () => ({
      littleEndian: spec.byteOrder === 'little',
      sections: sections.map((section, index) => ({ ...section, relocations: relocations[index] ?? [] })),
      symbols,
    }),
  }
}
