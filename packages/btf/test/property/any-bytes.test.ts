import { isTsbpfError } from '@tsbpf/base'
import { bundledFile } from '@tsbpf/testkit/bundled-file'
import { mutations } from '@tsbpf/testkit/mutations'
import fc from 'fast-check'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import {
  codec,
  declTags,
  enumerator,
  fixupDataSections,
  formatType,
  funcProto,
  kfunc,
  kfuncs,
  memberPath,
  members,
  parseBtf,
  parseBtfExt,
} from '../../src/index.ts'
import type { Btf } from '../../src/index.ts'
import typesBig from '../golden/types.clang-19.eb.o?inline'
import typesLittle from '../golden/types.clang-19.el.o?inline'
import values from '../golden/values.clang-19.el.o?inline'
import { sectionsOf } from '../elf-sections.ts'
import { makeBtf } from '../make-btf.ts'
import type { MadeType } from '../make-btf.ts'

/** A value or a TsbpfError of this package. */
function attempt(run: () => void): void {
  try {
    run()
  } catch (error) {
    // A million times: an expectation takes longer than most that is tried.
    if (!isTsbpfError(error) || !error.code.startsWith('BTF_') || error.hint === undefined) throw error
  }
}

/** Values that a compiled codec has decoded too: nearly all types of a damaged copy are as they were. */
const compared = new Set<string>()
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))

/** Asks for everything that can be asked of a type. */
function ask(btf: Btf, id: number): void {
  attempt(() => {
    const type = btf.type(id)
    if ((type.kind === 'struct' || type.kind === 'union') && type.members !== type.members)
      throw new Error('made anew')
  })
  attempt(() => btf.nameOf(id))
  attempt(() => btf.resolve(id))
  attempt(() => btf.sizeOf(id))
  attempt(() => btf.alignOf(id))
  attempt(() => formatType(btf, id))
  attempt(() => {
    const found = codec(btf, id)
    if (found.size > 1 << 16) return
    // No two bytes near each other are alike, so that types of different layouts have different values.
    const bytes = Uint8Array.from({ length: found.size }, (_, i) => i * 89 + 0x5a)
    const value = found.decode(bytes)
    attempt(() => found.encode(value))
    const text = `${found.size} ${btf.littleEndian} ${textOf(value)}`
    if (compared.has(text)) return
    compared.add(text)
    const compiled = codec(btf, id, { compile: 'now' })
    expect(compiled.decode(bytes)).toEqual(value)
    attempt(() => compiled.encode(value))
  })
  attempt(() => members(btf, id))
  attempt(() => memberPath(btf, id, 'a[1].x'))
  attempt(() => declTags(btf, id))
  attempt(() => funcProto(btf, id))
}

/** Asks for types from an id on, each so many. */
function law(bytes: Uint8Array, first = 0, each = 1): void {
  const start = cpuTime()
  attempt(() => {
    const btf = parseBtf(bytes)
    for (let id = first; id < Math.min(btf.endId, 500); id += each) ask(btf, id)
    for (const name of ['int', 'task_struct', 'a']) {
      attempt(() => btf.idsByName(name))
      attempt(() => btf.find(name, 'struct'))
      attempt(() => btf.candidates(name))
      attempt(() => kfunc(btf, name))
      attempt(() => enumerator(btf, name))
    }
    attempt(() => kfuncs(btf))
    attempt(() => {
      const vars = new Map([['a', { offset: 4 }]])
      fixupDataSections(btf, new Map([['.bss', { size: 8, vars }]]))
    })
  })
  const took = cpuTime() - start
  if (took >= 2000) expect(took).toBeLessThan(2000)
}

const files = Object.entries({ typesLittle, typesBig, values }).map(([name, file]) => {
  const sections = sectionsOf(bundledFile(file))
  return { name, btf: sections.get('.BTF')!, ext: sections.get('.BTF.ext') }
})

describe('any bytes give a value or a TsbpfError', { timeout: 60_000 }, () => {
  it('at random, behind a good start', () => {
    const start = [0x9f, 0xeb, 1, 0, 24, 0, 0, 0]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (rest) => law(Uint8Array.from([...start, ...rest]))),
    )
  })

  it('as types at random', () => {
    const type: fc.Arbitrary<MadeType> = fc.record({
      kind: fc.integer({ min: 1, max: 19 }),
      name: fc.constantFrom('', 'a', 'b', 'int', '__proto__'),
      vlen: fc.nat(3),
      flag: fc.boolean(),
      third: fc.oneof(fc.nat(12), fc.nat()),
      tail: fc.array(fc.oneof(fc.nat(12), fc.nat(), fc.constantFrom('', 'a', 'x')), {
        minLength: 9,
        maxLength: 9,
      }),
    })
    // As many words behind each type as its kind has.
    const words: Readonly<Record<number, [tail: number, each: number]>> = {
      1: [1, 0],
      3: [3, 0],
      4: [0, 3],
      5: [0, 3],
      6: [0, 2],
      13: [0, 2],
      14: [1, 0],
      15: [0, 3],
      17: [1, 0],
      19: [0, 3],
    }
    const fit = (made: MadeType): MadeType => {
      const [tail, each] = words[made.kind] ?? [0, 0]
      return { ...made, tail: made.tail!.slice(0, tail + each * made.vlen!) }
    }
    fc.assert(
      fc.property(fc.array(type, { maxLength: 12 }), fc.boolean(), (types, little) => {
        const bytes = makeBtf(types.map(fit), { little })
        expect(parseBtf(bytes).endId).toBe(types.length + 1)
        law(bytes)
      }),
      { numRuns: 1000 },
    )
  })

  it.each(files)('cut off anywhere: $name', ({ btf, ext }) => {
    const whole = parseBtf(btf)
    for (let end = 0; end < btf.length; end += 13) law(btf.subarray(0, end))
    for (let end = 0; end < (ext?.length ?? 0); end += 3) {
      attempt(() => parseBtfExt(ext!.subarray(0, end), whole))
    }
  })

  it.each(files)('damaged: $name', ({ btf, ext }) => {
    const whole = parseBtf(btf)
    // A copy's damage is in few types; three copies together are asked for all of them.
    let first = 0
    for (const { bytes } of mutations(btf, 1, 300)) law(bytes, first++ % 3, 3)
    for (const { bytes } of mutations(ext ?? new Uint8Array(), 2, 1000)) {
      attempt(() => parseBtfExt(bytes, whole))
    }
  })
})
