import { mapFlags, mapTypes } from '@tsbpf/uapi'
import { comma, faultAt, name, numberOf, peek, quoted, take, TextFault } from './arguments.ts'
import type { Arguments } from './arguments.ts'
import { defineLabel, grow, nearestName, symbolOf } from './assembly.ts'
import type { Assembly } from './assembly.ts'
import { symbolExpression } from './expression.ts'
import { sectionOf } from './section-directives.ts'
import type { Statement } from './statements.ts'

/** A type of keys or values: an integer, or an array of it. */
export interface ElementType {
  readonly signed: boolean
  /** Bytes of the integer. */
  readonly size: 1 | 2 | 4 | 8
  /** `undefined` for the integer itself. */
  readonly length: number | undefined
}

/** A map that the text declares. */
export interface MapDeclaration {
  readonly name: string
  /** Bytes from the start of `.maps`, and what the variable takes. */
  readonly offset: number
  readonly size: number
  /** Fields of the map's struct that are numbers, in their order. */
  readonly numbers: readonly (readonly [field: string, value: bigint])[]
  readonly key: ElementType | undefined
  readonly value: ElementType | undefined
  /** What initial entries point to: programs, or maps like the one that is named. */
  readonly entries: { readonly kind: 'program' } | { readonly kind: 'map'; readonly like: string } | undefined
}

/** Bytes of a field: all are pointers, as libbpf's macros make them. */
const fieldSize = 8
const most32 = 0xffff_ffffn

const integerNames = ['u8', 'u16', 'u32', 'u64', 's8', 's16', 's32', 's64'] as const

function elementType(args: Arguments): ElementType {
  const match = /^([us])(8|16|32|64)$/.exec(peek(args) ?? '')
  if (match === null) throw faultAt(args, `${integerNames.join(', ')}, or such with a length: u8[16]`)
  args.next++
  let length: number | undefined
  if (take(args, '[')) {
    const number = numberOf(peek(args))
    if (number === undefined || number < 1n || number > 0x7fff_ffffn) throw faultAt(args, 'a length')
    args.next++
    length = Number(number)
    if (!take(args, ']')) throw faultAt(args, ']')
  }
  return { signed: match[1] === 's', size: (Number(match[2]) / 8) as ElementType['size'], length }
}

function numberField(args: Arguments, most: bigint): bigint {
  const value = numberOf(peek(args))
  if (value === undefined || value > most) throw faultAt(args, `a number up to ${most}`)
  args.next++
  return value
}

/** Names of flags, or numbers, with `|` between them. */
function flagsField(args: Arguments): bigint {
  let flags = 0n
  do {
    const text = peek(args) ?? ''
    const value = numberOf(text) ?? mapFlags.byName(text)?.value
    if (value === undefined || BigInt(value) > most32) {
      const known = mapFlags.rows.map((row) => row.name)
      throw faultAt(args, 'a map flag', args.next, nearestName(text, known))
    }
    args.next++
    flags |= BigInt(value)
  } while (take(args, '|'))
  return flags
}

function typeField(args: Arguments): bigint {
  const text = peek(args) ?? ''
  const value = numberOf(text) ?? mapTypes.byName(text)?.value
  if (value === undefined || BigInt(value) > most32 || Number(value) === 0) {
    const known = mapTypes.rows.map((row) => row.name)
    throw faultAt(args, 'a map type such as hash', args.next, nearestName(text, known))
  }
  args.next++
  return BigInt(value)
}

/** Names in brackets with commas between them; an empty place is left out. */
function entriesField(
  args: Arguments,
): readonly { readonly index: number; readonly name: string; readonly at: number }[] {
  const entries: { index: number; name: string; at: number }[] = []
  if (!take(args, '[')) throw faultAt(args, 'names in brackets: [first, second]')
  for (let index = 0; !take(args, ']'); index++) {
    if (peek(args) !== ',') {
      const at = args.tokens[args.next]?.at ?? args.end
      entries.push({ index, name: name(args, 'a name'), at })
    }
    if (!take(args, ',') && peek(args) !== ']') throw faultAt(args, 'a comma or ]')
  }
  return entries
}

const fields = [
  'type', 'key', 'value', 'key_size', 'value_size', 'max_entries',
  'flags', 'map_extra', 'numa_node', 'pinning', 'inner', 'values',
] as const // prettier-ignore

/**
 * `.map NAME, type=hash, key=u32, value=u64, max_entries=1024`: a map as libbpf's macros declare it in `.maps`, with BTF
 * that says what it is. Fields: `type` (needed), `key` and `value` (types), `key_size` and `value_size` (bytes),
 * `max_entries`, `flags` (names with `|` between them), `map_extra`, `numa_node`, `pinning=by_name`, and for prog arrays and
 * maps of maps `values=[name, name]` and `inner=MAP`.
 */
export function mapDirective(assembly: Assembly, args: Arguments, place: Statement): void {
  const at = args.tokens[0]?.at ?? args.end
  const label = name(args, 'the name of a map')
  const numbers = new Map<string, bigint>()
  const types = new Map<'key' | 'value', ElementType>()
  let entries: ReturnType<typeof entriesField> = []
  let hasEntries = false
  let inner: string | undefined
  const seen = new Set<string>()
  while (args.next < args.tokens.length) {
    comma(args)
    const index = args.next
    const field = fields.find((known) => known === peek(args))
    if (field === undefined)
      throw faultAt(args, `a field: ${fields.join(', ')}`, index, nearestName(peek(args) ?? '', fields))
    if (seen.has(field)) throw faultAt(args, 'a field that is not there yet')
    seen.add(field)
    args.next++
    if (!take(args, '=')) throw faultAt(args, '=')
    if (field === 'key' || field === 'value') types.set(field, elementType(args))
    else if (field === 'type') numbers.set(field, typeField(args))
    else if (field === 'flags') numbers.set('map_flags', flagsField(args))
    else if (field === 'pinning') {
      if (!take(args, 'none') && !take(args, 'by_name')) throw faultAt(args, 'none or by_name')
      numbers.set(field, args.tokens[args.next - 1]?.text === 'by_name' ? 1n : 0n)
    } else if (field === 'inner') inner = name(args, 'the name of a map')
    else if (field === 'values') {
      entries = entriesField(args)
      hasEntries = true
    } else numbers.set(field, numberField(args, field === 'map_extra' ? 0xffff_ffff_ffff_ffffn : most32))
  }
  const kind = Number(numbers.get('type') ?? 0)
  if (kind === 0) throw faultAt(args, 'type=, such as type=hash')
  declare(assembly, place, at, label, {
    numbers: [...numbers],
    key: types.get('key'),
    value: types.get('value'),
    entries: entriesOf(kind, inner, entries, hasEntries, at),
    rows: entries,
  })
}

function entriesOf(
  type: number,
  inner: string | undefined,
  entries: readonly { readonly name: string }[],
  given: boolean,
  at: number,
): MapDeclaration['entries'] {
  const ofMaps = type === mapTypes.value('array_of_maps') || type === mapTypes.value('hash_of_maps')
  if (ofMaps) {
    const like = inner ?? entries[0]?.name
    if (like === undefined) throw new TextFault(at, 'inner=, a map that is like those in it', 'none')
    return { kind: 'map', like }
  }
  if (inner !== undefined || (given && type !== mapTypes.value('prog_array'))) {
    throw new TextFault(at, 'no initial entries in this type of map', quoted(mapTypes.format(type)))
  }
  return given ? { kind: 'program' } : undefined
}

function declare(
  assembly: Assembly,
  place: Statement,
  at: number,
  label: string,
  facts: Pick<MapDeclaration, 'numbers' | 'key' | 'value' | 'entries'> & {
    readonly rows: ReturnType<typeof entriesField>
  },
): void {
  const { rows, ...declaration } = facts
  const { section } = assembly
  assembly.section = sectionOf(assembly, '.maps', at)
  try {
    const maps = assembly.section
    maps.align = 8
    grow(assembly, (8 - (maps.size % 8)) % 8, at)
    defineLabel(assembly, label, place, at)
    const count =
      declaration.numbers.length +
      (declaration.key === undefined ? 0 : 1) +
      (declaration.value === undefined ? 0 : 1)
    const size = (count + Math.max(0, ...rows.map((row) => row.index + 1))) * fieldSize
    const offset = grow(assembly, size, at)
    for (const row of rows) {
      const value = symbolExpression(symbolOf(assembly, row.name, place, row.at))
      const to = offset + (count + row.index) * fieldSize
      maps.fixups.push({
        kind: 'data',
        offset: to,
        size: fieldSize,
        value,
        insn: undefined,
        place,
        at: row.at,
      })
    }
    const symbol = symbolOf(assembly, label, place, at)
    symbol.type = 'object'
    symbol.binding = 'global'
    symbol.size = { constant: BigInt(size), terms: [] }
    assembly.maps.push({ name: label, offset, size, ...declaration })
  } finally {
    assembly.section = section
  }
}
