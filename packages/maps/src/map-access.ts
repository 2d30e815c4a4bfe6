import { isTsbpfError } from '@tsbpf/base'
import type { TsbpfError } from '@tsbpf/base'
import { errnoName, failure, mapElements } from '@tsbpf/sys'
import type { MapElements, Sys } from '@tsbpf/sys'
import type { ElementCodec } from './element-codec.ts'
import { errors } from './errors.ts'
import type { MapShape } from './map-shape.ts'
import { mapOperations } from './operations.ts'
import type { MapOperations } from './operations.ts'
import { showElement } from './show-element.ts'

/** How a map's elements are read and written; the value's size is what the kernel copies, for all processors. */
export interface ElementCodecs<K, V> {
  readonly key: ElementCodec<K>
  readonly value: ElementCodec<V>
}

const ENOENT = failure('ENOENT')
const E2BIG = failure('E2BIG')
const ENOSPC = failure('ENOSPC')
const EEXIST = failure('EEXIST')
const EPERM = failure('EPERM')
const EINVAL = failure('EINVAL')
const EOPNOTSUPP = failure('EOPNOTSUPP')
/** In the kernel only (include/linux/errno.h), but bpf(2) lets it out. */
const ENOTSUPP = -524

/** Whether the kernel said that it has no such command, or not for this type of map. */
export function isMissing(result: number): boolean {
  return result === EINVAL || result === ENOTSUPP || result === EOPNOTSUPP
}

/**
 * What all operations of a {@link BpfMap} share: its buffers, its codecs, whether it is alive, and the errors that name
 * map, key and what was expected.
 */
export class MapAccess<K, V> {
  readonly sys: Sys
  readonly shape: MapShape
  readonly codecs: ElementCodecs<K, V>
  readonly operations: MapOperations | undefined
  readonly elements: MapElements
  readonly keyView: DataView
  readonly valueView: DataView
  /** Commands that this kernel turned out to lack. */
  readonly missing = new Set<string>()
  readonly #fd: number
  #disposed = false

  constructor(sys: Sys, fd: number, shape: MapShape, codecs: ElementCodecs<K, V>) {
    this.sys = sys
    this.shape = shape
    this.codecs = codecs
    this.operations = mapOperations.get(shape.type)
    this.elements = mapElements(sys, fd, { keySize: shape.keySize, valueSize: codecs.value.size })
    this.keyView = viewOf(this.elements.key)
    this.valueView = viewOf(this.elements.value)
    this.#fd = fd
  }

  /** The descriptor. Throws MAP_DISPOSED. */
  get fd(): number {
    this.live()
    return this.#fd
  }

  /** Bytes of a key, and of what the kernel copies for a value. */
  get sizes(): { readonly keySize: number; readonly valueSize: number } {
    return { keySize: this.shape.keySize, valueSize: this.codecs.value.size }
  }

  live(): void {
    if (this.#disposed) throw errors.MAP_DISPOSED({ map: this.shape.name })
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.sys.close(this.#fd)
  }

  /** Throws MAP_DISPOSED, and MAP_UNSUPPORTED_OPERATION where the type does not have the operation. */
  can(operation: string, has: (operations: MapOperations) => boolean): MapOperations {
    this.live()
    const { operations } = this
    if (operations === undefined || !has(operations)) throw this.unsupported(operation)
    return operations
  }

  unsupported(operation: string): TsbpfError {
    const { name, type } = this.shape
    return errors.MAP_UNSUPPORTED_OPERATION({ map: name, type, operation })
  }

  /** Encodes a key. Throws MAP_KEY. */
  putKey(key: K, bytes: Uint8Array, offset: number): void {
    try {
      this.codecs.key.encodeInto(key, bytes, offset)
    } catch (error) {
      throw this.#misfit(error, 'MAP_KEY', key)
    }
  }

  /** Encodes a value, `key` being `undefined` where the map has none. Throws MAP_VALUE. */
  putValue(key: unknown, value: V, bytes: Uint8Array, offset: number): void {
    try {
      this.codecs.value.encodeInto(value, bytes, offset)
    } catch (error) {
      throw this.#misfit(error, 'MAP_VALUE', key, value)
    }
  }

  /** Writes a member of a live value. Throws MAP_MEMBER. */
  putMember(member: string, value: unknown, write: () => void): void {
    try {
      write()
    } catch (error) {
      if (!isMisfit(error)) throw error
      const facts = { map: this.shape.name, member, value: showElement(value), expected: error.message }
      throw errors.MAP_MEMBER(facts, { cause: error })
    }
  }

  /** What a codec found wrong becomes an error of the map; anything else stays what it is. */
  #misfit(error: unknown, code: 'MAP_KEY' | 'MAP_VALUE', key: unknown, value?: V): unknown {
    if (!isMisfit(error)) return error
    const facts = { map: this.shape.name, expected: error.message }
    if (code === 'MAP_KEY') return errors.MAP_KEY({ ...facts, key: showElement(key) }, { cause: error })
    const shown = key === undefined ? undefined : showElement(key)
    return errors.MAP_VALUE({ ...facts, key: shown, value: showElement(value) }, { cause: error })
  }

  /** What the kernel's refusal of an operation means. */
  refused(operation: string, key: unknown, result: number): TsbpfError {
    const { name: map, maxEntries } = this.shape
    const shown = key === undefined ? undefined : showElement(key)
    const writes = operation === 'set' || operation === 'push'
    if (shown !== undefined && writes) {
      if (result === EEXIST) return errors.MAP_ENTRY_EXISTS({ map, key: shown })
      if (result === ENOENT) return errors.MAP_NO_ENTRY({ map, key: shown })
      if (result === E2BIG || result === ENOSPC) {
        const facts = { map, key: shown, maxEntries }
        return this.operations?.key === 'index'
          ? errors.MAP_INDEX_OUT_OF_RANGE(facts)
          : errors.MAP_FULL(facts)
      }
    }
    if (operation === 'push' && result === E2BIG) {
      return errors.MAP_FULL({ map, key: undefined, maxEntries })
    }
    const facts = { map, operation, key: shown, errno: errnoName(result) }
    const changes = writes || operation === 'delete' || operation === 'lookupAndDelete'
    return changes && result === EPERM ? errors.MAP_READ_ONLY(facts) : errors.MAP_REFUSED(facts)
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Whether a codec threw it for a value that it cannot encode. */
function isMisfit(error: unknown): error is Error {
  return isTsbpfError(error) || error instanceof TypeError || error instanceof RangeError
}
