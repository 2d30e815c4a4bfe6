import { codec, resolveRoot } from '@tsbpf/btf'
import type { PerfBufferOptions, RecordDecoder, RingBufferOptions } from '@tsbpf/maps'
import type { ObjectSpec } from '@tsbpf/object'
import { errors } from './errors.ts'

/** Options of {@link LoadedObject.ringBuffer}. */
export interface LoadedRingOptions<T> extends RingBufferOptions<T> {
  /** Name of the records' type in the object's BTF (`event`, `struct event`), which decodes them; goes before `decode`. */
  readonly type?: string
}

/** Options of {@link LoadedObject.perfBuffer}. */
export interface LoadedPerfOptions<T> extends PerfBufferOptions<T> {
  /** Name of the samples' type in the object's BTF (`event`, `struct event`), which decodes them; goes before `decode`. */
  readonly type?: string
}

/** Options of a reader: how records are decoded is said by `type`, by `decode`, or by the map's definition. */
export function withDecoder<
  T,
  O extends { readonly type?: string; readonly decode?: RecordDecoder<T> | undefined },
>(spec: ObjectSpec, map: string, { type, ...options }: O): Omit<O, 'type'> {
  const { btf, maps } = spec
  if (type !== undefined) {
    if (btf === undefined) throw errors.LOADER_NO_TYPES({ name: type })
    return { ...options, decode: codec(btf, resolveRoot(btf, type)) as RecordDecoder<T> }
  }
  const value = maps.find((one) => one.name === map)?.valueType
  if (options.decode !== undefined || btf === undefined || value === undefined) return options
  return { ...options, decode: codec(btf, value) as RecordDecoder<T> }
}
