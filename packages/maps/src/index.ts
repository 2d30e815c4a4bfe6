export { BpfMap } from './bpf-map.ts'
export type { GetOptions, PushOptions, SetOptions } from './bpf-map.ts'
export { btfCodecs } from './btf-codecs.ts'
export type { TypedMap } from './btf-codecs.ts'
export type { MapColumns } from './columns.ts'
export { createMap, createMapFd, mapFromFd } from './create-map.ts'
export type { CreateMapOptions, MapCodecs } from './create-map.ts'
export { bytesCodec, indexCodec } from './element-codec.ts'
export type { ElementCodec } from './element-codec.ts'
export type { ElementCodecs } from './map-access.ts'
export type { MapInfo } from './map-info.ts'
export type { MapMemory, MapMemoryOptions } from './map-memory.ts'
export type { MapShape } from './map-shape.ts'
export { asNumbers, maxCpus, minCpus, objectCodec, sumCpus } from './number-codec.ts'
export type { HasFd } from './number-codec.ts'
export { openMap } from './open-map.ts'
export type { OpenMapOptions } from './open-map.ts'
export { mapOperations } from './operations.ts'
export type { BatchCommand, MapOperations } from './operations.ts'
export { possibleCpus } from './possible-cpus.ts'
export { ipv4PrefixCodec, ipv6PrefixCodec } from './prefix-codec.ts'
export { RingRecord } from './ring/record.ts'
export type { RecordDecoder } from './ring/record.ts'
export { openRingBuffer } from './ring/ring-buffer.ts'
export type {
  Listening,
  ListenOptions,
  RingBuffer,
  RingBufferOptions,
  RingCounters,
} from './ring/ring-buffer.ts'
export type { RingMap } from './ring/ring-memory.ts'
