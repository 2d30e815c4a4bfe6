import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseElf } from '@tsbpf/elf'
import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeObject, linkSubprograms, parseObject } from '../../src/index.ts'
import type { ObjectSpec } from '../../src/index.ts'

/** Maps of a section `maps` are declared in BTF when they are written: the types that it had stay, and more follow. */
const isLegacy = (path: string): boolean => parseElf(readFileSync(path)).section('maps') !== undefined

/** gcc writes distances of calls that libbpf does not understand; ours are clang's, and libbpf takes them. */
const isGcc = (path: string): boolean => basename(path).startsWith('gcc.')

/** Instructions of programs with all that they call, without what is symbolic. */
const linked = (spec: ObjectSpec): unknown =>
  spec.programs.map((program) => Buffer.from(linkSubprograms(spec, program).insns).toString('hex'))

/** A spec as plain data, BTF by its bytes, in which every string and id has its place. */
function plain(spec: ObjectSpec): unknown {
  return { ...spec, btf: spec.btf === undefined ? undefined : Buffer.from(spec.btf.bytes).toString('hex') }
}

function specOf(path: string): ObjectSpec | undefined {
  try {
    return parseObject(readFileSync(path), { name: basename(path), partial: true })
  } catch {
    // Some objects are meant to be refused; that is not the subject here.
    return undefined
  }
}

const corpus = corpusDir()
const objectsIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.o$|-e[lb]\.elf$/.test(name))
    .map((name) => join(folder, name))
const own = ['object', 'core-reloc', 'loader']
  .map((name) => join(import.meta.dirname, '../../..', name, 'test'))
  .flatMap(objectsIn)
const others = corpus === undefined ? [] : objectsIn(join(corpus, 'cilium-ebpf'))

const oracles = process.env['TSBPF_ORACLES']
const title = `is the same to libbpf${(oracles ?? '') === '' ? ' [not run: TSBPF_ORACLES is not set]' : ''}`

function judge(paths: readonly string[]): void {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbpf-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const cases = paths.flatMap((path) => {
    const spec = specOf(path)
    return spec === undefined ? [] : [{ path, name: basename(path), spec }]
  })

  it('are enough', () => {
    expect(cases.length).toBeGreaterThan(paths.length / 2)
  })

  describe.each(cases)('$name', ({ path, name, spec }) => {
    it('gives its spec again, and itself', () => {
      const bytes = encodeObject(spec)
      const again = parseObject(bytes, { name, partial: true })
      if (isGcc(path)) expect(linked(again)).toEqual(linked(spec))
      else if (isLegacy(path)) expect({ ...again, btf: undefined }).toEqual({ ...spec, btf: undefined })
      else expect(plain(again)).toEqual(plain(spec))
      expect(encodeObject(again)).toEqual(bytes)
    })

    // libbpf opens only objects of its host's byte order.
    if (spec.byteOrder === 'big') return
    it.skipIf((oracles ?? '') === '' && process.env['CI'] !== 'true')(title, () => {
      const written = join(folder, name)
      writeFileSync(written, encodeObject(spec))
      const open = (file: string): unknown => {
        const said = execFileSync(join(oracles ?? '', 'bin/libbpf-open'), [file], { encoding: 'utf8' })
        return JSON.parse(said.replaceAll(file, 'FILE'))
      }
      if (isGcc(path)) expect(open(path)).toHaveProperty('linkError', -4005)
      else if (isLegacy(path)) expect(open(path)).toMatchObject({ reason: expect.stringMatching('legacy') as string })
      else expect(open(written)).toEqual(open(path))
    })
  })
}

describe('an object of ours, encoded', () => judge(own))
describe.skipIf(corpus === undefined)(
  `an object of others, encoded${corpus === undefined ? ` [not run: ${corpusMissing}]` : ''}`,
  () => judge(others),
)
