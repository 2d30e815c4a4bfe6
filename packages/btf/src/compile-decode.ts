import { readBytes, readText } from './array-node.ts'
import { nameLiteral, numberLiteral, sourceText } from './source-text.ts'
import type { MadeSource, SourceText } from './source-text.ts'
import type { RecordMember } from './record-node.ts'
import type { IntegerRule } from './scalar-node.ts'
import type { ValueNode } from './value-node.ts'

/** Reads values of one type, as its node does. */
export interface CompiledDecoder {
  readonly read: (view: DataView, at: number) => unknown
  /** Appends so many values to a list, one every `stride` bytes. */
  readMany(view: DataView, at: number, count: number, stride: number): unknown[]
}

/** Records and arrays of up to so many values are written out where they stand, larger ones are functions. */
const inlined = 24

/** The code of a decoder, and the values that it refers to; throws `TooLarge`. */
export function decoderSource(root: ValueNode, littleEndian: boolean): MadeSource {
  const text = sourceText()
  const writer = decodeWriter(text, littleEndian)
  const one = writer.expression(root, 0)
  const many = `function (view, at, count, stride) {
const list = []
for (let i = 0; i < count; i++, at += stride) list.push(${one})
return list
}`
  return text.finish(`{ read: (view, at) => (${one}), readMany: ${many} }`)
}

/** Where a value is: the code's variable `at`, and a distance known now. */
export function place(offset: number): string {
  return offset === 0 ? 'at' : `at + ${numberLiteral(offset)}`
}

function decodeWriter(
  text: SourceText,
  littleEndian: boolean,
): { expression(node: ValueNode, offset: number): string } {
  const order = String(littleEndian)
  const get = (what: string, offset: number): string =>
    what.endsWith('8') ? `view.get${what}(${place(offset)})` : `view.get${what}(${place(offset)}, ${order})`

  /** A whole integer of a size that {@link ValueNode} has. */
  const integer = (size: number, { signed, big }: IntegerRule, offset: number): string => {
    const sign = signed ? 'Int' : 'Uint'
    if (size === 16) {
      const [low, high] = littleEndian ? [0, 8] : [8, 0]
      return `(${get(`Big${sign}64`, offset + high)} << 64n | ${get('BigUint64', offset + low)})`
    }
    if (size === 8) return get(`Big${sign}64`, offset)
    const number = get(`${sign}${numberLiteral(size * 8)}`, offset)
    return big ? `BigInt(${number})` : number
  }

  /** One to four bytes as a number whose low 32 bits are theirs. */
  const word = (size: number, offset: number): string => {
    if (size === 1) return get('Uint8', offset)
    if (size !== 3) return get(`Uint${numberLiteral(size * 8)}`, offset)
    const [low, high] = littleEndian ? [0, 2] : [1, 0]
    return `(${get('Uint16', offset + low)} | ${get('Uint8', offset + high)} << 16)`
  }

  /** A bitfield in up to eight bytes; wider ones are read by their node. */
  const bits = (node: ValueNode, rule: IntegerRule, first: number, offset: number): string | undefined => {
    const { size } = node
    const shift = littleEndian ? first : size * 8 - first - rule.bits
    if (size > 8) return undefined
    const [low, high] = littleEndian ? [0, 4] : [size - 4, 0]
    if (size > 5 || rule.bits > 32) {
      const whole =
        size === 8
          ? get('BigUint64', offset)
          : `(BigInt(${word(size - 4, offset + high)}) << 32n | BigInt(${get('Uint32', offset + low)}))`
      const cut = `BigInt.as${rule.signed ? 'Int' : 'Uint'}N(${rule.bits}, ${whole} >> ${shift}n)`
      return rule.big ? cut : `Number(${cut})`
    }
    // Now the bits are at most 32; `moved` has them lowest, with what is above them still there.
    const moved =
      size === 5 && shift > 0
        ? `(${get('Uint32', offset + low)} >>> ${shift} | ${get('Uint8', offset + high)} << ${32 - shift})`
        : `(${size === 5 ? get('Uint32', offset + low) : word(size, offset)} >>> ${shift})`
    const above = 32 - rule.bits
    const number = `(${moved} << ${above} ${rule.signed ? '>>' : '>>>'} ${above})`
    return rule.big ? `BigInt(${number})` : number
  }

  const members = (list: readonly RecordMember[], offset: number, parts: string[]): void => {
    for (const { name, node, offset: within } of list) {
      const { form } = node
      if (name !== '') {
        // In brackets `__proto__` is a name like any other.
        const key = name === '__proto__' ? '["__proto__"]' : nameLiteral(name)
        parts.push(`${key}: ${expression(node, offset + within)}`)
      } else if (form.kind === 'struct' || form.kind === 'union') {
        text.count()
        members(form.members, offset + within, parts)
      }
    }
  }

  const literal = (node: ValueNode, offset: number): string | undefined => {
    const { form } = node
    if (form.kind === 'array') {
      const list = Array.from({ length: form.length }, (_, i) =>
        expression(form.element, offset + i * form.element.size),
      )
      return `[${list.join(', ')}]`
    }
    if (form.kind !== 'struct' && form.kind !== 'union') return undefined
    const parts: string[] = []
    members(form.members, offset, parts)
    return `{ ${parts.join(', ')} }`
  }

  const called = (node: ValueNode, offset: number): string => {
    const { form } = node
    const name = text.routine(node, 'view, at', () => {
      if (form.kind !== 'array') return `return ${literal(node, 0) ?? ''}`
      const { element, length } = form
      return `const list = []
for (let i = 0; i < ${numberLiteral(length)}; i++, at += ${numberLiteral(element.size)}) list.push(${expression(element, 0)})
return list`
    })
    return `${name}(view, ${place(offset)})`
  }

  const expression = (node: ValueNode, offset: number): string => {
    text.count()
    const { form, size } = node
    switch (form.kind) {
      case 'integer':
        return integer(size, form.rule, offset)
      case 'float':
        return get(size === 4 ? 'Float32' : 'Float64', offset)
      case 'text':
        return `${text.refer(readText)}(view, ${place(offset)}, ${numberLiteral(size)})`
      case 'bytes':
        return `${text.refer(readBytes)}(view, ${place(offset)}, ${numberLiteral(size)})`
      case 'faced':
        return `${text.refer(form.face.show)}(${expression(form.node, offset)})`
      case 'bitfield': {
        const value = bits(node, form.rule, form.first, offset)
        if (value === undefined) return `${text.refer(node)}.read(view, ${place(offset)})`
        return form.face === undefined ? value : `${text.refer(form.face.show)}(${value})`
      }
      default:
        return (node.weight <= inlined ? literal(node, offset) : undefined) ?? called(node, offset)
    }
  }
  return { expression }
}
