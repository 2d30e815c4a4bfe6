import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { btfBuilder, dedupBtf, distillBase, mergeBtf, parseBtf, relocateBtf, swapBtf } from '../../src/index.ts'
import type { Btf } from '../../src/index.ts'
import { golden, sectionsOf } from './sections.ts'

/** One question to libbpf, and our answer to it. */
export interface Case {
  readonly name: string
  /** Arguments of the oracle; bytes become files. */
  readonly ask: readonly (string | Uint8Array)[]
  /** Names of the files that it writes, with what we say is in them. */
  readonly ours: ReadonlyMap<string, Uint8Array>
}

/** The kernel whose BTF is in the repository. */
export function kernel(): Btf {
  const path = join(import.meta.dirname, '../../../testkit/btf/vmlinux-6.12-debian-amd64.btf.gz')
  return parseBtf(new Uint8Array(gunzipSync(readFileSync(path))), { name: 'vmlinux' })
}

/** A split BTF with the types of one that stands alone; names that the base has are the base's. */
function splitOn(base: Btf, btf: Btf): Btf {
  const builder = btfBuilder({ base, rules: 'none' })
  builder.addBtf(btf)
  return builder.open({ littleEndian: base.littleEndian })
}

/** Deduplication of an object: of its BTF, and with its `.BTF.ext` where this libbpf reads it. */
export function objectCases(name: string, bytes: Uint8Array): Case[] {
  const sections = sectionsOf(bytes)
  const data = sections.get('.BTF')
  if (data === undefined) return []
  const btf = parseBtf(data)
  const swapped = parseBtf(swapBtf(data))
  // libbpf 1.5 does not read .BTF.ext of the other byte order, and then goes on without.
  const ext = btf.littleEndian ? sections.get('.BTF.ext') : undefined
  const done = dedupBtf(btf, ext === undefined ? {} : { ext })
  const ours = new Map([['out', done.btf.bytes]])
  if (done.ext !== undefined) ours.set('ext', done.ext)
  return [
    { name: `${name} deduplicated`, ask: ['dedup', bytes, 'out', 'ext'], ours },
    {
      name: `${name} in the other byte order, deduplicated`,
      ask: ['dedup', swapped.bytes, 'out'],
      ours: new Map([['out', dedupBtf(swapped).btf.bytes]]),
    },
  ]
}

/** BTFs one after the other, and then deduplicated. */
export function mergeCases(name: string, btfs: readonly Btf[]): Case[] {
  const { btf } = mergeBtf(btfs)
  const parts = btfs.map((part) => part.bytes)
  return [
    { name: `${name} merged`, ask: ['merge', 'out', ...parts], ours: new Map([['out', btf.bytes]]) },
    {
      name: `${name} merged and deduplicated`,
      ask: ['dedup', btf.bytes, 'out'],
      ours: new Map([['out', dedupBtf(btf).btf.bytes]]),
    },
  ]
}

/** A BTF as a split one: deduplicated against the base, distilled from it, and put on it again. */
export function splitCases(name: string, base: Btf, btf: Btf, targets: readonly Btf[]): Case[] {
  const split = splitOn(base, btf)
  const small = dedupBtf(split).btf
  const distilled = distillBase(small)
  return [
    {
      name: `${name} deduplicated against its base`,
      ask: ['dedup', '--base', base.bytes, split.bytes, 'out'],
      ours: new Map([['out', small.bytes]]),
    },
    {
      name: `${name} distilled`,
      ask: ['distill', base.bytes, small.bytes, 'base', 'out'],
      ours: new Map([
        ['base', distilled.base.bytes],
        ['out', distilled.btf.bytes],
      ]),
    },
    ...targets.map((target, i) => ({
      name: `${name} relocated to base ${i}`,
      ask: ['relocate', distilled.base.bytes, distilled.btf.bytes, target.bytes, 'out'],
      ours: new Map([['out', relocateBtf(distilled.btf, target).btf.bytes]]),
    })),
  ]
}

const objects = [
  'types.clang-14.el.o',
  'types.clang-19.el.o',
  'types.clang-19.eb.o',
  'values.clang-19.el.o',
  'values.clang-19.eb.o',
  'dedup-a.clang-19.el.o',
  'dedup-b.clang-19.el.o',
  'sanitize.clang-19.el.o',
]

/** The cases whose answers are recorded beside this file: of the objects of this folder, and of a kernel. */
export function recordedCases(): Case[] {
  const btfOf = (name: string): Btf => parseBtf(sectionsOf(golden(name)).get('.BTF')!, { name })
  const little = objects.filter((name) => name.includes('.el.'))
  const base = kernel()
  const a = btfOf('dedup-a.clang-19.el.o')
  const b = btfOf('dedup-b.clang-19.el.o')
  return [
    ...objects.flatMap((name) => objectCases(name, golden(name))),
    ...mergeCases('a and b', [a, b]),
    ...mergeCases('b and a', [b, a]),
    ...mergeCases('a and a', [a, a]),
    ...mergeCases('all objects', little.map(btfOf)),
    ...little.flatMap((name) => splitCases(`${name} on a kernel`, base, btfOf(name), [base])),
    ...splitCases('a on b', b, a, [b, dedupBtf(mergeBtf([a, b]).btf).btf]),
    {
      name: 'a kernel deduplicated',
      ask: ['dedup', base.bytes, 'out'],
      ours: new Map([['out', dedupBtf(base).btf.bytes]]),
    },
    ...mergeCases('a kernel and an object', [base, a]),
  ]
}
