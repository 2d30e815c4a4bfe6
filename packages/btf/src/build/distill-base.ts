import type { Btf } from '../btf-type.ts'
import { errors } from '../errors.ts'
import { formatType } from '../format-type.ts'
import { kindOfInfo, kinds } from '../kinds.ts'
import { parseBtf } from '../parse-btf.ts'
import { encodeImage, openImage, stringMover } from './btf-image.ts'
import type { BtfImage } from './btf-image.ts'
import { stringTable } from './string-table.ts'
import { eachId, eachString, wordCount } from './type-fields.ts'

/** What {@link distillBase} gives; encode neither: `bytes` of each is the section. */
export interface DistilledBtf {
  /** The distilled base: section `.BTF.base` of a module. */
  readonly base: Btf
  /** The split BTF on it: section `.BTF`. */
  readonly btf: Btf
}

/**
 * What becomes of a type of the base that the split BTF refers to: it is copied into the distilled base, or only its
 * head is (name and size, enough to find it again), or it is copied into the split BTF, where it has no name.
 */
type Fate = 'copy' | 'head' | 'split'

/** By kind: the fate of a type with a name, and of one without; kinds that are not here are not referred to. */
const fates: Readonly<Record<string, readonly [named: Fate, unnamed: Fate]>> = {
  int: ['copy', 'copy'],
  float: ['copy', 'copy'],
  fwd: ['copy', 'copy'],
  struct: ['head', 'split'],
  union: ['head', 'split'],
  enum: ['head', 'split'],
  enum64: ['head', 'split'],
  ptr: ['split', 'split'],
  array: ['split', 'split'],
  typedef: ['split', 'split'],
  volatile: ['split', 'split'],
  const: ['split', 'split'],
  restrict: ['split', 'split'],
  func_proto: ['split', 'split'],
  type_tag: ['split', 'split'],
}

const infoOf = (kind: string): number => (kinds.byName(kind)?.value ?? 0) << 24

/** The types of the base that the split BTF leads to, by id; what is within those of which only the head stays is not. */
function usedOfBase(btf: Btf, image: BtfImage, file: string): Map<number, Fate> {
  const { words, starts, firstId, endId } = image
  const used = new Map<number, Fate>()
  const todo: number[] = []
  const follow = (id: number): void => {
    eachId(words, starts[id] ?? 0, (word) => {
      const target = words[word] ?? 0
      if (target === 0 || target >= firstId || used.has(target)) return
      const start = starts[target] ?? 0
      const kind = kinds.format(kindOfInfo(words[start + 1] ?? 0))
      const fate = fates[kind]?.[words[start] === 0 ? 1 : 0]
      if (fate === undefined) {
        const fault = { file, id: target, type: formatType(btf, target), what: `is a ${kind} of the base` }
        throw errors.BTF_RELOCATE(fault, { hint: 'a split BTF may refer only to data types of its base' })
      }
      used.set(target, fate)
      // Only of structs and unions is nothing within needed; an enum has nothing.
      if (fate !== 'head') todo.push(target)
    })
  }
  for (let id = firstId; id < endId; id++) follow(id)
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) follow(id)
  return used
}

/**
 * Makes a split BTF fit for other builds of its base, as libbpf's `btf__distill_base` does for kernel modules: of what
 * it refers to, names and sizes go into a small base of its own, and everything without a name into the split BTF.
 * {@link relocateBtf} puts it on a full base again. Both results are in the byte order of `btf`.
 *
 * Throws `BTF_BASE` where `btf` is not split, `BTF_RELOCATE` where it refers to a function or variable of its base.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { distillBase, parseBtf } from '@tsbpf/btf'
 * const base = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const module = parseBtf(await readFile('/sys/kernel/btf/nf_nat'), { base })
 * const distilled = distillBase(module)
 * console.log(distilled.base.endId, distilled.btf.endId)
 * ```
 */
export function distillBase(btf: Btf, options: { readonly name?: string } = {}): DistilledBtf {
  const { name: file = 'BTF' } = options
  if (btf.base === undefined) {
    throw errors.BTF_BASE({ file, what: 'is not split, so that there is no base to distil' })
  }
  const image = openImage(btf, file)
  const { words, starts, firstId, endId } = image
  const used = usedOfBase(btf, image, file)
  const ids = new Uint32Array(endId)
  const ofBase = [...used.keys()].sort((a, b) => a - b)

  const baseStrings = stringTable()
  const moveToBase = stringMover(image, baseStrings)
  const baseWords: number[] = []
  let nextId = 1
  for (const id of ofBase) {
    const fate = used.get(id)
    if (fate === 'split') continue
    const start = starts[id] ?? 0
    const kind = kinds.format(kindOfInfo(words[start + 1] ?? 0))
    baseWords.push(moveToBase(words[start] ?? 0))
    if (fate === 'head') baseWords.push(infoOf(kind === 'enum64' ? 'enum' : kind), words[start + 2] ?? 0)
    else baseWords.push(...words.subarray(start + 1, start + wordCount(words, start)))
    ids[id] = nextId++
  }
  const splitFirst = nextId
  const splitStrings = stringTable(new Uint8Array(), baseStrings)
  const move = stringMover(image, splitStrings)
  const order: number[] = []
  for (let id = firstId; id < endId; id++) order.push(id)
  for (const id of ofBase) if (used.get(id) === 'split') order.push(id)
  const splitWords = new Uint32Array(order.reduce((sum, id) => sum + wordCount(words, starts[id] ?? 0), 0))
  order.forEach((id, index) => (ids[id] = splitFirst + index))
  let at = 0
  for (const id of order) {
    const start = starts[id] ?? 0
    splitWords.set(words.subarray(start, start + wordCount(words, start)), at)
    eachString(splitWords, at, (word) => {
      splitWords[word] = move(splitWords[word] ?? 0)
    })
    eachId(splitWords, at, (word) => {
      splitWords[word] = ids[splitWords[word] ?? 0] ?? 0
    })
    at += wordCount(splitWords, at)
  }
  const baseData = encodeImage(Uint32Array.from(baseWords), baseStrings.bytes(), btf.littleEndian)
  const base = parseBtf(baseData, { name: `${file}.base` })
  const data = encodeImage(splitWords, splitStrings.bytes(), btf.littleEndian)
  return { base, btf: parseBtf(data, { name: file, base }) }
}
