import { codec, resolveRoot } from '@tsbpf/btf'
import type { Codec } from '@tsbpf/btf'
import type { LoadedObject } from '@tsbpf/loader'
import type { RingRecord } from '@tsbpf/maps'
import type { MapSpec, ObjectSpec } from '@tsbpf/object'
import { errors } from './errors.ts'

/** What becomes of records as they come. */
export interface EventSink {
  event(map: string, value: unknown): void
  /** Samples that found no room in a perf event array. */
  lost(map: string, count: number): void
}

/** Whether a map holds records to be read as they come. */
export function isEventMap({ type }: MapSpec): boolean {
  return type === 'ringbuf' || type === 'perf_event_array'
}

/**
 * Decoders of an object's records by map: of the types in texts like `events=struct event`, else of the type that the
 * map's definition names. Throws CLI_EVENT_TYPE, CLI_EVENT_MAP, CLI_NO_BTF and `BTF_…`.
 */
export function eventCodecs(spec: ObjectSpec, texts: readonly string[]): ReadonlyMap<string, Codec> {
  const { btf } = spec
  const maps = spec.maps.filter(isEventMap)
  const codecs = new Map<string, Codec>()
  for (const { name, valueType } of maps) {
    if (btf !== undefined && valueType !== undefined) codecs.set(name, codec(btf, valueType))
  }
  for (const text of texts) {
    const [, map = '', type = ''] = /^([^=]+)=(.+)$/.exec(text) ?? []
    if (type === '') throw errors.CLI_EVENT_TYPE({ text })
    const known = maps.map(({ name }) => name)
    if (!known.includes(map)) throw errors.CLI_EVENT_MAP({ map, known })
    if (btf === undefined) throw errors.CLI_EVENT_NO_BTF({ type })
    codecs.set(map, codec(btf, resolveRoot(btf, type)))
  }
  return codecs
}

/**
 * Reads every ring buffer and perf event array of an object from now on, until the object is disposed. What it returns
 * hands over what has come and was not told yet.
 */
export function readEvents(
  object: LoadedObject,
  codecs: ReadonlyMap<string, Codec>,
  sink: EventSink,
): () => void {
  const drains = object.spec.maps.filter(isEventMap).map(({ name, type }) => {
    const told = (value: unknown): void => {
      sink.event(name, value)
    }
    const decode = decoder(codecs.get(name))
    const reader =
      type === 'ringbuf'
        ? object.ringBuffer(name, { decode })
        : object.perfBuffer(name, { decode, onLost: (count) => sink.lost(name, count) })
    reader.listen(told)
    return () => reader.consume(told)
  })
  return () => {
    for (const drain of drains) drain()
  }
}

/** A ring may hold records of several types: one that is too short for the type is told as its bytes. */
function decoder(type: Codec | undefined): (record: RingRecord) => unknown {
  if (type === undefined) return (record) => record.bytes()
  return (record) => (record.size < type.size ? record.bytes() : record.decode(type))
}
