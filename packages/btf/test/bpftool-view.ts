import type { Btf, BtfType } from '../src/index.ts'

/** A type in the shape of `bpftool -j btf dump … format raw`; numbers beyond 2^53 are strings. */
export type BpftoolType = Readonly<Record<string, unknown>>

const named = (name: string): string => (name === '' ? '(anon)' : name)

function exact(value: bigint): number | string {
  return value.toString().replace('-', '').length < 16 ? Number(value) : value.toString()
}

/** bpftool's JSON (not its text) widens the 32 bits of an unsigned enum with a sign. */
function enumValue(type: BtfType, value: bigint): bigint {
  return type.kind === 'enum' && !type.signed ? BigInt.asUintN(64, BigInt.asIntN(32, value)) : value
}

/** What bpftool would say about a type. */
export function bpftoolView(btf: Btf, id: number): BpftoolType {
  const type: BtfType = btf.type(id)
  const head = {
    id,
    kind: type.kind.toUpperCase(),
    name: named('name' in type ? type.name : ''),
  }
  switch (type.kind) {
    case 'void':
      return head
    case 'int': {
      const encodings = [type.signed ? 'SIGNED' : '', type.char ? 'CHAR' : '', type.bool ? 'BOOL' : '']
      return {
        ...head,
        size: type.size,
        bits_offset: type.offsetBits,
        nr_bits: type.bits,
        encoding: encodings.find((encoding) => encoding !== '') ?? '(none)',
      }
    }
    case 'ptr':
    case 'volatile':
    case 'const':
    case 'restrict':
    case 'typedef':
    case 'type_tag':
      return { ...head, type_id: type.type }
    case 'array':
      return { ...head, type_id: type.type, index_type_id: type.indexType, nr_elems: type.length }
    case 'struct':
    case 'union':
      return {
        ...head,
        size: type.size,
        vlen: type.members.length,
        members: type.members.map((member) => ({
          name: named(member.name),
          type_id: member.type,
          bits_offset: member.offsetBits,
          ...(member.bitfieldSizeBits > 0 ? { bitfield_size: member.bitfieldSizeBits } : {}),
        })),
      }
    case 'enum':
    case 'enum64':
      return {
        ...head,
        encoding: type.signed ? 'SIGNED' : 'UNSIGNED',
        size: type.size,
        vlen: type.values.length,
        values: type.values.map(({ name, value }) => ({ name, val: exact(enumValue(type, value)) })),
      }
    case 'fwd':
      return { ...head, fwd_kind: type.union ? 'union' : 'struct' }
    case 'func':
    case 'var':
      return { ...head, type_id: type.type, linkage: type.linkage }
    case 'func_proto':
      return {
        ...head,
        ret_type_id: type.returnType,
        vlen: type.params.length,
        params: type.params.map((param) => ({ name: named(param.name), type_id: param.type })),
      }
    case 'datasec':
      return {
        ...head,
        size: type.size,
        vlen: type.vars.length,
        vars: type.vars.map((row) => ({ type_id: row.type, offset: row.offset, size: row.size })),
      }
    case 'float':
      return { ...head, size: type.size }
    case 'decl_tag':
      return { ...head, type_id: type.type, component_idx: type.component }
  }
}
