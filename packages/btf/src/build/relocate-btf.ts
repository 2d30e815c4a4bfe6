import type { Btf, BtfType } from '../btf-type.ts'
import { errors } from '../errors.ts'
import { formatType } from '../format-type.ts'
import { parseBtf } from '../parse-btf.ts'
import { encodeImage, openImage } from './btf-image.ts'
import { eachId, eachString } from './type-fields.ts'

/** What {@link relocateBtf} gives. */
export interface RelocatedBtf {
  readonly btf: Btf
  /** By id of the distilled base and of the split BTF: the new id. */
  readonly ids: Uint32Array
}

type Sized = Extract<BtfType, { readonly size: number }>

const distilledKinds = new Set(['int', 'float', 'enum', 'struct', 'union', 'fwd'])

/** A type of the base that a distilled one may be: of its name, and what its kind asks for. */
function matches(distilled: BtfType, type: BtfType, exactSize: boolean): boolean {
  const sameSize = (other: Sized): boolean => 'size' in type && type.size === other.size
  switch (distilled.kind) {
    case 'fwd':
      // libbpf compares the kind flag of a definition here, which tells of bitfields and not of unions.
      if (type.kind === 'fwd') return type.union === distilled.union
      return type.kind === (distilled.union ? 'union' : 'struct')
    case 'int':
      return (
        type.kind === 'int' &&
        sameSize(distilled) &&
        type.signed === distilled.signed &&
        type.char === distilled.char &&
        type.bool === distilled.bool
      )
    case 'float':
      return type.kind === 'float' && sameSize(distilled)
    case 'enum':
      return (type.kind === 'enum' || type.kind === 'enum64') && sameSize(distilled)
    case 'struct':
    case 'union':
      // Where only pointers lead to it, a declaration will do.
      if (type.kind === 'fwd') return !exactSize && type.union === (distilled.kind === 'union')
      return type.kind === distilled.kind && (!exactSize || sameSize(distilled))
    default:
      return false
  }
}

/** Distilled structs and unions that members of the split BTF contain, not only point to: their size must be equal. */
function embedded(btf: Btf, distilled: Btf): ReadonlySet<number> {
  const found = new Set<number>()
  for (let id = btf.firstId; id < btf.endId; id++) {
    const type = btf.type(id)
    if (type.kind !== 'struct' && type.kind !== 'union') continue
    for (const member of type.members) {
      let inner = btf.resolve(member.type)
      // A chain of arrays is bounded by the ids: each goes on to another type, or `resolve` throws.
      for (let steps = 0; inner.kind === 'array' && steps < btf.endId; steps++)
        inner = btf.resolve(inner.type)
      if ((inner.kind === 'struct' || inner.kind === 'union') && inner.id < distilled.endId)
        found.add(inner.id)
    }
  }
  return found
}

/**
 * Puts a split BTF with a distilled base (section `.BTF.base` of a kernel module, parsed as its base) on the full base
 * of the kernel at hand, as libbpf's `btf__relocate` and the kernel do: each distilled type becomes the type of the base
 * with its name and kind; ints, floats and enums must have its size too, structs and unions where the split BTF
 * contains them or the base has several of that name.
 *
 * Throws `BTF_BASE` where `btf` is not split, `BTF_RELOCATE` where a type is not in the base, or cannot be told from
 * another, or should not be in a distilled base. The minimum kernel that reads `.BTF.base` is 6.11.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseElf } from '@tsbpf/elf'
 * import { parseBtf, relocateBtf } from '@tsbpf/btf'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const module = parseElf(await readFile('module.ko'))
 * const distilled = parseBtf(module.section('.BTF.base')?.data ?? new Uint8Array())
 * const split = parseBtf(module.section('.BTF')?.data ?? new Uint8Array(), { base: distilled })
 * const { btf } = relocateBtf(split, kernel)
 * ```
 */
export function relocateBtf(btf: Btf, base: Btf, options: { readonly name?: string } = {}): RelocatedBtf {
  const { name: file = 'BTF' } = options
  const distilled = btf.base
  if (distilled === undefined || distilled === base) {
    throw errors.BTF_BASE({ file, what: 'has no distilled base' })
  }
  const fault = (id: number, what: string) =>
    errors.BTF_RELOCATE({ file, id, type: formatType(distilled, id), what })
  const image = openImage(btf, file)
  const { words, starts } = image
  const ids = new Uint32Array(btf.endId)
  for (let id = btf.firstId; id < btf.endId; id++) ids[id] = id + base.endId - btf.firstId
  const contained = embedded(btf, distilled)
  const baseStart = openBaseNames(base, file)
  /** By string offset of the distilled base: that of the base. */
  const strings = new Map<number, number>()

  for (let id = distilled.firstId; id < distilled.endId; id++) {
    const type = distilled.type(id)
    const name = distilled.nameOf(id)
    if (!distilledKinds.has(type.kind) || name === '') {
      throw fault(
        id,
        'has no place in a distilled base, which has named int, float, enum, struct, union and fwd',
      )
    }
    const named = base.idsByName(name)
    const several = named.filter((other) => ['struct', 'union'].includes(base.kind(other))).length > 1
    const exact = contained.has(id) || several
    const found = named.filter((other) => matches(type, base.type(other), exact))
    const defined = found.filter((other) => base.kind(other) !== 'fwd')
    const [first, second] = defined.length > 0 ? defined : found
    if (first === undefined) throw fault(id, 'is not in the base with that name, kind and size')
    if (second !== undefined) throw fault(id, `could be type ${first} or ${second} of the base`)
    ids[id] = first
    strings.set(words[starts[id] ?? 0] ?? 0, baseStart(first))
  }

  const firstWord = starts[btf.firstId] ?? 0
  for (let id = btf.firstId; id < btf.endId; id++) {
    const start = starts[id] ?? 0
    eachId(words, start, (word) => {
      words[word] = ids[words[word] ?? 0] ?? 0
    })
    eachString(words, start, (word) => {
      const offset = words[word] ?? 0
      if (offset === 0) return
      const moved =
        offset >= image.firstString ? offset + base.endString - image.firstString : strings.get(offset)
      if (moved === undefined) {
        throw fault(0, `does not have the name ${distilled.string(offset)} of split type ${id}`)
      }
      words[word] = moved
    })
  }
  const own = image.strings.subarray(image.firstString)
  const data = encodeImage(words.subarray(firstWord), own, btf.littleEndian)
  return { btf: parseBtf(data, { name: file, base }), ids }
}

/** A function that gives the string offset of a base type's name. */
function openBaseNames(base: Btf, file: string): (id: number) => number {
  const { words, starts } = openImage(base, file)
  return (id) => words[starts[id] ?? 0] ?? 0
}
