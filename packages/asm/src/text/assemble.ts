import { encodeElf } from '@tsbpf/elf'
import type { Dialect } from '@tsbpf/isa'
import { parseObject } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'
import { argumentsOf, name as nameOf, TextFault } from './arguments.ts'
import { defineLabel, report } from './assembly.ts'
import type { Assembly, AsmSection } from './assembly.ts'
import { obey } from './directives.ts'
import { elfOf } from './elf-of.ts'
import { errors } from './errors.ts'
import { numericName } from './expression.ts'
import { readInsn } from './insn-statement.ts'
import { limits } from './limits.ts'
import { resolve } from './resolve.ts'
import { isCode, sectionOf } from './section-directives.ts'
import { statements } from './statements.ts'
import type { Statement } from './statements.ts'

/** Options of {@link assemble}. */
export interface AssembleOptions {
  /** How instructions are spelt; `llvm` unless given. Directives are the same in all dialects. */
  readonly dialect?: Dialect
  /** `little` unless given. */
  readonly byteOrder?: 'little' | 'big'
  /** What problems call the text, and what the object is called; `text` unless given. */
  readonly name?: string
}

const label = /^([A-Za-z_.$][\w.$]*|"(?:[^"\\]|\\.)*"|\d+)\s*:(?!:)\s*/

/** Obeys one statement: labels, then a directive or an instruction. */
function readStatement(assembly: Assembly, statement: Statement): void {
  let { text, at } = statement
  for (let match = label.exec(text); match !== null; match = label.exec(text)) {
    const [whole, name = ''] = match
    const numeric = /^\d/.test(name)
    // The verifier's log numbers its instructions so.
    if (numeric && assembly.dialect === 'verifier') break
    if (numeric) {
      const key = numericName(assembly, name, 'f')
      assembly.numeric.set(name, (assembly.numeric.get(name) ?? 0) + 1)
      if (!assembly.section.skipped) defineLabel(assembly, key, statement, at)
    } else if (!assembly.section.skipped) {
      defineLabel(assembly, nameOf(argumentsOf(name, at), 'a label'), statement, at)
    }
    text = text.slice(whole.length)
    at += whole.length
  }
  if (text === '') return
  const rest = { ...statement, text, at }
  const directive = /^\.[\w.]+/.exec(text)?.[0]
  if (directive === undefined) readInsn(assembly, rest)
  else if (directive === '.insn' && assembly.dialect === 'conformance') readInsn(assembly, rest)
  else {
    const args = argumentsOf(text.slice(directive.length), at + directive.length)
    obey(assembly, directive, args, rest)
  }
}

function newAssembly(options: AssembleOptions): Assembly {
  const sections = new Map<string, AsmSection>()
  const assembly: Omit<Assembly, 'section'> & { section: AsmSection | undefined } = {
    dialect: options.dialect ?? 'llvm',
    littleEndian: options.byteOrder !== 'big',
    sections,
    symbols: new Map(),
    problems: [],
    maps: [],
    externs: new Map(),
    stack: [],
    numeric: new Map(),
    section: undefined,
    previous: undefined,
    total: 0,
  }
  const text = sectionOf(assembly as Assembly, '.text', 0)
  return Object.assign(assembly, { section: text })
}

/** Reads all statements of a text; faults are reported. */
function read(text: string, options: AssembleOptions): Assembly {
  const { name = 'text' } = options
  if (text.length > limits.textLength) {
    throw errors.ASM_TEXT_LENGTH({ path: name, length: text.length, limit: limits.textLength })
  }
  const assembly = newAssembly(options)
  for (const statement of statements(text, assembly.dialect)) {
    try {
      readStatement(assembly, statement)
    } catch (error) {
      if (!(error instanceof TextFault)) throw error
      report(assembly, statement, error)
      if (assembly.problems.length >= limits.problems) break
    }
  }
  return assembly
}

function failWith(assembly: Assembly, options: AssembleOptions): void {
  if (assembly.problems.length === 0) return
  throw errors.ASM_TEXT({
    path: options.name ?? 'text',
    dialect: assembly.dialect,
    problems: assembly.problems
      .toSorted((a, b) => a.line - b.line || a.column - b.column)
      .slice(0, limits.problems),
  })
}

/**
 * Assembles a text into the bytes of an object: what `clang -S -target bpf` writes, or a text by hand.
 *
 * Instructions are spelt in one of the dialects of {@link formatInsn}; in them names may stand for what they name:
 * `r1 = counts ll`, `call sum`, `call bpf_ktime_get_ns`. The README lists the directives. Code stands in functions: a label
 * that `.globl` or `.type` names. Debug information (`.debug_*`, `.loc`, `.cfi_*`) is left out; `.BTF` and `.BTF.ext` stay.
 * Where the text has no BTF, that of its `.map`, `.kfunc` and `.ksym` is made. The same text gives the same bytes.
 *
 * Errors: `ASM_TEXT` with all problems of the text, 100 at most, in order of lines; `ASM_TEXT_LENGTH`. Time is linear in the
 * length of the text, memory in that and in what it asks for, up to 256 MiB.
 *
 * @example
 * ```ts
 * import { assembleObject } from '@tsbpf/asm'
 * const bytes = assembleObject('.section xdp\n.globl pass\npass: r0 = 2\nexit\n.license "GPL"')
 * ```
 */
export function assembleObject(text: string, options: AssembleOptions = {}): Uint8Array {
  const assembly = read(text, options)
  const spec = elfOf(assembly)
  failWith(assembly, options)
  return encodeElf(spec)
}

/**
 * Assembles a text into an `ObjectSpec`: {@link assembleObject}, parsed. Its views alias bytes that nobody else has.
 *
 * Errors: those of {@link assembleObject}, and those of `parseObject` for an object that says something impossible.
 *
 * @example
 * ```ts
 * import { assemble } from '@tsbpf/asm'
 * const { programs, maps } = assemble(`
 *   .map counts, type=hash, key=u32, value=u64, max_entries=1024
 *   .section xdp
 *   .globl count
 * count:
 *   *(u32 *)(r10 - 4) = 0
 *   r2 = r10
 *   r2 += -4
 *   r1 = counts ll
 *   call bpf_map_lookup_elem
 *   r0 = 2
 *   exit`)
 * console.log(programs[0]?.type, maps[0]?.type) // xdp hash
 * ```
 */
export function assemble(text: string, options: AssembleOptions = {}): ObjectSpec {
  return parseObject(assembleObject(text, options), { name: options.name ?? 'text' })
}

/**
 * Assembles a text into its instructions alone, 8 bytes each: one section of code, in which calls reach labels. References
 * that a loader would have to fill in are errors, and so is data beside the code.
 *
 * Errors: `ASM_TEXT`, `ASM_TEXT_LENGTH`, and `ASM_RAW` for a text that is more than instructions.
 *
 * @example
 * ```ts
 * import { assembleInsns } from '@tsbpf/asm'
 * console.log(assembleInsns('mov %r0, 0\nexit', { dialect: 'conformance' }).length) // 16
 * ```
 */
export function assembleInsns(text: string, options: AssembleOptions = {}): Uint8Array {
  const assembly = read(text, options)
  const { name: path = 'text' } = options
  const full = [...assembly.sections.values()].filter((section) => !section.skipped && section.size > 0)
  const tables = full.map((section) => resolve(assembly, section, 'within the text'))
  failWith(assembly, options)
  const [section] = full
  if (section === undefined) throw errors.ASM_RAW({ path, expected: 'instructions', actual: 'none' })
  if (full.length > 1 || !isCode(section.flags)) {
    const actual = full
      .map((other) => other.name)
      .join(', ')
      .slice(0, 200)
    throw errors.ASM_RAW({ path, expected: 'one section of code', actual })
  }
  const [relocation] = tables[0] ?? []
  if (relocation !== undefined) {
    const actual = `a reference to ${relocation.target.name.slice(0, limits.shownName)}`
    throw errors.ASM_RAW({ path, expected: 'instructions that need no loader', actual })
  }
  return section.bytes.slice(0, section.size)
}
