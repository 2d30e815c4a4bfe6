import { sectionFlags, sectionTypes } from '@tsbpf/elf'
import { faultAt, finish, name, peek, quoted, take, TextFault } from './arguments.ts'
import type { Arguments } from './arguments.ts'
import { nobitsType } from './assembly.ts'
import type { AsmSection, Assembly } from './assembly.ts'
import { limits } from './limits.ts'
import type { Statement } from './statements.ts'

/** Letters of `sh_flags`, as GNU as and LLVM spell them. */
const flagLetters: ReadonlyMap<string, bigint> = new Map([
  ['a', BigInt(sectionFlags.value('alloc'))],
  ['w', BigInt(sectionFlags.value('write'))],
  ['x', BigInt(sectionFlags.value('execinstr'))],
  ['M', BigInt(sectionFlags.value('merge'))],
  ['S', BigInt(sectionFlags.value('strings'))],
])

const code = 'ax'
const writable = 'aw'

/** Flags of sections that say none themselves, by the start of their name; sections of programs are `ax`. */
const knownFlags: readonly (readonly [prefix: string, flags: string])[] = [
  ['.text', code],
  ['.data', writable],
  ['.bss', writable],
  ['.rodata', 'a'],
  ['.maps', writable],
  ['.kconfig', writable],
  ['.struct_ops', writable],
  ['license', writable],
  ['version', writable],
  ['.', ''],
]

/** Sections of which a BPF object has no need, and which are left out of it: debug information for debuggers. */
const skippedSection = /^(\.debug_|\.eh_frame|\.comment$|\.note|\.llvm)/

function flagsOf(letters: string): bigint {
  let flags = 0n
  for (const letter of letters) flags |= flagLetters.get(letter) ?? 0n
  return flags
}

/** The section of a name, made where it is new. */
export function sectionOf(
  assembly: Assembly,
  sectionName: string,
  at: number,
  given: { readonly flags?: string; readonly nobits?: boolean; readonly entsize?: number } = {},
): AsmSection {
  const known = assembly.sections.get(sectionName)
  if (known !== undefined) return known
  if (assembly.sections.size === limits.sections) {
    throw new TextFault(at, `at most ${limits.sections} sections`, quoted(sectionName))
  }
  const letters =
    given.flags ??
    knownFlags.find(
      ([prefix]) => sectionName === prefix || sectionName.startsWith(prefix === '.' ? '.' : `${prefix}.`),
    )?.[1] ??
    code
  const nobits = given.nobits ?? /^\.bss(\.|$)/.test(sectionName)
  const flags = flagsOf(letters)
  const section: AsmSection = {
    name: sectionName,
    type: nobits ? nobitsType : sectionTypes.value('progbits'),
    flags,
    entsize: given.entsize ?? 0,
    skipped: skippedSection.test(sectionName),
    align: isCode(flags) ? 8 : /^\.BTF(\.ext)?$/.test(sectionName) ? 4 : 1,
    bytes: new Uint8Array(0),
    size: 0,
    firstExit: undefined,
    firstInsn: undefined,
    fixups: [],
  }
  assembly.sections.set(sectionName, section)
  return section
}

/** True for the flags of a section that holds instructions. */
export const isCode = (flags: bigint): boolean => (flags & BigInt(sectionFlags.value('execinstr'))) !== 0n

/** Makes a section the current one. */
export function enter(assembly: Assembly, section: AsmSection): void {
  assembly.previous = assembly.section
  assembly.section = section
}

/** `.section NAME [, "flags" [, @progbits or @nobits [, entsize]]]`. */
export function sectionDirective(assembly: Assembly, args: Arguments): void {
  const start = args.tokens[0]?.at ?? args.end
  // Without quotes a name may hold what is no word: `raw_tracepoint/sys_enter`.
  let sectionName = ''
  if (peek(args)?.startsWith('"') === true) sectionName = name(args, 'the name of a section')
  else {
    for (let text = peek(args); text !== undefined && text !== ','; text = peek(args)) {
      sectionName += text
      args.next++
    }
  }
  if (sectionName === '') throw faultAt(args, 'the name of a section')
  let flags: string | undefined
  let nobits: boolean | undefined
  let entsize: number | undefined
  if (take(args, ',')) {
    const at = args.next
    flags = name(args, 'flags in quotes such as "ax"')
    const unknown = Array.from(flags).find((letter) => !flagLetters.has(letter))
    if (unknown !== undefined) throw faultAt(args, `flags of ${[...flagLetters.keys()].join('')}`, at)
    if (take(args, ',')) {
      const type = peek(args)
      if (type === undefined || !/^[@%]?(progbits|nobits|0x[\da-f]+)$/.test(type))
        throw faultAt(args, '@progbits or @nobits')
      args.next++
      nobits = type.endsWith('nobits')
      if (take(args, ',')) {
        entsize = Number(peek(args))
        if (!(Number.isInteger(entsize) && entsize > 0 && entsize < 0x1_0000))
          throw faultAt(args, 'the size of an entry')
        args.next++
      }
    }
  }
  finish(args)
  const known = assembly.sections.get(sectionName)
  const section = sectionOf(assembly, sectionName, start, {
    ...(flags === undefined ? {} : { flags }),
    ...(nobits === undefined ? {} : { nobits }),
    ...(entsize === undefined ? {} : { entsize }),
  })
  const differs =
    known !== undefined &&
    ((flags !== undefined && flagsOf(flags) !== known.flags) ||
      (nobits !== undefined && nobits !== (known.type === nobitsType)))
  if (differs)
    throw new TextFault(
      start,
      `section ${sectionName} with the flags that it has already`,
      quoted(flags ?? ''),
    )
  enter(assembly, section)
}

/** `.pushsection` as `.section`, and `.popsection` back. */
export function pushSection(assembly: Assembly, args: Arguments): void {
  if (assembly.stack.length === limits.nesting)
    throw faultAt(args, `at most ${limits.nesting} sections in each other`, 0)
  const { section } = assembly
  sectionDirective(assembly, args)
  assembly.stack.push(section)
}

export function popSection(assembly: Assembly, args: Arguments): void {
  finish(args)
  const section = assembly.stack.pop()
  if (section === undefined) throw faultAt(args, 'a .pushsection before')
  enter(assembly, section)
}

export function previousSection(assembly: Assembly, args: Arguments): void {
  finish(args)
  if (assembly.previous === undefined) throw faultAt(args, 'a section before')
  enter(assembly, assembly.previous)
}

/** `.text`, `.data`, `.bss`: the sections of these names. */
export function namedSection(
  assembly: Assembly,
  args: Arguments,
  _place: Statement,
  directive: string,
): void {
  finish(args)
  enter(assembly, sectionOf(assembly, directive, args.end))
}
