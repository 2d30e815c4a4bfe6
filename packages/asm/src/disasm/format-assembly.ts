import { parseElf, sectionFlags, sectionTypes, symbolTypes } from '@tsbpf/elf'
import type { ElfFile, ElfSection, ElfSymbol } from '@tsbpf/elf'
import { InsnView } from '@tsbpf/isa'
import type { Dialect } from '@tsbpf/isa'
import { encodeObject } from '@tsbpf/object'
import type { FunctionSpec, LineInfo, ObjectSpec } from '@tsbpf/object'
import { disassembleFunctions } from './disassemble-object.ts'
import type { DisassembledFunction, DisassembledLine } from './disassemble-object.ts'
import { commentText, nameText } from './reference-text.ts'
import type { NamedPlace } from './reference-text.ts'
import {
  bytesText,
  dataText,
  sectionHeader,
  symbolHeader,
  symbolsBySection,
  targetName,
} from './section-text.ts'

/** Options of {@link formatAssembly}. */
export interface FormatAssemblyOptions {
  /** `llvm` unless given. */
  readonly dialect?: Dialect
  /** `between` puts lines of C before the instructions that they became; `none` unless given. */
  readonly source?: 'between' | 'none'
}

/** What starts a line that is a comment. */
const comments: Readonly<Record<Dialect, string>> = { llvm: '#', verifier: ';', gnu: '#', conformance: '#' }

/** Bytes of a slot. */
const slotBytes = 8

/** Operands as the file's relocations have them: a symbol, and what the immediate adds to it. */
function operandsOf(elf: ElfFile, functions: ReadonlyMap<string, ElfSymbol>) {
  const starts = new Set<string>()
  for (const { binding, section, value } of functions.values()) {
    if (binding === 'local') starts.add(`${section}:${value}`)
  }
  const targets = new Map<number, Map<number, NamedPlace>>()
  for (const section of elf.sections) {
    if ((section.flags & BigInt(sectionFlags.value('execinstr'))) === 0n) continue
    const code = new InsnView(section.data, elf)
    const places = new Map<number, NamedPlace>()
    targets.set(section.index, places)
    for (const { offset, symbol } of elf.relocations(section)) {
      const slot = offset / slotBytes
      const name = targetName(elf, symbol)
      const target = elf.symbols[symbol]
      if (code.isWide(slot)) {
        places.set(offset, { name, distance: code.imm(slot) })
        continue
      }
      // A call counts from its symbol, or from the section where the function is static: that has a name.
      const distance = (code.imm(slot) + 1) * slotBytes
      const whole = target?.type === symbolTypes.value('section')
      if (whole ? !starts.has(`${target.section}:${distance}`) : distance !== 0) {
        places.set(offset, { name, distance })
      }
    }
  }
  return (fn: FunctionSpec, index: number): NamedPlace | undefined => {
    const symbol = functions.get(fn.name)
    return targets.get(symbol?.section ?? 0)?.get(fn.sectionOffset + index * slotBytes)
  }
}

function* linesText(
  lines: readonly DisassembledLine[],
  comment: string,
  options: FormatAssemblyOptions,
): Generator<string, void, undefined> {
  let shown: LineInfo | undefined
  for (const { source, core, label, assembly } of lines) {
    if (
      options.source === 'between' &&
      source !== undefined &&
      (source.file !== shown?.file || source.line !== shown.line)
    ) {
      yield `\t${comment} ${commentText(source.file)}:${source.line}: ${commentText(source.text)}`
      shown = source
    }
    for (const text of core) yield `\t${comment} CO-RE ${commentText(text)}`
    if (label !== undefined) yield `${label}:`
    yield `\t${assembly}`
  }
}

function* codeText(
  section: ElfSection,
  symbols: readonly ElfSymbol[],
  functions: ReadonlyMap<string, DisassembledFunction>,
  options: FormatAssemblyOptions,
): Generator<string, void, undefined> {
  yield* sectionHeader(section)
  let at = 0
  const rest = [...symbols]
  for (let symbol = rest.shift(); symbol !== undefined; symbol = rest.shift()) {
    const start = Number(symbol.value)
    yield* bytesText(section.data.subarray(at, start))
    at = Math.max(at, start)
    yield* symbolHeader(symbol)
    // Two names for one function stand before the same code.
    if (rest[0]?.value === symbol.value) continue
    const fn = functions.get(symbol.name)
    if (fn === undefined) continue
    yield* linesText(fn.lines, comments[options.dialect ?? 'llvm'], options)
    at = start + fn.function.insns.length
  }
  yield* bytesText(section.data.subarray(at))
}

/**
 * Writes an object as a text that {@link assemble} turns into the same object again: code with names and labels, maps and
 * data, licence, and `.BTF` and `.BTF.ext` as bytes. Comments say what CO-RE relocations ask, and the lines of C if wanted.
 *
 * The dialect `conformance` loses nothing; what others do not write down is in the README of `@tsbpf/isa`. It is what
 * `encodeObject` makes of the spec that is written. Names and lines of strangers are quoted, so that none becomes a
 * directive. Yields lines without their ends. Errors: those of `encodeObject`.
 *
 * @example
 * ```ts
 * import { assemble, formatAssembly } from '@tsbpf/asm'
 * const spec = assemble('.section xdp\n.globl pass\npass: r0 = 2\nexit')
 * console.log([...formatAssembly(spec)].join('\n'))
 * ```
 */
export function* formatAssembly(
  spec: ObjectSpec,
  options: FormatAssemblyOptions = {},
): Generator<string, void, undefined> {
  const { dialect = 'llvm' } = options
  const elf = parseElf(encodeObject(spec))
  const symbols = symbolsBySection(elf)
  for (const { name, binding } of symbols.get(0) ?? []) {
    yield `\t.${binding === 'weak' ? 'weak' : 'extern'} ${nameText(name)}`
  }
  const bySymbol = new Map<string, ElfSymbol>()
  for (const symbol of elf.symbols)
    if (symbol.type === symbolTypes.value('func')) bySymbol.set(symbol.name, symbol)
  const functions = new Map<string, DisassembledFunction>()
  for (const fn of disassembleFunctions(spec, { dialect }, operandsOf(elf, bySymbol)))
    functions.set(fn.function.name, fn)
  const contents: readonly number[] = [sectionTypes.value('progbits'), sectionTypes.value('nobits')]
  for (const section of elf.sections) {
    if (!contents.includes(section.type)) continue
    const own = symbols.get(section.index) ?? []
    const code = (section.flags & BigInt(sectionFlags.value('execinstr'))) !== 0n
    yield* code ? codeText(section, own, functions, options) : dataText(elf, section, own)
  }
}
