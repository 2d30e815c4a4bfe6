import type { BtfTypeInput } from './type-input.ts'

/**
 * Which rules a built type has to keep, beyond what can be encoded at all:
 *
 * - `object`: what the kernel asks of a type (`btf_check_meta` in kernel/bpf/btf.c; libbpf also wants names of int and
 *   float), except what a loader completes in the BTF of an object: sizes, offsets and order of data sections, and
 *   extern linkage;
 * - `kernel`: all of it, for BTF that is loaded as it is;
 * - `none`: for BTF of other makers, such as Rust's, whose names are no C identifiers.
 */
export type BtfRules = 'object' | 'kernel' | 'none'

/** What a type breaks: where, what was expected, what was found. */
export interface BtfRuleBreak {
  /** Below the type: `members[2].name`. */
  readonly path: string
  readonly expected: string
  readonly actual: string
}

type Report = (path: string, expected: string, actual: unknown) => void

const encoder = new TextEncoder()
const identifier = /^[A-Za-z_.][A-Za-z0-9_.]*$/
/** `KSYM_NAME_LEN`: the longest name the kernel reads. */
const longestName = 512
/** `BTF_MAX_VLEN` of kernels before 7.0. */
const mostElements = 0xffff

function isIdentifier(name: string): boolean {
  return name.length <= longestName && identifier.test(name)
}

/** `isprint` of the kernel, byte by byte. */
function isSectionName(name: string): boolean {
  const bytes = encoder.encode(name)
  return (
    bytes.length > 0 &&
    bytes.length <= longestName &&
    bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte >= 0xa0)
  )
}

const anIdentifier = `a C identifier of at most ${longestName} characters`

function named(report: Report, path: string, name: string): void {
  if (!isIdentifier(name)) report(path, anIdentifier, JSON.stringify(name))
}

function namedOrNot(report: Report, path: string, name: string): void {
  if (name !== '' && !isIdentifier(name)) report(path, `${anIdentifier}, or none`, JSON.stringify(name))
}

function notVoid(report: Report, path: string, type: number): void {
  if (type === 0) report(path, 'a type that is not void', 0)
}

function powerOfTwo(report: Report, size: number, most: number): void {
  if (size < 1 || size > most || (size & (size - 1)) !== 0) {
    report('size', `a power of two, at most ${most}`, size)
  }
}

function few(report: Report, path: string, count: number): void {
  if (count > mostElements) report(path, `at most ${mostElements} of them`, count)
}

/** The rules of each kind, as its `check_meta` in the kernel has them. */
function check(type: BtfTypeInput, strict: boolean, report: Report): void {
  switch (type.kind) {
    case 'int': {
      const { size, bits = size * 8, offsetBits = 0, signed, char, bool } = type
      if (type.name === '') report('name', 'a text', '""')
      if (bits + offsetBits > 128) report('bits', 'at most 128 bits with the offset', bits + offsetBits)
      if (Math.ceil((bits + offsetBits) / 8) > size)
        report('bits', `${size * 8} bits at most`, bits + offsetBits)
      if (Number(signed ?? false) + Number(char ?? false) + Number(bool ?? false) > 1) {
        report('signed', 'at most one of signed, char and bool', 'several')
      }
      return
    }
    case 'ptr':
    case 'volatile':
    case 'const':
    case 'restrict':
      return
    case 'array':
      notVoid(report, 'type', type.type)
      notVoid(report, 'indexType', type.indexType)
      return
    case 'struct':
    case 'union': {
      namedOrNot(report, 'name', type.name)
      few(report, 'members', type.members.length)
      let last = 0
      type.members.forEach(({ name, type: member, offsetBits }, i) => {
        namedOrNot(report, `members[${i}].name`, name)
        notVoid(report, `members[${i}].type`, member)
        const path = `members[${i}].offsetBits`
        if (type.kind === 'union' && offsetBits !== 0) report(path, '0 in a union', offsetBits)
        if (offsetBits < last) report(path, `${last} or more: members are in order`, offsetBits)
        if (Math.ceil(offsetBits / 8) > type.size) report(path, `at most ${type.size * 8}`, offsetBits)
        last = offsetBits
      })
      return
    }
    case 'enum':
    case 'enum64':
      namedOrNot(report, 'name', type.name)
      powerOfTwo(report, type.size, 8)
      few(report, 'values', type.values.length)
      type.values.forEach(({ name }, i) => named(report, `values[${i}].name`, name))
      return
    case 'fwd':
    case 'typedef':
      named(report, 'name', type.name)
      return
    case 'type_tag':
      if (type.name === '') report('name', 'a text', '""')
      return
    case 'func':
      named(report, 'name', type.name)
      if (strict && type.linkage === 'extern') report('linkage', 'static or global', type.linkage)
      return
    case 'func_proto':
      few(report, 'params', type.params.length)
      type.params.forEach(({ name, type: param }, i) => {
        if (param === 0 && (i < type.params.length - 1 || name !== '')) {
          report(`params[${i}].type`, 'a type that is not void, or at last varargs without name', 0)
        }
        namedOrNot(report, `params[${i}].name`, name)
      })
      return
    case 'var':
      named(report, 'name', type.name)
      notVoid(report, 'type', type.type)
      if (strict && type.linkage === 'extern') report('linkage', 'static or global', type.linkage)
      return
    case 'datasec': {
      if (!isSectionName(type.name)) {
        report('name', `printable characters, at most ${longestName}`, JSON.stringify(type.name))
      }
      few(report, 'vars', type.vars.length)
      if (strict && type.size === 0) report('size', 'more than 0', 0)
      let end = 0
      type.vars.forEach(({ type: variable, offset, size }, i) => {
        notVoid(report, `vars[${i}].type`, variable)
        if (!strict) return
        if (offset < end) report(`vars[${i}].offset`, `${end} or more: in order, without overlap`, offset)
        if (size === 0) report(`vars[${i}].size`, 'more than 0', 0)
        if (offset + size > type.size)
          report(`vars[${i}].size`, `an end at or before ${type.size}`, offset + size)
        end = offset + size
      })
      return
    }
    case 'float':
      if (type.name === '') report('name', 'a text', '""')
      if (![2, 4, 8, 12, 16].includes(type.size)) report('size', '2, 4, 8, 12 or 16', type.size)
      return
    case 'decl_tag':
      if (type.name === '') report('name', 'a text', '""')
      if ((type.component ?? -1) < -1) report('component', '-1 or more', type.component)
      return
  }
}

/** The first rule that a type breaks. */
export function brokenRule(type: BtfTypeInput, rules: BtfRules): BtfRuleBreak | undefined {
  if (rules === 'none') return undefined
  let first: BtfRuleBreak | undefined
  check(type, rules === 'kernel', (path, expected, actual) => {
    first ??= { path, expected, actual: String(actual) }
  })
  return first
}
