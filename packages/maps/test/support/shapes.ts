import { mapTypes } from '@tsbpf/uapi'
import type { MapTypeName } from '@tsbpf/uapi'
import type { ElementCodec, MapShape } from '../../src/index.ts'

export const u32: ElementCodec<number> = {
  size: 4,
  decode: (view, at) => view.getUint32(at, true),
  encodeInto: (value, bytes, at) => new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true),
}
export const u64: ElementCodec<bigint> = {
  size: 8,
  decode: (view, at) => view.getBigUint64(at, true),
  encodeInto: (value, bytes, at) =>
    new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(at, value, true),
}

/** A map of 4-byte keys, 8-byte values and 100 entries, unless said otherwise. */
export function shape(type: MapTypeName, over: Partial<MapShape> = {}): MapShape {
  const base = {
    name: `test_${type}`,
    kernelName: 'test',
    keySize: 4,
    valueSize: 8,
    maxEntries: 100,
    flags: 0,
  }
  return { ...base, type, typeValue: mapTypes.value(type), ...over }
}
