import type { TypeId } from '@tsbpf/base'
import { codec, memberBits } from '@tsbpf/btf'
import type { Btf, BtfTypeOf, Codec } from '@tsbpf/btf'
import { liveClass } from './live-class.ts'
import type { LiveClass, LiveMemory, LivePart } from './live-class.ts'
import { wordOf, words } from './scalar-codec.ts'
import type { Word } from './scalar-codec.ts'

/**
 * A value of type `T` that lives in mapped memory: structs have accessors instead of members, arrays of integers and
 * floats are typed arrays; text, booleans, enums and bitfields are decoded at each read.
 */
export type Live<T> = T extends readonly bigint[]
  ? BigInt64Array | BigUint64Array
  : T extends readonly number[]
    ? Int8Array | Int16Array | Int32Array | Uint16Array | Uint32Array | Float32Array | Float64Array
    : T extends readonly (infer One)[]
      ? readonly Live<One>[]
      : T extends Uint8Array | string | number | bigint | boolean
        ? T
        : T extends object
          ? { [K in keyof T]: Live<T[K]> }
          : T

/** What lives at a place in memory. */
type Place = Pick<LivePart, 'word' | 'kept' | 'read' | 'write'>

const known = new WeakMap<Btf, Map<string, LiveClass>>()

/**
 * Reads what lives at `at`, a multiple of 8, as a value of this type; an integer or float is a typed array of one.
 * `compile` is false where no code may be made.
 */
export function liveReader(
  btf: Btf,
  id: TypeId | number,
  compile = true,
): (memory: LiveMemory, at: number) => unknown {
  const word = wordOf(btf, id)
  const place = word === undefined ? placeOf(btf, id, 0, compile) : wordsAt(word, 1, 0, codec(btf, id))
  return (memory, at) => place.read(memory, at)
}

/** `phase` is how many bytes behind a multiple of 8 it lies. */
function placeOf(btf: Btf, id: TypeId | number, phase: number, compile: boolean): Place {
  const type = btf.resolve(id)
  const whole = codec(btf, type.id)
  if (type.kind === 'struct' || type.kind === 'union' || type.kind === 'datasec') {
    const Class = classOf(btf, type, phase, compile)
    return { ...decoded(whole), kept: true, read: (memory, at) => new Class(memory, at) }
  }
  if (type.kind === 'array') return arrayAt(btf, type, phase, compile, whole)
  const word = wordOf(btf, type.id)
  return word === undefined ? decoded(whole) : wordAt(word, phase, whole)
}

/** What is decoded at each read. */
function decoded(whole: Codec): Place {
  return {
    word: undefined,
    kept: false,
    read(memory, at) {
      memory.live()
      return whole.decode(memory.view, at)
    },
    write(memory, at, value, name) {
      memory.change(name, value, () => {
        whole.encodeInto(value, memory.bytes, at)
      })
    },
  }
}

function wordAt(word: Word, phase: number, whole: Codec): Place {
  const { size, fits } = words[word]
  const place = decoded(whole)
  if (phase % size !== 0) return place
  return {
    ...place,
    word,
    write(memory, at, value, name) {
      if (!fits(value)) place.write(memory, at, value, name)
      else {
        memory.change(name, value, () => {
          // One store, so that no program sees half of it.
          memory.words[word][at / size] = value as never
        })
      }
    },
  }
}

function wordsAt(word: Word, length: number, phase: number, whole: Codec): Place {
  const { array: Words, size } = words[word]
  const place = decoded(whole)
  if (phase % size !== 0) return place
  return {
    ...place,
    kept: true,
    read(memory, at) {
      memory.live()
      // A write to what is mapped for reading alone would end the process.
      if (!memory.readOnly) return new Words(memory.view.buffer as ArrayBuffer, at, length)
      return new Words((memory.view.buffer as ArrayBuffer).slice(at, at + length * size))
    },
  }
}

function arrayAt(btf: Btf, type: BtfTypeOf<'array'>, phase: number, compile: boolean, whole: Codec): Place {
  const element = btf.resolve(type.type)
  const word = wordOf(btf, element.id)
  const isText = element.kind === 'int' && element.size === 1 && (element.char || element.name === 'char')
  if (isText) return decoded(whole)
  if (word !== undefined) return wordsAt(word, type.length, phase, whole)
  if (element.kind !== 'struct' && element.kind !== 'union' && element.kind !== 'array') return decoded(whole)
  const size = btf.sizeOf(element.id)
  const places = Array.from({ length: Math.min(8, type.length) }, (_, i) =>
    placeOf(btf, element.id, (phase + i * size) % 8, compile),
  )
  if (!places.every(({ kept }) => kept)) return decoded(whole)
  return {
    ...decoded(whole),
    kept: true,
    read: (memory, at) =>
      Object.freeze(
        Array.from({ length: type.length }, (_, i) => places[i % 8]?.read(memory, at + i * size)),
      ),
  }
}

function classOf(
  btf: Btf,
  type: BtfTypeOf<'struct' | 'union' | 'datasec'>,
  phase: number,
  compile: boolean,
): LiveClass {
  let classes = known.get(btf)
  if (classes === undefined) known.set(btf, (classes = new Map<string, LiveClass>()))
  const key = `${type.id} ${phase} ${String(compile)}`
  let found = classes.get(key)
  if (found === undefined) {
    found = liveClass(partsOf(btf, type, phase, compile), phase, compile)
    classes.set(key, found)
  }
  return found
}

/** Members by name; those of anonymous members are the struct's own. */
function partsOf(
  btf: Btf,
  type: BtfTypeOf<'struct' | 'union' | 'datasec'>,
  phase: number,
  compile: boolean,
): LivePart[] {
  if (type.kind === 'datasec') {
    return type.vars.map(({ type: variable, offset }) => {
      const { name, type: id } = btf.type(variable) as BtfTypeOf<'var'>
      return { name, offset, ...placeOf(btf, id, (phase + offset) % 8, compile) }
    })
  }
  return type.members.flatMap((member) => {
    const { offsetBits, bitfield } = memberBits(btf, member)
    const offset = Math.floor(offsetBits / 8)
    const inner = btf.resolve(member.type)
    if (member.name === '') {
      if (inner.kind !== 'struct' && inner.kind !== 'union') return []
      return partsOf(btf, inner, (phase + offset) % 8, compile).map((part) => ({
        ...part,
        offset: part.offset + offset,
      }))
    }
    if (!bitfield)
      return [{ name: member.name, offset, ...placeOf(btf, inner.id, (phase + offset) % 8, compile) }]
    return [{ name: member.name, offset: 0, ...bitfieldOf(codec(btf, type.id), member.name) }]
  })
}

/** A bitfield is read out of its struct; writing it alone would undo what a program writes to its neighbours. */
function bitfieldOf(owner: Codec, name: string): Place {
  return {
    word: undefined,
    kept: false,
    read(memory, at) {
      memory.live()
      return (owner.decode(memory.view, at) as Readonly<Record<string, unknown>>)[name]
    },
    write(memory, _at, value) {
      memory.change(name, value, () => {
        throw new TypeError('a bitfield shares its bytes: set the whole struct')
      })
    },
  }
}
