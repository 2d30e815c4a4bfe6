import { swapInsns, InsnView } from '@tsbpf/isa'
import { attachTypes, pseudo } from '@tsbpf/uapi'
import { linkSubprograms } from '../../src/index.ts'
import type { MapSpec, ObjectSpec, ProgramSpec } from '../../src/index.ts'

/** A map as the oracle `libbpf-open` prints it; the template of a map of maps has the first fields only. */
interface LibbpfMapFields {
  readonly type: string
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
  readonly extra: string
  readonly numaNode: number
  readonly keyType: number
  readonly valueType: number
}

interface LibbpfMap extends LibbpfMapFields {
  readonly name: string
  readonly pinPath: string | null
  readonly internal: boolean
  readonly inner?: LibbpfMapFields
  readonly autocreate: boolean
  readonly initial?: string
  /** Programs of a struct_ops map, by where they stand in the struct. */
  readonly operations?: readonly { readonly offset: number; readonly program: string }[]
}

/** What the oracle `libbpf-open` (tools/oracles) prints about an object. */
export interface LibbpfView {
  readonly libbpf: string
  /** Set where libbpf refuses the object. */
  readonly error?: number
  readonly reason?: string
  readonly programs: readonly {
    readonly name: string
    readonly section: string
    readonly type: string
    readonly attachTypeValue: number
    readonly insns: number
    readonly autoload: boolean
  }[]
  readonly maps: readonly LibbpfMap[]
  /** Empty where libbpf could not get that far without a kernel. */
  readonly linked: readonly { readonly name: string; readonly insns: string }[]
  readonly appended: readonly { readonly program: string; readonly name: string; readonly insns: number }[]
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Rounding a ring buffer up to pages depends on the host: our spec keeps the object's number. */
const isRing = (type: string): boolean => type === 'ringbuf' || type === 'user_ringbuf'

const fieldsOfOurs = (map: MapSpec): LibbpfMapFields => ({
  type: map.type,
  keySize: map.keySize,
  valueSize: map.valueSize,
  maxEntries: isRing(map.type) ? 0 : map.maxEntries,
  flags: map.flags,
  extra: String(map.extra),
  numaNode: map.numaNode ?? 0,
  keyType: map.keyType ?? 0,
  valueType: map.valueType ?? 0,
})

const fieldsOfLibbpf = (map: LibbpfMapFields): LibbpfMapFields => ({
  type: map.type,
  keySize: map.keySize,
  valueSize: map.valueSize,
  maxEntries: isRing(map.type) ? 0 : map.maxEntries,
  flags: map.flags,
  extra: map.extra,
  numaNode: map.numaNode,
  keyType: map.keyType,
  valueType: map.valueType,
})

/** libbpf calls a map of global data as the kernel does, unless it is a `.data` or `.rodata` with a name of its own. */
function libbpfName(map: MapSpec): string {
  return map.data === undefined || /^\.(ro)?data\./.test(map.name) ? map.name : map.kernelName
}

/** Our spec, in the shape of the oracle's answer; without values whose bytes depend on the byte order. */
export function viewOfSpec(spec: ObjectSpec): unknown {
  return {
    programs: spec.programs.map(({ name, section, type, attachType, insns, autoload }) => ({
      name,
      section,
      type: type ?? 'unspec',
      attachTypeValue: attachTypes.rows.find((row) => row.name === attachType)?.value ?? 0,
      insns: insns.length / 8,
      autoload,
    })),
    maps: spec.maps.map((map) => ({
      name: libbpfName(map),
      ...fieldsOfOurs(map),
      pinPath: map.pinning === 'by_name' ? `/sys/fs/bpf/${map.name}` : null,
      internal: map.data !== undefined,
      inner: map.inner === undefined ? undefined : fieldsOfOurs(map.inner),
      autocreate: map.structOps?.autocreate ?? true,
      operations: operationsOf(spec, map),
    })),
  }
}

/** The oracle's answer, reduced to what {@link viewOfSpec} has. */
export function viewOfLibbpf(view: LibbpfView): unknown {
  return {
    programs: view.programs.map(({ name, section, type, attachTypeValue, insns, autoload }) => ({
      name,
      section,
      type,
      attachTypeValue,
      insns,
      autoload,
    })),
    maps: view.maps.map((map) => ({
      name: map.name,
      ...fieldsOfLibbpf(map),
      pinPath: map.pinPath,
      internal: map.internal,
      inner: map.inner === undefined ? undefined : fieldsOfLibbpf(map.inner),
      autocreate: map.autocreate,
      operations: map.operations,
    })),
  }
}

/** First contents of the maps of global data, of arenas and of struct_ops, in hexadecimal. */
export function initialOfSpec(spec: ObjectSpec): readonly string[] {
  return spec.maps.flatMap((map) => {
    const bytes = map.data?.bytes ?? map.arena ?? map.structOps?.bytes
    return bytes === undefined ? [] : [hex(bytes)]
  })
}

/** The bytes from the start of a struct_ops map at which its programs stand. */
function operationsOf(spec: ObjectSpec, { valueType, structOps }: MapSpec) {
  const struct = valueType === undefined ? undefined : spec.btf?.type(valueType)
  const members = struct !== undefined && 'members' in struct ? struct.members : []
  return structOps?.programs.map(({ index, program }) => {
    return { offset: (members[index]?.offsetBits ?? 0) / 8, program }
  })
}

export function initialOfLibbpf(view: LibbpfView): readonly string[] {
  return view.maps.flatMap((map) => (map.initial === undefined ? [] : [map.initial]))
}

/**
 * A linked program as libbpf prepares it for a generated loader, in little endian: a map's reference is its index.
 * What an extern becomes depends on the kernel: its slots are zeroes here, and in what {@link maskExterns} gives.
 */
export function linkAsLibbpf(spec: ObjectSpec, program: ProgramSpec): string {
  const { insns, relocations } = linkSubprograms(spec, program)
  const code = new InsnView(insns, { littleEndian: spec.byteOrder === 'little' })
  for (const { insn, ref } of relocations) {
    if (ref.kind !== 'map' && ref.kind !== 'data') continue
    const name = ref.kind === 'map' ? ref.name : ref.map
    code.setSrc(insn, pseudo.value(ref.kind === 'map' ? 'map_idx' : 'map_idx_value'))
    code.setImm(
      insn,
      spec.maps.findIndex((map) => map.name === name),
    )
    if (ref.kind === 'data') code.setImm(insn + 1, ref.offset)
  }
  return maskExterns(spec, program, hex(spec.byteOrder === 'little' ? insns : swapInsns(insns)))
}

/** The instructions, in hexadecimal, with zeroes where our linked program refers to an extern. */
export function maskExterns(spec: ObjectSpec, program: ProgramSpec, insns: string): string {
  let masked = insns
  for (const { insn, ref } of linkSubprograms(spec, program).relocations) {
    if (ref.kind !== 'extern') continue
    const slots = ref.use === 'call' ? 1 : 2
    masked = masked.slice(0, insn * 16) + '0'.repeat(slots * 16) + masked.slice((insn + slots) * 16)
  }
  return masked
}
