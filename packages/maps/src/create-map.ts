import { isTsbpfError } from '@tsbpf/base'
import type { TsbpfError } from '@tsbpf/base'
import { lackingCapabilities, mapCreate } from '@tsbpf/sys'
import type { MapCreateFields, Sys } from '@tsbpf/sys'
import { mapFlags } from '@tsbpf/uapi'
import { BpfMap } from './bpf-map.ts'
import { bytesCodec, perCpuCodec } from './element-codec.ts'
import type { ElementCodec } from './element-codec.ts'
import { errnoOf } from './errno-of.ts'
import { errors } from './errors.ts'
import type { MapShape } from './map-shape.ts'
import { mapOperations } from './operations.ts'
import { possibleCpus } from './possible-cpus.ts'

/** Options of {@link createMap} that have no place in the map's shape. */
export interface CreateMapOptions {
  /**
   * Types of key and value (0 for none), in a BTF object that the kernel has loaded; left out again if the kernel
   * refuses them. Maps of local storage must have them, a struct_ops map the object alone.
   */
  readonly btf?: { readonly fd: number; readonly keyType: number; readonly valueType: number } | undefined
  /** Descriptor of the template of a map of maps. */
  readonly innerFd?: number | undefined
  readonly numaNode?: number | undefined
  /** What a struct_ops map holds: a type of the kernel's own BTF. */
  readonly kernelValueType?: number | undefined
  /** Descriptor of the module's BTF that `kernelValueType` is of; the kernel's own unless given (kernel 6.9). */
  readonly kernelValueBtf?: number | undefined
  /** Descriptor of a BPF token, which lends the right to create the map (kernel 6.9). */
  readonly token?: number | undefined
  /** `map_extra`: a Bloom filter's number of hash functions, an arena's address. */
  readonly extra?: bigint
}

/** Codecs for a map's elements; bytes where one is left out. In a per-CPU map `value` is one processor's. */
export interface MapCodecs<K, V> {
  readonly key?: ElementCodec<K> | undefined
  readonly value?:
    ElementCodec<V> | (V extends readonly (infer One)[] ? ElementCodec<One> : never) | undefined
}

/** Map types that only a process with CAP_NET_ADMIN may create (kernel/bpf/syscall.c, map_create). */
const networkTypes = new Set(['sockmap', 'sockhash', 'devmap', 'devmap_hash', 'xskmap'])

/** Map types that the kernel makes only with BTF (kernel/bpf/bpf_local_storage.c, bpf_struct_ops.c). */
const needsBtf = new Set(['sk_storage', 'inode_storage', 'task_storage', 'cgrp_storage', 'struct_ops'])

/**
 * Creates a map in the kernel and gives its descriptor, which the caller owns.
 *
 * Throws MAP_CREATE_DENIED where a capability is missing, else MAP_CREATE.
 */
export function createMapFd(sys: Sys, shape: MapShape, options: CreateMapOptions = {}): number {
  const fields: MapCreateFields = {
    map_type: shape.typeValue,
    key_size: shape.keySize,
    value_size: shape.valueSize,
    max_entries: shape.maxEntries,
    map_flags:
      shape.flags |
      (options.kernelValueBtf === undefined ? 0 : mapFlags.value('vtype_btf_obj_fd')) |
      (options.token === undefined ? 0 : mapFlags.value('token_fd')),
    map_name: shape.kernelName,
    map_extra: options.extra ?? 0n,
    inner_map_fd: options.innerFd ?? 0,
    numa_node: options.numaNode ?? 0,
    btf_vmlinux_value_type_id: options.kernelValueType ?? 0,
    value_type_btf_obj_fd: options.kernelValueBtf ?? 0,
    map_token_fd: options.token ?? 0,
  }
  const { btf } = options
  if (btf !== undefined) {
    const types = { btf_fd: btf.fd, btf_key_type_id: btf.keyType, btf_value_type_id: btf.valueType }
    try {
      return mapCreate(sys, { ...fields, ...types })
    } catch (error) {
      // As libbpf does: a map without its BTF serves just as well.
      if (!isTsbpfError(error, 'SYS_CALL_FAILED')) throw error
      if (errnoOf(error) === 'EPERM' || needsBtf.has(shape.type)) throw refusedCreation(sys, shape, error)
    }
  }
  try {
    return mapCreate(sys, fields)
  } catch (cause) {
    throw isTsbpfError(cause, 'SYS_CALL_FAILED') ? refusedCreation(sys, shape, cause) : cause
  }
}

function refusedCreation(sys: Sys, shape: MapShape, cause: TsbpfError): TsbpfError {
  const errno = errnoOf(cause)
  const facts = { map: shape.name, type: shape.type, errno }
  if (errno === 'EPERM' || errno === 'EACCES') {
    const missing = lackingCapabilities(
      sys,
      networkTypes.has(shape.type) ? ['CAP_BPF', 'CAP_NET_ADMIN'] : ['CAP_BPF'],
    )
    return errors.MAP_CREATE_DENIED({ ...facts, missing }, { cause })
  }
  const sizes = `key ${shape.keySize} bytes, value ${shape.valueSize} bytes, ${shape.maxEntries} entries`
  return errors.MAP_CREATE({ ...facts, shape: `${sizes}, flags 0x${shape.flags.toString(16)}` }, { cause })
}

/**
 * Makes a handle of a map's descriptor and takes the descriptor over, also when it throws.
 *
 * Throws MAP_CODEC_SIZE for a codec of another size than the map's.
 */
export function mapFromFd<K = Uint8Array, V = Uint8Array>(
  sys: Sys,
  fd: number,
  shape: MapShape,
  codecs: MapCodecs<K, V> = {},
): BpfMap<K, V> {
  try {
    const key = codecs.key ?? bytesCodec(shape.keySize)
    const value: { readonly size: number } = codecs.value ?? bytesCodec(shape.valueSize)
    checkSize(shape, 'key', shape.keySize, key.size)
    checkSize(shape, 'value', shape.valueSize, value.size)
    const perCpu = mapOperations.get(shape.type)?.perCpu ?? false
    const values = perCpu ? perCpuCodec(value as ElementCodec<unknown>, possibleCpus(sys)) : value
    return new BpfMap<K, V>(sys, fd, shape, {
      key: key as ElementCodec<K>,
      value: values as ElementCodec<V>,
    })
  } catch (error) {
    sys.close(fd)
    throw error
  }
}

/**
 * Creates a map and gives its handle.
 *
 * A `MapSpec` of `@tsbpf/object` is a shape. Values of a per-CPU map are arrays by processor number.
 * Throws MAP_CREATE_DENIED, MAP_CREATE, MAP_CODEC_SIZE.
 *
 * @example
 * ```ts no-run
 * import { createMap } from '@tsbpf/maps'
 * import { nativeSys } from '@tsbpf/sys/native'
 * using map = createMap(nativeSys(), {
 *   name: 'counts', kernelName: 'counts', type: 'hash', typeValue: 1, keySize: 4, valueSize: 8, maxEntries: 16, flags: 0,
 * })
 * map.set(new Uint8Array(4), new Uint8Array(8))
 * ```
 */
export function createMap<K = Uint8Array, V = Uint8Array>(
  sys: Sys,
  shape: MapShape,
  options: CreateMapOptions & { readonly codecs?: MapCodecs<K, V> } = {},
): BpfMap<K, V> {
  return mapFromFd(sys, createMapFd(sys, shape, options), shape, options.codecs)
}

function checkSize(shape: MapShape, part: 'key' | 'value', expected: number, actual: number): void {
  if (expected !== actual) throw errors.MAP_CODEC_SIZE({ map: shape.name, part, expected, actual })
}
