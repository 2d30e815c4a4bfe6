import { isTsbpfError } from '@tsbpf/base'
import type { InsnIndex } from '@tsbpf/base'
import { parseBtf } from '@tsbpf/btf'
import type { CoreRelocation } from '@tsbpf/object'
import { parseObject } from '@tsbpf/object'
import fc from 'fast-check'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import { explain, relocate, relocateInsns } from '../../src/index.ts'
import { golden } from '../goldens.ts'
import { id, makeBtf } from '../make-btf.ts'
import type { Made, MadeMember } from '../make-btf.ts'
import { insns, reloc } from '../make-insns.ts'

/** Thousands of runs, on a machine that may be busy. */
const slow = { timeout: 60_000 }

const names = fc.constantFrom('', 'a', 'b', 'c___x', 'c', 'a___y', 'd')

/** Any types at all: members, elements and results may be any type, themselves included. */
const anyTypes: fc.Arbitrary<Made[]> = fc.integer({ min: 1, max: 12 }).chain((count) => {
  const ref = fc.integer({ min: 0, max: count })
  const member: fc.Arbitrary<MadeMember> = fc.oneof(
    fc.tuple(names, ref, fc.integer({ min: 0, max: 0xff_ffff })),
    fc.tuple(names, ref, fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 70 })),
  )
  const composite = fc.record({
    struct: names,
    size: fc.integer({ min: 0, max: 0xffff_ffff }),
    members: fc.array(member, { maxLength: 5 }),
  })
  const made: fc.Arbitrary<Made> = fc.oneof(
    composite,
    composite.map((struct): Made => ({ ...struct, union: true })),
    fc.record({
      int: names,
      size: fc.constantFrom(0, 1, 2, 4, 8, 16),
      encoding: fc.nat(7),
      offset: fc.nat(3),
    }),
    fc.record({ ptr: ref }),
    fc.record({ array: ref, length: fc.constantFrom(0, 1, 3, 0xffff_ffff) }),
    fc.record({ typedef: names, to: ref }),
    fc.record({ volatile: ref }),
    fc.record({ proto: ref, params: fc.array(ref, { maxLength: 3 }) }),
    fc.record({ fwd: names }),
    fc.record({ float: names, size: fc.constant(4) }),
    fc.record({ enum: names, values: fc.array(fc.tuple(names, fc.integer()), { maxLength: 3 }) }),
    fc.record({
      enum64: names,
      values: fc.array(fc.tuple(names, fc.bigInt({ min: 0n, max: 1n << 63n })), { maxLength: 3 }),
    }),
  )
  return fc.array(made, { minLength: count, maxLength: count })
})

const anyAccess = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }).map((list) => list.join(':')) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
)
const anyRelocation: fc.Arbitrary<CoreRelocation> = fc.record({
  insn: fc.integer({ min: -1, max: 8 }).map((insn) => insn as InsnIndex),
  type: fc.nat(13).map(id),
  access: anyAccess,
  kind: fc.nat(14),
})

describe('any types, accesses and instructions', () => {
  it('give results that say what happened, without an error of another kind', slow, () => {
    fc.assert(
      fc.property(
        anyTypes,
        anyTypes,
        fc.array(anyRelocation, { minLength: 1, maxLength: 6 }),
        fc.uint8Array({ minLength: 48, maxLength: 64 }).map((bytes) => bytes.subarray(0, bytes.length & ~7)),
        fc.boolean(),
        (ours, theirs, relocations, bytes, littleEndian) => {
          let local
          let target
          try {
            local = makeBtf(ours)
            target = makeBtf(theirs)
          } catch (error) {
            expect(isTsbpfError(error)).toBe(true)
            return
          }
          const copy = bytes.slice()
          const targets = [{ name: 'vmlinux', btf: target }]
          const done = relocateInsns(bytes, relocations, { local, targets, littleEndian })
          expect(bytes).toEqual(copy)
          expect(done.insns.length).toBe(bytes.length)
          expect(done.results.length).toBe(relocations.length)
          for (const result of done.results) {
            expect(result.error === undefined).toBe(result.status !== 'failed')
            expect(result.newValue === undefined).toBe(result.status !== 'resolved')
            expect(explain(result)).toContain(result.status)
          }
        },
      ),
      { numRuns: 1500 },
    )
  })
})

/** A struct laid out as C does, every member with its own name, and paths through it with the offsets they lead to. */
interface Layout {
  readonly types: Made[]
  readonly paths: readonly { readonly access: string; readonly offset: number; readonly size: number }[]
}
const shapes = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('int' as const), size: fc.constantFrom(1, 2, 4, 8) }),
    fc.record({
      kind: fc.constant('array' as const),
      size: fc.constantFrom(1, 2, 4, 8),
      length: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({
      kind: fc.constant('nested' as const),
      size: fc.constantFrom(1, 2, 4, 8),
      named: fc.boolean(),
    }),
  ),
  { minLength: 1, maxLength: 8 },
)
const layouts: fc.Arbitrary<Layout> = shapes.map((list) => {
  const sizes = [1, 2, 4, 8]
  const types: Made[] = sizes.map((size) => ({ int: `u${size * 8}`, size }))
  const members: MadeMember[] = []
  const paths: { access: string; offset: number; size: number }[] = []
  let at = 0
  list.forEach((shape, i) => {
    const { size } = shape
    const element = sizes.indexOf(size) + 1
    at = Math.ceil(at / 8) * 8
    if (shape.kind === 'int') {
      members.push([`m${i}`, element, at * 8])
      paths.push({ access: `0:${i}`, offset: at, size })
      at += size
    } else if (shape.kind === 'array') {
      types.push({ array: element, length: shape.length })
      members.push([`m${i}`, types.length, at * 8])
      paths.push({ access: `0:${i}:${shape.length - 1}`, offset: at + (shape.length - 1) * size, size })
      at += size * shape.length
    } else {
      types.push({
        struct: shape.named ? `in${i}` : '',
        size: 16,
        members: [
          [`first${i}`, element, 0],
          [`second${i}`, element, 64],
        ],
      })
      members.push([shape.named ? `m${i}` : '', types.length, at * 8])
      paths.push({ access: `0:${i}:1`, offset: at + 8, size })
      at += 16
    }
  })
  types.push({ struct: 'whole', size: Math.ceil(at / 8) * 8, members })
  return { types, paths }
})

describe('against its own BTF', () => {
  it('nothing changes, not even the bytes that hold the instructions', slow, () => {
    fc.assert(
      fc.property(layouts, fc.nat(100), ({ types, paths }, pick) => {
        const { access, offset, size } = paths[pick % paths.length]!
        const local = makeBtf(types)
        const whole = types.length
        const load = { 1: 'ldxb', 2: 'ldxh', 4: 'ldxw', 8: 'ldxdw' }[size] as 'ldxb'
        const code = insns(
          [load, { dst: 1, src: 2, off: offset }],
          ['mov64_imm', { dst: 1, imm: offset }],
          ['add64_imm', { dst: 1, imm: offset }],
          ['mov32_imm', { dst: 1, imm: size }],
          ['mov64_imm', { dst: 1, imm: 1 }],
          ['lddw', { dst: 1, imm64: BigInt(whole) }],
          ['mov64_imm', { dst: 1, imm: 64 - size * 8 }],
          ['lsh64_imm', { dst: 1, imm: 64 - size * 8 }],
          ['exit'],
        )
        const relocations = [
          reloc('byte_off', whole, access, 0),
          reloc('byte_off', whole, access, 1),
          reloc('byte_off', whole, access, 2),
          reloc('byte_sz', whole, access, 3),
          reloc('field_exists', whole, access, 4),
          reloc('target_type_id', whole, '0', 5),
          // Neither shift applies to an array element.
          ...(access.split(':').length === 2
            ? [reloc('rshift_u64', whole, access, 7), reloc('lshift_u64', whole, access, 8)]
            : []),
        ]
        const done = relocateInsns(code, relocations, {
          local,
          targets: [{ name: 'own', btf: local }],
          littleEndian: true,
          onFailure: 'throw',
        })
        expect(done.insns).toBe(code)
      }),
      { numRuns: 1000 },
    )
  })

  it('the order of relocations does not matter where a type has one candidate', slow, () => {
    fc.assert(
      fc.property(layouts, layouts, fc.infiniteStream(fc.nat(1 << 20)), (ours, theirs, random) => {
        const local = makeBtf(ours.types)
        const target = makeBtf(theirs.types)
        const load = { 1: 'ldxb', 2: 'ldxh', 4: 'ldxw', 8: 'ldxdw' } as const
        const code = insns(
          ...ours.paths.map(
            ({ offset, size }) => [load[size as 1], { dst: 1, src: 2, off: offset }] as const,
          ),
          ['exit'],
        )
        const relocations = ours.paths.map(({ access }, i) => reloc('byte_off', ours.types.length, access, i))
        const options = { local, targets: [{ name: 'vmlinux', btf: target }], littleEndian: true }
        const shuffled = relocations
          .map((relocation) => ({ relocation, key: random.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ relocation }) => relocation)
        const one = relocateInsns(code, relocations, options)
        const other = relocateInsns(code, shuffled, options)
        expect(other.insns).toEqual(one.insns)
        const statuses = (results: typeof one.results) =>
          results.map(({ insn, status, newValue }) => `${insn} ${status} ${newValue}`).sort()
        expect(statuses(other.results)).toEqual(statuses(one.results))
      }),
      { numRuns: 300 },
    )
  })

  it('relocated twice, an object is what it is relocated once', () => {
    for (const [name, to] of [
      ['local', 'target-moved'],
      ['local', 'target-flavours'],
      ['pruning', 'target-pruning'],
    ]) {
      const spec = parseObject(golden(`${name}.bpf.o`))
      const targets = [{ name: 'vmlinux', btf: parseBtf(golden(`${to}.btf`)) }]
      const once = relocate(spec, { targets })
      expect(once.results.length).toBeGreaterThan(5)
      const twice = relocate(once.spec, { targets })
      expect(twice.spec.programs.map(({ insns: bytes }) => bytes)).toEqual(
        once.spec.programs.map(({ insns: bytes }) => bytes),
      )
      // Only what failed is left to be tried again, and fails again.
      expect(twice.results.every(({ status }) => status === 'failed')).toBe(true)
    }
  })

  it('only bitfields, which compilers load differently, change in an object of clang', () => {
    for (const name of ['kernel', 'pruning']) {
      const spec = parseObject(golden(`${name}.bpf.o`))
      const { results } = relocate(spec, { targets: [{ name: 'own', btf: spec.btf! }] })
      const own = results.filter(({ targetType, localType }) => targetType?.id === localType.id)
      expect(own.length).toBeGreaterThan(5)
      for (const result of own) {
        if (
          /struct (?:task_struct\.(?:in_execve|sched_)|sock_common|sk_buff|tcp_sock|iphdr)/.test(
            result.accessText,
          )
        )
          continue
        if (result.status === 'failed') continue
        expect(result.after, explain(result)).toEqual(result.before)
      }
    }
  })
})

describe('a damaged object', () => {
  it('gives a TsbpfError or results within 100 ms', slow, () => {
    const bytes = golden('pruning.bpf.o')
    const kernel = parseObject(golden('kernel.bpf.o')).btf!
    const timed = (damaged: Uint8Array): number => {
      const started = cpuTime()
      try {
        const spec = parseObject(damaged)
        relocate(spec, { targets: [{ name: 'vmlinux', btf: kernel }] })
        if (spec.btf !== undefined) relocate(spec, { targets: [{ name: 'own', btf: spec.btf }] })
      } catch (error) {
        expect(isTsbpfError(error) ? '' : String(error)).toBe('')
      }
      return cpuTime() - started
    }
    // A busy machine may stop any run; the same bytes are not slow time and again.
    const run = (damaged: Uint8Array): void => {
      if (timed(damaged) >= 100) expect(Math.min(timed(damaged), timed(damaged))).toBeLessThan(100)
    }
    run(bytes)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Uint8Array.from(bytes)
        damaged[at] = damaged[at]! ^ flip
        run(damaged)
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.nat(bytes.length), (end) => run(bytes.subarray(0, end))),
      { numRuns: 300 },
    )
  })
})
