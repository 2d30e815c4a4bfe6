import { comma, faultAt, finish, name, peek, quoted, stringBytes, take, TextFault } from './arguments.ts'
import type { Arguments } from './arguments.ts'
import { defineLabel, emit, grow, nearestName, nobitsType, numberBytes, symbolOf } from './assembly.ts'
import type { Assembly, AsmSymbol } from './assembly.ts'
import { evaluate, expression } from './expression.ts'
import { externDirective, kfuncDirective, ksymDirective } from './extern-directives.ts'
import { mapDirective } from './map-directive.ts'
import {
  enter,
  isCode,
  namedSection,
  popSection,
  previousSection,
  pushSection,
  sectionDirective,
  sectionOf,
} from './section-directives.ts'
import type { Statement } from './statements.ts'

type Directive = (assembly: Assembly, args: Arguments, place: Statement, directive: string) => void

/** Takes an expression that is a number now. */
function number(
  assembly: Assembly,
  args: Arguments,
  place: Statement,
  min: bigint,
  max: bigint,
  what: string,
): bigint {
  const index = args.next
  const value = evaluate(assembly, expression(assembly, args, place), args.tokens[index]?.at ?? args.end)
  if (value.kind === 'number' && value.value >= min && value.value <= max) return value.value
  const actual = value.kind === 'number' ? String(value.value) : 'a place'
  throw new TextFault(args.tokens[index]?.at ?? args.end, `${what} from ${min} to ${max}`, actual)
}

/** `.byte`, `.short`, `.long`, `.quad` and their other names: numbers, or places that are relocated. */
function data(size: 1 | 2 | 4 | 8): Directive {
  const bits = BigInt(size * 8)
  return (assembly, args, place) => {
    do {
      const at = args.tokens[args.next]?.at ?? args.end
      const value = expression(assembly, args, place)
      if (value.terms.length > 0) {
        const offset = grow(assembly, size, at)
        assembly.section.fixups.push({ kind: 'data', offset, size, value, insn: undefined, place, at })
        continue
      }
      const { constant } = value
      if (constant < -(1n << (bits - 1n)) || constant >= 1n << bits) {
        throw new TextFault(at, `a number of ${bits} bits`, String(constant))
      }
      emit(assembly, numberBytes(constant, size, assembly.littleEndian), at)
    } while (take(args, ','))
    finish(args)
  }
}

/** `.ascii`, and with a NUL behind each `.asciz` and `.string`. */
function text(terminated: 'with NUL' | 'as it is'): Directive {
  return (assembly, args) => {
    do {
      const at = args.tokens[args.next]?.at ?? args.end
      emit(assembly, stringBytes(args), at)
      if (terminated === 'with NUL') grow(assembly, 1, at)
    } while (take(args, ','))
    finish(args)
  }
}

/** `.zero COUNT`, `.skip COUNT [, FILL]`, `.space`. */
const skip: Directive = (assembly, args, place) => {
  const at = args.tokens[0]?.at ?? args.end
  const count = Number(number(assembly, args, place, 0n, 0x7fff_ffffn, 'a count of bytes'))
  const fill = take(args, ',') ? Number(number(assembly, args, place, 0n, 0xffn, 'a byte')) : 0
  finish(args)
  fillWith(assembly, count, fill, at)
}

function fillWith(assembly: Assembly, count: number, fill: number, at: number): void {
  const { section } = assembly
  if (fill !== 0 && section.type === nobitsType)
    throw new TextFault(at, 'zeroes in a section without contents', String(fill))
  const start = grow(assembly, count, at)
  if (fill !== 0) section.bytes.fill(fill, start, start + count)
}

/** An instruction that does nothing, as LLVM pads code: `if r0 == 0 goto +0`. */
const padding = 0x15

/** `.p2align POWER`, and `.align` and `.balign` with bytes; then the byte to fill with and the most to skip. */
function align(unit: 'power' | 'bytes'): Directive {
  return (assembly, args, place) => {
    const at = args.tokens[0]?.at ?? args.end
    const given = Number(number(assembly, args, place, 0n, unit === 'power' ? 16n : 65536n, 'an alignment'))
    const bytes = unit === 'power' ? 2 ** given : Math.max(1, given)
    if ((bytes & (bytes - 1)) !== 0) throw new TextFault(at, 'a power of two', String(bytes))
    let fill = 0
    let most = Infinity
    if (take(args, ',')) {
      if (peek(args) !== ',') fill = Number(number(assembly, args, place, 0n, 0xffn, 'a byte'))
      if (take(args, ',')) most = Number(number(assembly, args, place, 0n, 0x7fff_ffffn, 'a count of bytes'))
    }
    finish(args)
    const { section } = assembly
    const gap = (bytes - (section.size % bytes)) % bytes
    if (gap <= most) {
      section.align = Math.max(section.align, bytes)
      const start = section.size
      fillWith(assembly, gap, fill, at)
      if (isCode(section.flags)) for (let i = start; i + 8 <= section.size; i += 8) section.bytes[i] = padding
    }
  }
}

/** `.globl NAME…`, `.weak`, `.local`. */
function bind(binding: AsmSymbol['binding']): Directive {
  return eachName((symbol, at) => {
    if (symbol.bound && symbol.binding !== binding && symbol.binding !== 'weak' && binding !== 'weak') {
      throw new TextFault(at, `a name that is not ${symbol.binding} already`, quoted(symbol.name))
    }
    if (!(symbol.bound && symbol.binding === 'weak')) symbol.binding = binding
    symbol.bound = true
    if (binding === 'weak') symbol.extern = true
  })
}

function eachName(set: (symbol: AsmSymbol, at: number) => void): Directive {
  return (assembly, args, place) => {
    do {
      const at = args.tokens[args.next]?.at ?? args.end
      set(symbolOf(assembly, name(args, 'a name'), place, at), at)
    } while (take(args, ','))
    finish(args)
  }
}

/** `.type NAME, @function` or `@object`. */
const type: Directive = (assembly, args, place) => {
  const at = args.tokens[0]?.at ?? args.end
  const symbol = symbolOf(assembly, name(args, 'a name'), place, at)
  take(args, ',')
  const kind = peek(args)?.replace(/^[@%]/, '').replace(/^STT_/, '').toLowerCase()
  if (kind === 'function' || kind === 'func') symbol.type = 'func'
  else if (kind === 'object' || kind === 'notype') symbol.type = kind
  else throw faultAt(args, '@function or @object')
  args.next++
  finish(args)
}

/** `.size NAME, EXPRESSION`. */
const size: Directive = (assembly, args, place) => {
  const at = args.tokens[0]?.at ?? args.end
  const symbol = symbolOf(assembly, name(args, 'a name'), place, at)
  comma(args)
  symbol.size = expression(assembly, args, place)
  finish(args)
}

/** `.set NAME, EXPRESSION` and `.equ`. */
const set: Directive = (assembly, args, place) => {
  const at = args.tokens[0]?.at ?? args.end
  const symbol = symbolOf(assembly, name(args, 'a name'), place, at)
  comma(args)
  if (symbol.section !== undefined) throw new TextFault(at, 'a name that is no label', quoted(symbol.name))
  const value = expression(assembly, args, place)
  finish(args)
  // What can be a number now is one, so that a name may be set from itself: `.set n, n+1`.
  symbol.value = value.terms.every((term) => 'value' in term.symbol && term.symbol.value?.terms.length === 0)
    ? { constant: numberNow(assembly, value, at), terms: [] }
    : value
}

function numberNow(assembly: Assembly, value: ReturnType<typeof expression>, at: number): bigint {
  const now = evaluate(assembly, value, at)
  return now.kind === 'number' ? now.value : 0n
}

/** `.comm NAME, SIZE [, ALIGN]`: zeroes in `.bss`, where BPF has its variables. */
const common: Directive = (assembly, args, place) => {
  const at = args.tokens[0]?.at ?? args.end
  const label = name(args, 'a name')
  comma(args)
  const count = Number(number(assembly, args, place, 0n, 0x7fff_ffffn, 'a count of bytes'))
  const alignment = take(args, ',') ? Number(number(assembly, args, place, 1n, 65536n, 'an alignment')) : 1
  finish(args)
  const { section, previous } = assembly
  enter(assembly, sectionOf(assembly, '.bss', at))
  const { size: used } = assembly.section
  assembly.section.align = Math.max(assembly.section.align, alignment)
  grow(assembly, (alignment - (used % alignment)) % alignment, at)
  defineLabel(assembly, label, place, at)
  const symbol = symbolOf(assembly, label, place, at)
  symbol.type = 'object'
  symbol.size = { constant: BigInt(count), terms: [] }
  if (!symbol.bound) symbol.binding = 'global'
  grow(assembly, count, at)
  assembly.section = section
  assembly.previous = previous
}

/** `.license "GPL"`. */
const license: Directive = (assembly, args) => {
  const at = args.tokens[0]?.at ?? args.end
  const bytes = stringBytes(args, 'a licence in quotes such as "GPL"')
  finish(args)
  const { section, previous } = assembly
  assembly.section = sectionOf(assembly, 'license', at)
  if (assembly.section.size > 0) {
    assembly.section = section
    throw new TextFault(at, 'one licence', 'a second one')
  }
  emit(assembly, bytes, at)
  grow(assembly, 1, at)
  assembly.section = section
  assembly.previous = previous
}

/** What compilers write for debuggers and linkers, and an object for BPF has no need of. */
const ignored: Directive = () => undefined

const table: readonly (readonly [names: string, directive: Directive])[] = [
  ['.section', sectionDirective],
  ['.pushsection', pushSection],
  ['.popsection', popSection],
  ['.previous', previousSection],
  ['.text .data .bss .rodata', namedSection],
  ['.globl .global', bind('global')],
  ['.weak', bind('weak')],
  ['.local', bind('local')],
  ['.hidden', eachName((symbol) => (symbol.visibility = 'hidden'))],
  ['.protected', eachName((symbol) => (symbol.visibility = 'protected'))],
  ['.internal', eachName((symbol) => (symbol.visibility = 'internal'))],
  ['.extern', externDirective],
  ['.ksym', ksymDirective],
  ['.kfunc', kfuncDirective],
  ['.type', type],
  ['.size', size],
  ['.set .equ', set],
  ['.byte .1byte', data(1)],
  ['.2byte .short .hword .half', data(2)],
  ['.4byte .long .int .word', data(4)],
  ['.8byte .quad .dword', data(8)],
  ['.ascii', text('as it is')],
  ['.asciz .string', text('with NUL')],
  ['.zero .skip .space', skip],
  ['.p2align', align('power')],
  ['.align .balign', align('bytes')],
  ['.comm .lcomm', common],
  ['.map', mapDirective],
  ['.license', license],
  ['.file .loc .ident .addrsig .addrsig_sym .cfi_sections .cfi_startproc .cfi_endproc', ignored],
  ['.cfi_def_cfa .cfi_def_cfa_offset .cfi_def_cfa_register .cfi_offset .att_syntax', ignored],
]

const directives: ReadonlyMap<string, Directive> = new Map(
  table.flatMap(([names, directive]) => names.split(' ').map((key) => [key, directive] as const)),
)

/** Directives that are obeyed in a section whose contents are not read. */
const alwaysRead = new Set(['.section', '.pushsection', '.popsection', '.previous', '.text', '.data', '.bss'])

/** Obeys a directive; a fault for one that is not known. */
export function obey(assembly: Assembly, directive: string, args: Arguments, place: Statement): void {
  if (assembly.section.skipped && !alwaysRead.has(directive)) return
  const found = directives.get(directive)
  if (found === undefined) {
    throw new TextFault(place.at, 'a directive', quoted(directive), nearestName(directive, directives.keys()))
  }
  found(assembly, args, place, directive)
}
