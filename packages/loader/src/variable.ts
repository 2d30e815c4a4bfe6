import { codec } from '@tsbpf/btf'
import type { ObjectSpec, VariableSpec } from '@tsbpf/object'
import { errors } from './errors.ts'
import { encodeVariable } from './initial-data.ts'
import type { DataMemory } from './data-memory.ts'

/**
 * A global variable of a loaded object, typed by BTF (bytes where there is none).
 *
 * `get` and `set` go to the memory that the program uses: directly where the kernel maps it (5.5), else by
 * reading and writing the whole section, so that then a `set` may undo what the program writes at the same moment.
 * A value of up to 8 bytes is read in one piece; larger ones may be torn while the program writes them.
 * Use after its object is disposed is LOADER_DISPOSED.
 */
export class Variable<T = unknown> {
  readonly name: string
  /** `.data`, `.bss`, `.rodata`, … */
  readonly section: string
  /** Bytes. */
  readonly size: number
  /** True for constants: they are frozen at load, give them in the option `rodata`. */
  readonly readOnly: boolean
  readonly #spec: ObjectSpec
  readonly #variable: VariableSpec
  readonly #memory: DataMemory

  /** Made by the loader. */
  constructor(spec: ObjectSpec, variable: VariableSpec, memory: DataMemory) {
    this.name = variable.name
    this.section = variable.section
    this.size = variable.size
    this.readOnly = memory.readOnly
    this.#spec = spec
    this.#variable = variable
    this.#memory = memory
  }

  /** The value now. Throws what decoding throws. */
  get(): T {
    const { offset, size, type } = this.#variable
    const view = this.#memory.read()
    const { btf } = this.#spec
    if (btf === undefined || type === undefined) {
      return new Uint8Array(view.buffer, view.byteOffset + offset, size).slice() as T
    }
    return codec(btf, type).decode(view, offset) as T
  }

  /** Stores a value. Throws LOADER_READ_ONLY_VARIABLE and LOADER_VARIABLE_VALUE. */
  set(value: T): void {
    if (this.readOnly) throw errors.LOADER_READ_ONLY_VARIABLE({ name: this.name })
    this.#memory.write((bytes) => encodeVariable(this.#spec, this.#variable, value, bytes))
  }
}
