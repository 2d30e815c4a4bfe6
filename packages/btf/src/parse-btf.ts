import type { TypeId } from '@tsbpf/base'
import { keepTables } from './btf-tables.ts'
import type { Btf, BtfKind, BtfType, BtfTypeOf } from './btf-type.ts'
import { decodeType } from './decode-type.ts'
import type { TypeReader } from './decode-type.ts'
import { errors } from './errors.ts'
import { indexOfMember, memberAt } from './find-member.ts'
import { readHeader } from './header.ts'
import { kindNames, kinds, vlenOfInfo } from './kinds.ts'
import { nameIndex } from './name-index.ts'
import { alignOfType, resolveId, sizeOfType } from './sizes.ts'
import type { TypeWords } from './sizes.ts'
import { stringBytes } from './string-bytes.ts'
import { stringSection } from './string-section.ts'
import { indexTypes } from './type-index.ts'

/** Options of {@link parseBtf}. */
export interface ParseBtfOptions {
  /** The BTF that this one is split from: its ids and string offsets come first. */
  readonly base?: Btf
  /** Name of the BTF, for messages; `BTF` unless given. */
  readonly name?: string
}

/** The spellings of C's `long`, by whose size libbpf tells the size of a pointer (`determine_ptr_size`). */
const longNames = new Set([
  'long',
  'long int',
  'int long',
  'unsigned long',
  'long unsigned',
  'unsigned long int',
  'unsigned int long',
  'long unsigned int',
  'long int unsigned',
  'int unsigned long',
  'int long unsigned',
])

function pointerSizeOf(btf: Btf): 4 | 8 {
  if (btf.base !== undefined) return btf.base.pointerSize
  for (let id = btf.firstId; id < btf.endId; id++) {
    if (btf.kind(id) !== 'int') continue
    const type = btf.type(id)
    if (type.kind === 'int' && (type.size === 4 || type.size === 8) && longNames.has(type.name))
      return type.size
  }
  return 8
}

/** Number of a kind whose types have names: not of void, nor of one that is not known. */
function numberOf(kind: BtfKind): number | undefined {
  const number = kinds.byName(kind)?.value
  return number === 0 ? undefined : number
}

const voidType: BtfType = { kind: 'void', id: 0 as TypeId }

/**
 * Parses BTF of either byte order, told by its magic number (Documentation/bpf/btf.rst).
 *
 * One pass finds where each type starts and checks kinds and sizes; types, strings and names are decoded, checked and
 * kept when they are asked for, and may throw then: `BTF_STRING`, `BTF_REFERENCE`, `BTF_CYCLE`, `BTF_NO_SIZE`,
 * `BTF_SIZE`, `BTF_TYPE_ID`. Aliases `data`; do not change it. A longer header than this package knows is
 * skipped over. Time and memory are bounded by the size of the data.
 *
 * Throws `BTF_NOT_BTF`, `BTF_VERSION`, `BTF_TRUNCATED`, `BTF_HEADER`, `BTF_KIND`, `BTF_STRING`; each carries
 * `{file, path, offset, expected, actual}`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseBtf } from '@tsbpf/btf'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'), { name: 'vmlinux' })
 * console.log(kernel.find('task_struct', 'struct')?.size)
 * ```
 */
export function parseBtf(data: Uint8Array, options: ParseBtfOptions = {}): Btf {
  const { base, name: file = 'BTF' } = options
  // A Buffer's views would be Buffers too, whose methods differ (slice does not copy).
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const sections = readHeader(bytes, file, base !== undefined)
  const firstId = base?.endId ?? 1
  const strings = stringBytes(bytes, sections, base)
  const firstString = strings.start
  const index = indexTypes(bytes, sections, file, firstId)
  const { words, starts } = index
  const endId = firstId + index.count
  const readString = stringSection(strings.bytes, firstString)

  const decoded = new Map<number, BtfType>()
  const alignments = new Map<number, number>()
  let pointerSize: 4 | 8 | undefined
  const offsetOf = (word: number): number => sections.typesAt + word * 4
  const pathOf = (id: number, field: string, list: string, at: number): string =>
    `types[${id}].${list === '' ? '' : `${list}[${at}].`}${field}`
  const reader: TypeReader = {
    words,
    string: (id, word, field, list = '', at = 0) => {
      const offset = words[word] ?? 0
      if (offset === 0) return ''
      if (base !== undefined && offset < firstString) return base.string(offset)
      const text = readString(offset)
      if (typeof text === 'string') return text
      throw errors.BTF_STRING({ file, path: pathOf(id, field, list, at), offset: offsetOf(word), ...text })
    },
    reference: (id, word, field, list = '', at = 0) => {
      const target = words[word] ?? 0
      if (target < endId) return target as TypeId
      const where = { path: pathOf(id, field, list, at), offset: offsetOf(word) }
      throw errors.BTF_REFERENCE({ file, ...where, expected: `an id below ${endId}`, actual: String(target) })
    },
  }
  /** Word at which an own type starts. */
  const startOf = (id: number): number => {
    const start = id < endId ? starts[id - firstId] : undefined
    if (start === undefined) throw errors.BTF_TYPE_ID({ file, id, endId })
    return start
  }
  const hasMembers = (id: number): boolean => {
    const kind = kindNames[index.kinds[id - firstId] ?? 0]
    return kind === 'struct' || kind === 'union'
  }
  const nameOf = (id: number): string => {
    const start = startOf(id)
    return words[start] === 0 ? '' : reader.string(id, start, 'name_off')
  }
  const names = nameIndex(index, strings, firstId, nameOf)
  const merge = (ours: readonly TypeId[], theirs: readonly TypeId[] | undefined): readonly TypeId[] =>
    theirs === undefined || theirs.length === 0 ? ours : ours.length === 0 ? theirs : [...theirs, ...ours]

  const btf: Btf = {
    bytes,
    littleEndian: sections.littleEndian,
    base,
    firstId,
    endId,
    endString: firstString + sections.stringsSize,
    get pointerSize() {
      return (pointerSize ??= pointerSizeOf(btf))
    },
    type(id) {
      if (id === 0) return voidType
      if (base !== undefined && id < firstId) return base.type(id)
      const known = decoded.get(id)
      if (known !== undefined) return known
      const type = decodeType(reader, startOf(id), id)
      decoded.set(id, type)
      return type
    },
    kind(id) {
      if (id === 0) return 'void'
      if (base !== undefined && id < firstId) return base.kind(id)
      startOf(id)
      return kindNames[index.kinds[id - firstId] ?? 0] ?? 'void'
    },
    nameOf(id) {
      if (id === 0) return ''
      return base !== undefined && id < firstId ? base.nameOf(id) : nameOf(id)
    },
    vlen(id) {
      if (id === 0) return 0
      if (base !== undefined && id < firstId) return base.vlen(id)
      const start = startOf(id)
      // A function keeps its linkage there.
      return kinds.rows[index.kinds[id - firstId] ?? 0]?.each === 0 ? 0 : vlenOfInfo(words[start + 1] ?? 0)
    },
    memberAt(id, at) {
      if (id === 0) return undefined
      if (base !== undefined && id < firstId) return base.memberAt(id, at)
      const start = startOf(id)
      if (!hasMembers(id) || !(at >= 0 && at < vlenOfInfo(words[start + 1] ?? 0))) return undefined
      return memberAt(reader, id, start, at)
    },
    memberNamed(id, name, from = 0) {
      if (id === 0) return undefined
      if (base !== undefined && id < firstId) return base.memberNamed(id, name, from)
      const start = startOf(id)
      const at = hasMembers(id) ? indexOfMember(words, strings, start, name, from) : -1
      return at < 0 ? undefined : memberAt(reader, id, start, at, name)
    },
    idsByName(name: string, kind?: BtfKind) {
      const number = kind === undefined ? 0 : numberOf(kind)
      return number === undefined ? [] : merge(names.named(name, number), base?.idsByName(name, kind))
    },
    find<K extends BtfKind>(name: string, kind: K): BtfTypeOf<K> | undefined {
      const [id] = btf.idsByName(name, kind)
      return id === undefined ? undefined : (btf.type(id) as BtfTypeOf<K>)
    },
    candidates(name, kind) {
      const number = kind === undefined ? 0 : numberOf(kind)
      return number === undefined ? [] : merge(names.essential(name, number), base?.candidates(name, kind))
    },
    string(offset) {
      if (base !== undefined && offset < firstString) return base.string(offset)
      const text = readString(offset)
      if (typeof text === 'string') return text
      const where = { path: `strings[${offset}]`, offset: sections.stringsAt + offset - firstString }
      throw errors.BTF_STRING({ file, ...where, ...text })
    },
    resolve: (id) => btf.type(resolveId(types, id)),
    resolveId: (id) => resolveId(types, id),
    sizeOf: (id) => sizeOfType(types, id),
    alignOf: (id) => alignOfType(btf, id, alignments, file),
  }
  const types: TypeWords = { btf, index, file, startOf, reader }
  keepTables(btf, { index, strings })
  return btf
}
