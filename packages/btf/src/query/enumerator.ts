import type { Btf, BtfTypeOf } from '../btf-type.ts'
import { kindOfInfo, kinds, vlenOfInfo } from '../kinds.ts'
import { layersOf, ownTypes } from './own-types.ts'

/** A name and value of an enum. */
export interface Enumerator {
  readonly name: string
  readonly value: bigint
  readonly enum: BtfTypeOf<'enum' | 'enum64'>
}

/**
 * The enumerator with that name, of the enum with that name, or of any: then the first, the base's before its own, and
 * the names of all enums are compared. Enumerators are unique in one C file, but a kernel's BTF holds the types of
 * many. Both kinds of enum are searched: values of more than 32 bits are in `enum64`. `undefined` where there is none.
 *
 * @example
 * ```ts
 * import { enumerator, parseBtf } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * console.log(enumerator(kernel, 'BPF_MAP_TYPE_RINGBUF')?.value) // 27n
 * console.log(enumerator(kernel, 'BPF_MAP_TYPE_RINGBUF', 'bpf_cmd')) // undefined
 * ```
 */
export function enumerator(btf: Btf, name: string, enumName?: string): Enumerator | undefined {
  for (const id of enumName === undefined ? holders(btf, name) : btf.idsByName(enumName)) {
    const type = btf.type(id)
    if (type.kind !== 'enum' && type.kind !== 'enum64') continue
    const found = type.values.find((row) => row.name === name)
    if (found !== undefined) return { name, value: found.value, enum: type }
  }
  return undefined
}

/** Ids of the enums with an enumerator of that name. */
function* holders(btf: Btf, name: string): Generator<number> {
  const wanted = new TextEncoder().encode(name)
  if (wanted.length === 0 || wanted.includes(0)) return
  for (const layer of layersOf(btf)) {
    const { words, strings, enums } = ownTypes(layer)
    for (const [id, start] of enums) {
      const info = words[start + 1] ?? 0
      const each = (kinds.byValue(kindOfInfo(info))?.each ?? 0) / 4
      const end = start + 3 + vlenOfInfo(info) * each
      for (let at = start + 3; at < end; at += each) {
        if (strings.compare(words[at] ?? 0, wanted) === 'equal') {
          yield id
          break
        }
      }
    }
  }
}
