import { place } from './compile-decode.ts'
import type { RecordMember } from './record-node.ts'
import type { IntegerRule } from './scalar-node.ts'
import { nameLiteral, numberLiteral, sourceText } from './source-text.ts'
import type { MadeSource, SourceText } from './source-text.ts'
import { isRecordNode } from './value-node.ts'
import type { ValueNode } from './value-node.ts'

/**
 * Writes a value into bytes that are zero. False, or any exception, means that it is not sure: the bytes are then
 * worth nothing, and the interpreted twin writes the value, or says what is wrong with it.
 */
export type CompiledEncoder = (view: DataView, at: number, value: unknown) => boolean

/** The code of an encoder, and the values that it refers to; throws `TooLarge`. */
export function encoderSource(root: ValueNode, littleEndian: boolean): MadeSource {
  const text = sourceText()
  const statements = encodeWriter(text, littleEndian)(root, 0, 'value')
  return text.finish(`(view, at, value) => {\n${statements}\nreturn true\n}`)
}

/** What integers of more than 32 bits are given as. */
function big(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  throw new TypeError()
}

function small(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

/** An object whose members can only be its own or those of `Object.prototype`: no array, view or class instance. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === rootPrototype || prototype === null
}

const { hasOwn, prototype: rootPrototype } = Object
// Called with its `this` below: the engine knows what it gives within a `for`-`in` of the same object.
// eslint-disable-next-line @typescript-eslint/unbound-method
const { hasOwnProperty } = rootPrototype
const { isArray } = Array

/** Up to so many names are compared one after the other, faster than a set looks them up. */
const comparedNames = 24

function encodeWriter(
  text: SourceText,
  littleEndian: boolean,
): (node: ValueNode, offset: number, value: string) => string {
  const order = String(littleEndian)
  let variables = 0
  const variable = (): string => `x${++variables}`
  const set = (what: string, offset: number, value: string): string =>
    what.endsWith('8')
      ? `view.set${what}(${place(offset)}, ${value})`
      : `view.set${what}(${place(offset)}, ${value}, ${order})`
  const unless = (condition: string): string => `if (!(${condition})) return false`

  /** True for an integer of so many bits; `value` must be a number. */
  const fits = ({ bits, signed }: IntegerRule, value: string): string => {
    const above = numberLiteral(32 - bits)
    return signed
      ? `(${value} << ${above} >> ${above}) === ${value}`
      : `(${value} << ${above} >>> ${above}) === ${value}`
  }

  const integer = (size: number, rule: IntegerRule, offset: number, given: string): string => {
    const value = variable()
    if (size <= 4) {
      const number = rule.big ? `${text.refer(small)}(${given})` : given
      const what = `Uint${numberLiteral(size * 8)}`
      return `const ${value} = ${number}\n${unless(fits(rule, value))}\n${set(what, offset, value)}`
    }
    const bits = numberLiteral(size * 8)
    const lines = [
      `const ${value} = ${text.refer(big)}(${given})`,
      unless(`BigInt.as${rule.signed ? 'Int' : 'Uint'}N(${bits}, ${value}) === ${value}`),
    ]
    const [low, high] = littleEndian ? [0, 8] : [8, 0]
    // Setting takes the low 64 bits of any bigint.
    if (size === 8) lines.push(set('BigUint64', offset, value))
    else {
      lines.push(set('BigUint64', offset + low, value), set('BigUint64', offset + high, `${value} >> 64n`))
    }
    return lines.join('\n')
  }

  const bitfield = (
    node: ValueNode,
    rule: IntegerRule,
    first: number,
    offset: number,
    given: string,
  ): string => {
    const { size } = node
    const [value, bits] = [variable(), variable()]
    const mask = rule.bits === 32 ? '-1' : numberLiteral(2 ** rule.bits - 1)
    const shift = littleEndian ? first : size * 8 - first - rule.bits
    const lines = [
      `const ${value} = ${given}`,
      unless(fits(rule, value)),
      `const ${bits} = (${value} & ${mask}) << ${numberLiteral(shift)}`,
    ]
    for (let i = 0; i < size; i++) {
      const at = place(offset + (littleEndian ? i : size - 1 - i))
      lines.push(`view.setUint8(${at}, view.getUint8(${at}) | ${bits} >>> ${numberLiteral(i * 8)} & 255)`)
    }
    return lines.join('\n')
  }

  const members = (list: readonly RecordMember[], offset: number, fields: string): string => {
    const lines: string[] = []
    for (const { name, node, offset: within } of list) {
      const { form } = node
      if (name !== '') {
        const key = nameLiteral(name)
        const value = variable()
        // What is not enumerable may be inherited all the same; the engine makes `in` of a constant object no work.
        const inherited = `${key} in ${text.refer(rootPrototype)} && !${text.refer(hasOwn)}(${fields}, ${key})`
        lines.push(
          `const ${value} = ${inherited} ? undefined : ${fields}[${key}]`,
          `if (${value} !== undefined) {\n${statements(node, offset + within, value)}\n}`,
        )
      } else if (form.kind === 'struct') {
        text.count()
        lines.push(members(form.members, offset + within, fields))
      } else if (form.kind === 'union') {
        text.count()
        lines.push(`${text.refer(node)}.writeFrom(${fields}, view, ${place(offset + within)})`)
      }
    }
    return lines.join('\n')
  }

  const body = (node: ValueNode): string => {
    const { form } = node
    if (form.kind === 'array') {
      const size = numberLiteral(form.element.size)
      const length = numberLiteral(form.length)
      return `${unless(`${text.refer(isArray)}(value) && value.length === ${length}`)}
for (let i = 0; i < ${length}; i++, at += ${size}) {
${statements(form.element, 0, 'value[i]')}
}
return true`
    }
    if (form.kind !== 'struct' || !isRecordNode(node)) return 'return false'
    const own = `${text.refer(hasOwnProperty)}.call(value, name)`
    const cases = [...node.names].map((name) => `case ${nameLiteral(name)}: continue\n`).join('')
    const known =
      node.names.size <= comparedNames
        ? `switch (name) {\n${cases}default: return false\n}`
        : unless(`${text.refer(node.names)}.has(name)`)
    return `${unless(`${text.refer(isPlain)}(value)`)}
for (const name in value) {
${unless(own)}
${known}
}
${members(form.members, 0, 'value')}
return true`
  }

  const statements = (node: ValueNode, offset: number, given: string): string => {
    text.count()
    const { form, size } = node
    switch (form.kind) {
      case 'integer':
        return integer(size, form.rule, offset, given)
      case 'faced': {
        const { form: inner } = form.node
        if (inner.kind !== 'integer') break
        return integer(size, inner.rule, offset, `${text.refer(form.face.number)}(${given})`)
      }
      case 'float': {
        const value = variable()
        const what = size === 4 ? 'Float32' : 'Float64'
        return `const ${value} = ${given}\n${unless(`typeof ${value} === "number"`)}\n${set(what, offset, value)}`
      }
      case 'bitfield': {
        if (form.rule.big || size > 4) break
        const number = form.face === undefined ? given : `${text.refer(form.face.number)}(${given})`
        return bitfield(node, form.rule, form.first, offset, number)
      }
      case 'array':
      case 'struct': {
        const routine = text.routine(node, 'view, at, value', () => body(node))
        return unless(`${routine}(view, ${place(offset)}, ${given})`)
      }
      default:
    }
    // Texts, bytes, unions and wide bitfields are written by their node, which throws where the value is wrong.
    return `${text.refer(node)}.write(view, ${place(offset)}, ${given})`
  }
  return statements
}
