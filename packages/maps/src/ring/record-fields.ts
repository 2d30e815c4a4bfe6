import { generate } from '@tsbpf/base'
import type { TypeId } from '@tsbpf/base'
import type { Btf } from '@tsbpf/btf'
import { errors } from '../errors.ts'
import { recordField } from './field-form.ts'
import type { Field, FieldColumn } from './field-form.ts'
import { interpretedWalk, recordStep, recordWalk, stretchBytes } from './record-walk.ts'
import type { RecordWalk } from './record-walk.ts'
import type { ElementDecoder } from './record.ts'

type Paths = readonly string[]
type Value = number | bigint

/** Options of {@link recordFields}. */
export interface RecordFieldsOptions {
  /** Fields of 64 bits as numbers, several times as fast as bigints; beyond 2^53 they are rounded. */
  readonly numbers?: boolean
}

/** Gets the fields of each record. */
export type FieldsCallback<P extends Paths = Paths, V extends Value = Value> = (
  ...values: { readonly [I in keyof P]: V }
) => void

/** Gets the fields of many records: the n-th values of all columns are those of the n-th. */
export type ColumnsCallback = (columns: readonly FieldColumn[]) => void

/** Some fields of records of one type; see {@link recordFields}. */
export interface RecordFields<P extends Paths = Paths, V extends Value = Value> extends ElementDecoder<
  Record<P[number], V>
> {
  readonly paths: P
  /** Bytes that a record must have to have all of them. */
  readonly size: number
  /** For the readers: a walk for records one by one, and one for columns of a whole stretch. Each is its ring's own. */
  callbackWalk(): RecordWalk<FieldsCallback<P, V>>
  columnWalk(): RecordWalk<ColumnsCallback>
}

/**
 * Numbers out of records of a type, read where the program wrote them: to the arguments of a callback or to columns,
 * which is the fastest way (`consumeFields` and `consumeColumns` of a ring), or, as `decode` of a ring, to objects with
 * the paths as names. The ring's loop over its records and the reading of these fields are made into one function, as
 * codecs are; where code may not be made of text, the same is interpreted.
 *
 * A field is a path (`a.b[2].c`, see `memberPath` of `@tsbpf/btf`) to an integer, `bool` (as stored), enum (its number),
 * pointer or float. 64 bits are a `bigint` unless `numbers` is set; all others are numbers. A record that is too short
 * for them is RING_RECORD_SIZE. Throws RING_FIELD for any other field, and what `memberPath` throws.
 *
 * @example
 * ```ts no-run
 * import { recordFields } from '@tsbpf/maps'
 * const fields = recordFields(btf, eventType, ['time', 'pid'], { numbers: true })
 * ring.listenFields(fields, (time, pid) => latest.set(pid, time))
 * ```
 */
export function recordFields<const P extends Paths, const O extends RecordFieldsOptions = object>(
  btf: Btf,
  type: TypeId | number,
  paths: P,
  options?: O,
): RecordFields<P, O extends { readonly numbers: true } ? number : Value> {
  const fields = paths.map((path) => recordField(btf, type, path, options?.numbers ?? false))
  const size = Math.max(0, ...fields.map((field) => field.offset + field.size))
  type Fields = RecordFields<P, O extends { readonly numbers: true } ? number : Value>
  const made = { paths, ...objects(fields, size), ...lists(fields, size), ...tables(fields, size) }
  // What a path gives cannot be told from its name.
  return made as unknown as Fields
}

function tooShort(expected: number, actual: number): never {
  throw errors.RING_RECORD_SIZE({ expected, actual })
}

const check = (size: number): string => `if (size < ${size}) tooShort(${size}, size)`

type Fields = Record<string, Value>

/** An object for each record. */
function objects(fields: readonly Field[], size: number): ElementDecoder<Fields> {
  // A path is a literal whatever it is; in brackets, which are slower, `__proto__` is a name like any other.
  const nameOf = (path: string): string => (path === '__proto__' ? '["__proto__"]' : JSON.stringify(path))
  const parts = fields.map(({ path, code }) => `${nameOf(path)}: ${code}`)
  const literal = `{ ${parts.join(', ')} }`
  const interpreted = (view: DataView, at: number): Fields =>
    Object.fromEntries(fields.map(({ path, read }) => [path, read(view, at)]))
  let decode: typeof interpreted | undefined
  return {
    size,
    decode(view, at) {
      decode ??= (generate(`return (view, at) => (${literal})`, []) ?? interpreted) as typeof interpreted
      return decode(view, at)
    },
    valueWalk: () => recordWalk(`${check(size)}\n      sink(${literal})`, { tooShort }),
  }
}

/** An argument for each field. */
function lists(fields: readonly Field[], size: number): Pick<RecordFields, 'callbackWalk'> {
  const code = `${check(size)}\n      sink(${fields.map((field) => field.code).join(', ')})`
  const interpreted: RecordWalk<FieldsCallback> = (pages, from, bytes, callback) => {
    interpretedWalk(pages, from, bytes, (view, at, length) => {
      if (length < size) tooShort(size, length)
      callback(...fields.map(({ read }) => read(view, at)))
    })
  }
  return { callbackWalk: () => recordWalk(code, { tooShort }) ?? interpreted }
}

/** A column for each field, for a stretch of records. */
function tables(fields: readonly Field[], size: number): Pick<RecordFields, 'columnWalk'> {
  // Two halves of 64 bits, low first as machines that run this have them, make no bigint on the heap.
  const stores = fields.map(({ code, halves }, i) =>
    halves === undefined
      ? `c${i}[row] = ${code}`
      : `w${i}[2 * row] = ${halves[0]}; w${i}[2 * row + 1] = ${halves[1]}`,
  )
  const words = fields.map(({ halves }, i) =>
    halves === undefined ? '' : `const w${i} = new Uint32Array(c${i}.buffer)\n  `,
  )
  const code = [check(size), 'const row = visited - 1', ...stores].join('\n      ')
  const before = `const [${fields.map((_, i) => `c${i}`).join(', ')}] = sink
  ${words.join('')}`
  const interpreted: RecordWalk<readonly FieldColumn[]> = (pages, from, bytes, columns) => {
    let row = 0
    interpretedWalk(pages, from, bytes, (view, at, length) => {
      if (length < size) tooShort(size, length)
      fields.forEach(({ read }, i) => {
        ;(columns[i] as Record<number, Value>)[row] = read(view, at)
      })
      row++
    })
  }
  return {
    columnWalk() {
      const fill = recordWalk<readonly FieldColumn[]>(code, { tooShort }, before) ?? interpreted
      // As many records as a stretch can have that are long enough; its last one may go beyond it.
      const capacity = Math.ceil(stretchBytes / recordStep(size))
      const columns = fields.map(({ Column }) => new Column(capacity))
      return (pages, from, bytes, callback) => {
        // The last one is too short, unless all was well.
        let bad = 1
        try {
          fill(pages, from, bytes, columns)
          bad = 0
        } finally {
          const rows = pages.visited - bad
          if (rows > 0) callback(columns.map((column) => column.subarray(0, rows)))
        }
      }
    },
  }
}
