import { isTsbpfError } from '@tsbpf/base'
import { btfBuilder, dedupBtf, encodeBtf, mergeBtf, parseBtf } from '@tsbpf/btf'
import type { BtfTypeInput } from '@tsbpf/btf'
import { btfLoad } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { kernelVersion, requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { leavesNothing } from './kernel-objects.ts'

const gate = requires({ root: true, kernel: [6, 1], reason: 'loads BTF' })

/** What the kernel says: empty where it takes the BTF, else its log. */
async function verdict(bytes: Uint8Array): Promise<string> {
  let said = ''
  await leavesNothing(() => {
    const sys = nativeSys()
    const log = new Uint8Array(1 << 16)
    const { fd } = btfLoad(sys, { btf: bytes, btf_log_buf: log, btf_log_level: 1 })
    if (fd >= 0) sys.close(fd)
    else said = `${fd} ${new TextDecoder().decode(log.subarray(0, log.indexOf(0)))}`
  })
  return said
}

const int: BtfTypeInput = { kind: 'int', name: 'int', size: 4, signed: true }
const member = { name: 'a', type: 1, offsetBits: 0 }

/** 1 int, 2 prototype, 3 struct, 4 variable. */
const ground: readonly BtfTypeInput[] = [
  int,
  {
    kind: 'func_proto',
    returnType: 1,
    params: [
      { name: 'first', type: 1 },
      { name: '', type: 0 },
    ],
  },
  { kind: 'struct', name: 'ground', size: 8, members: [member, { name: 'b', type: 1, offsetBits: 32 }] },
  { kind: 'var', name: 'variable', type: 1, linkage: 'global' },
]

const [major, minor] = kernelVersion()
/** Names of data sections may hold any printable character since 6.12 (kernel/bpf/btf.c, btf_name_valid_section). */
const dataSection = major > 6 || (major === 6 && minor >= 12) ? '.data.of mine' : '.data.of_mine'

/** Each kind, and each variant of it. */
const accepted: readonly BtfTypeInput[] = [
  { kind: 'int', name: 'unsigned __int128', size: 16 },
  { kind: 'int', name: 'char', size: 1, char: true },
  { kind: 'int', name: '_Bool', size: 1, bool: true },
  { kind: 'ptr', type: 3 },
  { kind: 'ptr', type: 0 },
  { kind: 'array', type: 1, indexType: 1, length: 3 },
  { kind: 'array', type: 1, indexType: 1, length: 0 },
  { kind: 'struct', name: '', size: 0, members: [] },
  {
    kind: 'struct',
    name: 'bits',
    size: 8,
    members: [
      { name: 'low', type: 1, offsetBits: 0, bitfieldSizeBits: 3 },
      { name: '', type: 1, offsetBits: 32, bitfieldSizeBits: 32 },
    ],
  },
  { kind: 'union', name: 'either', size: 8, members: [member, { name: 'whole', type: 3, offsetBits: 0 }] },
  { kind: 'enum', name: 'sign', size: 4, values: [{ name: 'MINUS', value: -1 }] },
  { kind: 'enum', name: '', size: 1, values: [{ name: 'MOST', value: 255 }] },
  { kind: 'enum', name: 'later', size: 4, values: [] },
  { kind: 'enum64', name: 'wide', size: 8, values: [{ name: 'FAR', value: 2n ** 64n - 1n }] },
  { kind: 'enum64', name: 'deep', size: 8, values: [{ name: 'DEEP', value: -(2n ** 63n) }] },
  { kind: 'fwd', name: 'later_struct' },
  { kind: 'fwd', name: 'later_union', union: true },
  { kind: 'typedef', name: 'alias', type: 1 },
  { kind: 'volatile', type: 1 },
  { kind: 'const', type: 0 },
  { kind: 'restrict', type: 1 },
  { kind: 'func', name: 'static_func', type: 2, linkage: 'static' },
  { kind: 'func', name: 'global_func', type: 2, linkage: 'global' },
  { kind: 'func_proto', returnType: 0, params: [] },
  { kind: 'var', name: 'static_var', type: 1, linkage: 'static' },
  { kind: 'datasec', name: dataSection, size: 8, vars: [{ type: 4, offset: 4, size: 4 }] },
  { kind: 'float', name: 'long double', size: 16 },
  { kind: 'decl_tag', name: 'on the struct', type: 3 },
  { kind: 'decl_tag', name: 'on a member', type: 3, component: 1 },
  { kind: 'decl_tag', name: 'on a variable', type: 4 },
  { kind: 'type_tag', name: 'user', type: 1 },
]

const long = 'x'.repeat(513)
const refused: readonly (readonly [string, BtfTypeInput])[] = [
  ['int larger than its size', { kind: 'int', name: 'i', size: 1, bits: 9 }],
  ['int that is signed and bool', { kind: 'int', name: 'i', size: 1, signed: true, bool: true }],
  ['array of void', { kind: 'array', type: 0, indexType: 1, length: 1 }],
  ['array by void', { kind: 'array', type: 1, indexType: 0, length: 1 }],
  ['array of functions', { kind: 'array', type: 2, indexType: 1, length: 1 }],
  ['struct with a space in its name', { kind: 'struct', name: 'a b', size: 4, members: [] }],
  ['struct with a name too long', { kind: 'struct', name: long, size: 4, members: [] }],
  ['member of type void', { kind: 'struct', name: 's', size: 4, members: [{ ...member, type: 0 }] }],
  ['member that is a number', { kind: 'struct', name: 's', size: 4, members: [{ ...member, name: '1' }] }],
  [
    'members out of order',
    { kind: 'struct', name: 's', size: 8, members: [{ ...member, offsetBits: 32 }, member] },
  ],
  ['member behind the end', { kind: 'struct', name: 's', size: 4, members: [{ ...member, offsetBits: 40 }] }],
  [
    'member of a union not at 0',
    { kind: 'union', name: 'u', size: 8, members: [{ ...member, offsetBits: 8 }] },
  ],
  ['enum of 3 bytes', { kind: 'enum', name: 'e', size: 3, values: [] }],
  ['value without name', { kind: 'enum', name: 'e', size: 4, values: [{ name: '', value: 0 }] }],
  ['fwd without name', { kind: 'fwd', name: '' }],
  ['typedef without name', { kind: 'typedef', name: '', type: 1 }],
  ['type tag without text', { kind: 'type_tag', name: '', type: 1 }],
  ['func without name', { kind: 'func', name: '', type: 2, linkage: 'static' }],
  ['func of an int', { kind: 'func', name: 'f', type: 1, linkage: 'static' }],
  ['extern func', { kind: 'func', name: 'f', type: 2, linkage: 'extern' }],
  [
    'varargs in the middle',
    {
      kind: 'func_proto',
      returnType: 0,
      params: [
        { name: '', type: 0 },
        { name: 'a', type: 1 },
      ],
    },
  ],
  ['varargs with a name', { kind: 'func_proto', returnType: 0, params: [{ name: 'a', type: 0 }] }],
  ['var of type void', { kind: 'var', name: 'v', type: 0, linkage: 'static' }],
  ['extern var', { kind: 'var', name: 'v', type: 1, linkage: 'extern' }],
  ['pointer to a variable', { kind: 'ptr', type: 4 }],
  ['section without name', { kind: 'datasec', name: '', size: 4, vars: [] }],
  ['section with a control character', { kind: 'datasec', name: '.a\n', size: 4, vars: [] }],
  ['section without size', { kind: 'datasec', name: '.data', size: 0, vars: [] }],
  ['section of ints', { kind: 'datasec', name: '.data', size: 4, vars: [{ type: 1, offset: 0, size: 4 }] }],
  [
    'variable without size',
    { kind: 'datasec', name: '.data', size: 8, vars: [{ type: 4, offset: 0, size: 0 }] },
  ],
  [
    'variable behind the end',
    { kind: 'datasec', name: '.data', size: 4, vars: [{ type: 4, offset: 2, size: 4 }] },
  ],
  ['float of 3 bytes', { kind: 'float', name: 'f', size: 3 }],
  ['tag on component -2', { kind: 'decl_tag', name: 't', type: 3, component: -2 }],
  ['tag on a member that is not there', { kind: 'decl_tag', name: 't', type: 3, component: 2 }],
  ['tag on a part of a variable', { kind: 'decl_tag', name: 't', type: 4, component: 0 }],
  ['tag on an int', { kind: 'decl_tag', name: 't', type: 1 }],
]

describe.skipIf(gate.skip)(gate.title('BTF that was built'), () => {
  it('the kernel takes every kind', async () => {
    const bytes = encodeBtf([...ground, ...accepted], { rules: 'kernel' })
    expect(new Set([...ground, ...accepted].map(({ kind }) => kind)).size).toBe(19)
    expect(await verdict(bytes)).toBe('')
  })

  it('the kernel takes types that refer to each other', async () => {
    const builder = btfBuilder({ rules: 'kernel' })
    const node = builder.reserve()
    const next = builder.add({ kind: 'ptr', type: node })
    builder.define(node, {
      kind: 'struct',
      name: 'node',
      size: 8,
      members: [{ name: 'next', type: next, offsetBits: 0 }],
    })
    expect(await verdict(builder.build())).toBe('')
  })

  it('the kernel takes what was merged and deduplicated', async () => {
    const btf = parseBtf(encodeBtf([...ground, ...accepted], { rules: 'kernel' }))
    const merged = mergeBtf([btf, btf]).btf
    const done = dedupBtf(merged).btf
    expect(done.endId).toBeLessThan(merged.endId)
    expect(await verdict(merged.bytes)).toBe('')
    expect(await verdict(done.bytes)).toBe('')
  })

  it.each(refused)('the kernel does not take what the rules refuse: %s', async (_, type) => {
    const types = [...ground, type]
    let code = ''
    try {
      encodeBtf(types, { rules: 'kernel' })
    } catch (error) {
      if (!isTsbpfError(error)) throw error
      code = error.code
    }
    expect(code).toBe('BTF_BUILD')
    expect(await verdict(encodeBtf(types, { rules: 'none' }))).not.toBe('')
  })
})
