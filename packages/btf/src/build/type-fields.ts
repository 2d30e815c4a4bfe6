import { kindOfInfo, kinds, vlenOfInfo } from '../kinds.ts'

/** Where ids and string offsets stand in the types of one kind, in words from the type's start or its element's. */
interface KindFields {
  /** Words before the elements. */
  readonly fixed: number
  /** Words of each element. */
  readonly each: number
  readonly ids: readonly number[]
  readonly eachId: number | undefined
  readonly eachName: number | undefined
}

type Place = Partial<Pick<KindFields, 'ids' | 'eachId' | 'eachName'>>

/** `name_off` is the first word of every type; the rest is here (include/uapi/linux/btf.h). */
const places: Readonly<Record<string, Place>> = {
  ptr: { ids: [2] },
  array: { ids: [3, 4] },
  struct: { eachName: 0, eachId: 1 },
  union: { eachName: 0, eachId: 1 },
  enum: { eachName: 0 },
  typedef: { ids: [2] },
  volatile: { ids: [2] },
  const: { ids: [2] },
  restrict: { ids: [2] },
  func: { ids: [2] },
  func_proto: { ids: [2], eachName: 0, eachId: 1 },
  var: { ids: [2] },
  datasec: { eachId: 0 },
  decl_tag: { ids: [2] },
  type_tag: { ids: [2] },
  enum64: { eachName: 0 },
}

const byKind: (KindFields | undefined)[] = []
for (const { name, value, tail, each } of kinds.rows) {
  const { ids = [], eachId, eachName } = places[name] ?? {}
  byKind[value] = { fixed: 3 + tail / 4, each: each / 4, ids, eachId, eachName }
}

function fieldsAt(words: Uint32Array, start: number): KindFields | undefined {
  return byKind[kindOfInfo(words[start + 1] ?? 0)]
}

/** Words from the start of a type to the start of the next. */
export function wordCount(words: Uint32Array, start: number): number {
  const fields = fieldsAt(words, start)
  return fields === undefined ? 3 : fields.fixed + fields.each * vlenOfInfo(words[start + 1] ?? 0)
}

/** Calls `visit` with the index of every word of a type that holds a string offset, the type's name first. */
export function eachString(words: Uint32Array, start: number, visit: (word: number) => void): void {
  visit(start)
  const fields = fieldsAt(words, start)
  if (fields?.eachName === undefined) return
  const end = start + fields.fixed + fields.each * vlenOfInfo(words[start + 1] ?? 0)
  for (let at = start + fields.fixed + fields.eachName; at < end; at += fields.each) visit(at)
}

/** Calls `visit` with the index of every word of a type that holds an id, in the order they stand in. */
export function eachId(words: Uint32Array, start: number, visit: (word: number) => void): void {
  const fields = fieldsAt(words, start)
  if (fields === undefined) return
  for (const id of fields.ids) visit(start + id)
  if (fields.eachId === undefined) return
  const end = start + fields.fixed + fields.each * vlenOfInfo(words[start + 1] ?? 0)
  for (let at = start + fields.fixed + fields.eachId; at < end; at += fields.each) visit(at)
}
