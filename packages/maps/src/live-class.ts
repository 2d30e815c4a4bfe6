import { compiledMembers } from './limits.ts'
import { words } from './scalar-codec.ts'
import type { Word } from './scalar-codec.ts'

/** Mapped memory as live values see it. */
export interface LiveMemory {
  readonly view: DataView
  readonly bytes: Uint8Array
  /** A typed array of each kind over all of it. */
  readonly words: Readonly<Record<Word, InstanceType<(typeof words)[Word]['array']>>>
  readonly readOnly: boolean
  /** Throws MAP_DISPOSED. */
  live(): void
  /** Runs what writes: throws MAP_DISPOSED, MAP_MEMORY_READ_ONLY, and MAP_MEMBER for what a codec refuses. */
  change(member: string, value: unknown, write: () => void): void
}

/** A member of a live struct. */
export interface LivePart {
  readonly name: string
  /** Bytes from the start of the struct. */
  readonly offset: number
  /** What it is where it lies aligned. */
  readonly word: Word | undefined
  /** Whether what is read first is kept: it is live itself. */
  readonly kept: boolean
  read(memory: LiveMemory, at: number): unknown
  write(memory: LiveMemory, at: number, value: unknown, name: string): void
}

export type LiveClass = new (memory: LiveMemory, at: number) => object

/** The class of live structs of one type, at places that are `phase` bytes behind a multiple of 8. */
export function liveClass(parts: readonly LivePart[], phase: number, compile: boolean): LiveClass {
  if (compile && parts.length <= compiledMembers) {
    try {
      // The text is made of numbers, names of typed arrays, and escaped names of members.
      // eslint-disable-next-line @typescript-eslint/no-implied-eval
      return (new Function('parts', classSource(parts, phase)) as (given: typeof parts) => LiveClass)(parts)
    } catch (error) {
      // A content security policy, or a runtime, that forbids it.
      if (!(error instanceof EvalError)) throw error
    }
  }
  return interpretedClass(parts)
}

/** Accessors of their own for each type: those that types share are several times as slow. */
function classSource(parts: readonly LivePart[], phase: number): string {
  const accessors = parts.map(({ name, offset, word, kept }, index) => {
    const key = `[${JSON.stringify(name)}]`
    const place = `parts[${index}].read(this.#memory, this.#at + ${offset})`
    const setter = `set ${key}(x) { parts[${index}].write(this.#memory, this.#at + ${offset}, x, ${JSON.stringify(name)}) }`
    if (word === undefined) {
      return `get ${key}() { return ${kept ? `this.#kept[${index}] ??= ` : ''}${place} }\n${setter}`
    }
    const { size } = words[word]
    const at = `this.#step * ${8 / size} + ${(phase + offset) / size}`
    // Of memory that is unmapped every element is undefined.
    return `get ${key}() {
const x = this.#memory.words.${word}[${at}]
return x === undefined ? ${place} : x
}\n${setter}`
  })
  return `"use strict"
return class {
#memory
#at
#step
#kept = []
constructor(memory, at) {
this.#memory = memory
this.#at = at
this.#step = (at - ${phase}) / 8
}
${accessors.join('\n')}
}`
}

/** The same without making code. */
function interpretedClass(parts: readonly LivePart[]): LiveClass {
  class Live {
    readonly #memory: LiveMemory
    readonly #at: number
    readonly #kept: unknown[] = []

    constructor(memory: LiveMemory, at: number) {
      this.#memory = memory
      this.#at = at
    }

    static accessors(part: LivePart, index: number): PropertyDescriptor & ThisType<Live> {
      return {
        get() {
          const read = (): unknown => part.read(this.#memory, this.#at + part.offset)
          return part.kept ? (this.#kept[index] ??= read()) : read()
        },
        set(value) {
          part.write(this.#memory, this.#at + part.offset, value, part.name)
        },
        configurable: true,
      }
    }
  }
  for (const [index, part] of parts.entries()) {
    Object.defineProperty(Live.prototype, part.name, Live.accessors(part, index))
  }
  return Live
}
