import { textUntilNul } from '@tsbpf/base'
import type { TypeId } from '@tsbpf/base'
import type { Btf } from '../btf-type.ts'
import { errors } from '../errors.ts'
import { kindOfInfo, kinds } from '../kinds.ts'
import { parseBtf } from '../parse-btf.ts'
import { baseStrings, encodeImage, openImage, stringMover } from './btf-image.ts'
import type { BtfImage } from './btf-image.ts'
import { encodeType } from './encode-type.ts'
import { brokenReference } from './reference-rules.ts'
import { stringTable } from './string-table.ts'
import { eachId, eachString, wordCount } from './type-fields.ts'
import type { BtfTypeInput } from './type-input.ts'
import { brokenRule } from './type-rules.ts'
import type { BtfRuleBreak, BtfRules } from './type-rules.ts'

/** Options of {@link btfBuilder}. */
export interface BtfBuilderOptions {
  /** The BTF that the built one is split from: its types may be referred to, its strings are used. */
  readonly base?: Btf
  /** A BTF to go on from: its types keep their ids, its strings their offsets. It must have no base, or `base`. */
  readonly from?: Btf
  /** `object` unless given. */
  readonly rules?: BtfRules
  /** Name of the BTF, for messages; `BTF` unless given. */
  readonly name?: string
}

/** How {@link BtfBuilder.build} writes. */
export interface BuildBtfOptions {
  /** `true` unless given. */
  readonly littleEndian?: boolean
}

/** Where the types and strings of another BTF have come to be. */
export interface AddedBtf {
  /** The new id of an id of the added BTF; those of a common base stay. */
  type(id: number): TypeId
  /** The new offset of a string offset of the added BTF. */
  string(offset: number): number
}

/**
 * Types and strings in the making. Nothing is taken back: a type that is refused leaves nothing behind, strings that
 * are not used at last stay.
 */
export interface BtfBuilder {
  readonly base: Btf | undefined
  /** The first id that it gives: 1, or one more than the base's last. */
  readonly firstId: number
  /** One more than the last id given. */
  readonly endId: number
  /** Adds a type; its id is one more than the last. Ids that it refers to need not exist yet. */
  add(type: BtfTypeInput): TypeId
  /** Gives the next id to a type that follows by {@link BtfBuilder.define}: for types that refer to each other. */
  reserve(): TypeId
  /** Defines a type whose id was reserved. */
  define(id: number, type: BtfTypeInput): void
  /** Puts another type in the place of one that has been added or came with `from`. */
  replace(id: number, type: BtfTypeInput): void
  /**
   * Adds all types of a BTF, as they are and in their order, their strings included (libbpf's `btf__add_btf`). It must
   * have no base, or the builder's.
   */
  addBtf(btf: Btf): AddedBtf
  /** Offset of a text in the string section, for `.BTF.ext` and for line info of a load; added where it is new. */
  string(text: string): number
  /** The `.BTF` data of what has been added; the builder can go on. */
  build(options?: BuildBtfOptions): Uint8Array
  /** The same, parsed. */
  open(options?: BuildBtfOptions): Btf
}

/**
 * Starts a BTF (Documentation/bpf/btf.rst). Each type is checked when it is added: `BTF_BUILD` for what cannot be
 * encoded or breaks the rules, with type, path, expected and actual. References are checked by `build`: `BTF_BUILD` for
 * kinds that do not fit, `BTF_BUILD_ID` for ids that do not exist. Equal strings are stored once, in the order in which
 * they come; the same calls give the same bytes. Equal types stay apart: see {@link dedupBtf}.
 *
 * @example
 * ```ts
 * import { btfBuilder } from '@tsbpf/btf'
 * const builder = btfBuilder()
 * const node = builder.reserve()
 * const next = builder.add({ kind: 'ptr', type: node })
 * const int = builder.add({ kind: 'int', name: 'int', size: 4, signed: true })
 * builder.define(node, {
 *   kind: 'struct',
 *   name: 'node',
 *   size: 16,
 *   members: [
 *     { name: 'next', type: next, offsetBits: 0 },
 *     { name: 'value', type: int, offsetBits: 64 },
 *   ],
 * })
 * console.log(builder.build().length) // 115
 * ```
 */
export function btfBuilder(options: BtfBuilderOptions = {}): BtfBuilder {
  const { from, base = from?.base, rules = 'object', name: file = 'BTF' } = options
  if (from !== undefined && from.base !== base) {
    throw errors.BTF_BASE({ file, what: 'a split BTF can be gone on from only with the same base' })
  }
  const start = from === undefined ? undefined : openImage(from, file)
  const firstId = base?.endId ?? 1
  const strings = stringTable(
    start?.strings.subarray(start.firstString) ?? new Uint8Array(base === undefined ? 1 : 0),
    baseStrings(base),
  )
  let words = new Uint32Array(256)
  let length = 0
  /** By id less the first: where the type's words start, or -1 while it is only reserved. */
  const starts: number[] = []
  let ordered = true
  let baseTypes: BtfImage | undefined

  const grow = (count: number): number => {
    if (length + count > words.length) {
      const larger = new Uint32Array((length + count) * 2)
      larger.set(words)
      words = larger
    }
    const start = length
    length += count
    return start
  }
  const broken = (id: number, type: string, rule: BtfRuleBreak): Error =>
    errors.BTF_BUILD({ file, id, type, path: rule.path, expected: rule.expected, actual: rule.actual })
  const describe = (type: BtfTypeInput): string =>
    'name' in type && type.name !== '' ? `${type.kind} ${type.name}` : type.kind
  /** Encodes and appends; the words are added only where nothing is refused. */
  const write = (id: number, type: BtfTypeInput): number => {
    const rule = brokenRule(type, rules)
    if (rule !== undefined) throw broken(id, describe(type), rule)
    const refuse = (path: string, expected: string, actual: unknown): never => {
      throw broken(id, describe(type), { path, expected, actual: String(actual) })
    }
    const string = (text: string, path: string): number => {
      if (text.includes('\0')) return refuse(path, 'a text without NUL', JSON.stringify(text))
      return strings.addText(text)
    }
    const encoded = encodeType(type, string, refuse)
    const start = grow(encoded.length)
    words.set(encoded, start)
    return start
  }
  const startOf = (id: number): number => starts[id - firstId] ?? -1
  const textAt = (offset: number): string => {
    if (base !== undefined && offset < base.endString) return base.string(offset)
    return textUntilNul(strings.bytes().subarray(offset - (base?.endString ?? 0)))
  }
  /** Types in the order of their ids: as they stand, but for those that were defined late. */
  const inOrder = (): Uint32Array => {
    if (ordered) return words.subarray(0, length)
    const sorted = new Uint32Array(length)
    let at = 0
    for (const start of starts) {
      const type = words.subarray(start, start + wordCount(words, start))
      sorted.set(type, at)
      at += type.length
    }
    // Less than the length where types have been replaced.
    return sorted.subarray(0, at)
  }
  /** Every id exists, every reserved one is defined, and the kinds fit. */
  const checkReferences = (): void => {
    const endId = firstId + starts.length
    const kindStart = (id: number): { readonly words: Uint32Array; readonly start: number } => {
      if (id >= firstId) return { words, start: startOf(id) }
      baseTypes ??= base === undefined ? undefined : openImage(base, file)
      return { words: baseTypes?.words ?? words, start: baseTypes?.starts[id] ?? 0 }
    }
    starts.forEach((start, index) => {
      const id = firstId + index
      if (start < 0) throw errors.BTF_BUILD_ID({ file, id, what: 'is reserved, but not defined' })
    })
    starts.forEach((start, index) => {
      const id = firstId + index
      const type = (): string =>
        `${kinds.format(kindOfInfo(words[start + 1] ?? 0))} ${textAt(words[start] ?? 0)}`.trimEnd()
      eachId(words, start, (word) => {
        const target = words[word] ?? 0
        if (target < endId) return
        const path = `word ${word - start}`
        throw broken(id, type(), { path, expected: `an id below ${endId}`, actual: String(target) })
      })
      const rule = rules === 'none' ? undefined : brokenReference(words, start, kindStart)
      if (rule !== undefined) throw broken(id, type(), rule)
    })
  }

  /** Appends the types of an image as they are. */
  const append = (image: BtfImage): void => {
    const first = image.starts[image.firstId] ?? 0
    const at = grow(image.words.length - first)
    words.set(image.words.subarray(first), at)
    for (let id = image.firstId; id < image.endId; id++) starts.push((image.starts[id] ?? 0) - first + at)
  }
  if (start !== undefined) append(start)

  const builder: BtfBuilder = {
    base,
    firstId,
    get endId() {
      return firstId + starts.length
    },
    add(type) {
      const id = builder.endId
      starts.push(write(id, type))
      return id as TypeId
    },
    reserve() {
      starts.push(-1)
      ordered = false
      return (builder.endId - 1) as TypeId
    },
    define(id, type) {
      const index = id - firstId
      if (starts[index] === undefined) throw errors.BTF_BUILD_ID({ file, id, what: 'was never given' })
      if (starts[index] >= 0) throw errors.BTF_BUILD_ID({ file, id, what: 'is defined already' })
      starts[index] = write(id, type)
    },
    replace(id, type) {
      const index = id - firstId
      if ((starts[index] ?? -1) < 0)
        throw errors.BTF_BUILD_ID({ file, id, what: 'is not there to be replaced' })
      starts[index] = write(id, type)
      ordered = false
    },
    addBtf(btf) {
      if (btf.base !== undefined && btf.base !== base) {
        throw errors.BTF_BASE({ file, what: 'a split BTF can be added only to one with the same base' })
      }
      const image = openImage(btf, file)
      const move = stringMover(image, strings)
      const shift = builder.endId - image.firstId
      const type = (id: number): TypeId => (id < image.firstId ? id : id + shift) as TypeId
      const string = (offset: number): number => (offset < image.firstString ? offset : move(offset))
      for (let id = image.firstId; id < image.endId; id++) {
        const at = image.starts[id] ?? 0
        eachString(image.words, at, (word) => {
          image.words[word] = string(image.words[word] ?? 0)
        })
        eachId(image.words, at, (word) => {
          image.words[word] = type(image.words[word] ?? 0)
        })
      }
      append(image)
      return { type, string }
    },
    string: (text) => {
      if (!text.includes('\0')) return strings.addText(text)
      throw broken(0, 'string', {
        path: 'text',
        expected: 'a text without NUL',
        actual: JSON.stringify(text),
      })
    },
    build({ littleEndian = true } = {}) {
      checkReferences()
      return encodeImage(inOrder(), strings.bytes(), littleEndian)
    },
    open: (how) => parseBtf(builder.build(how), { name: file, ...(base === undefined ? {} : { base }) }),
  }
  return builder
}
