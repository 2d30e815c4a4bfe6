import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dedupBtf, formatType } from '@tsbpf/btf'
import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { encodeObject, linkObjects, linkSubprograms, parseObject } from '../../src/index.ts'
import type { FunctionSpec, MapSpec, ObjectSpec } from '../../src/index.ts'
import { initialOfSpec, linkAsLibbpf } from './libbpf.ts'

const folder = join(import.meta.dirname, 'link')
const { order } = JSON.parse(readFileSync(join(folder, 'linked.json'), 'utf8')) as { order: readonly string[] }
const name = 'linked.bpf.o'
const read = (file: string): Uint8Array => readFileSync(join(folder, file))
const specs = (names: readonly string[], byteOrder = 'el'): readonly ObjectSpec[] =>
  names.map((one) => parseObject(read(`${one}.clang-19.${byteOrder}.o`), { name: `${one}.o`, partial: true }))
const link = (names: readonly string[], byteOrder?: string): ObjectSpec =>
  linkObjects(specs(names, byteOrder), { name, labels: names })
const theirs = parseObject(read('linked.bpftool.o'), { name })

/** Types by their text: ids depend on the order in which sections are described. */
function mapView(spec: ObjectSpec, map: MapSpec): unknown {
  const type = (id: MapSpec['keyType']): unknown =>
    id === undefined || spec.btf === undefined ? undefined : formatType(spec.btf, id)
  const inner = map.inner === undefined ? undefined : mapView(spec, map.inner)
  const { data, keyType, valueType, ...rest } = map
  return { ...rest, inner, section: data?.section, key: type(keyType), value: type(valueType) }
}

/** Source lines and CO-RE relocations of a function; names of static ones may be numbered otherwise. */
function infoView(spec: ObjectSpec, { coreRelocations, lineInfo, btfFunc, hidden }: FunctionSpec): unknown {
  const { btf } = spec
  return {
    hidden,
    func: btf === undefined || btfFunc === undefined ? undefined : btf.nameOf(btfFunc),
    lines: lineInfo.map(({ insn, file, line, column, text }) => [insn, file, line, column, text]),
    core: coreRelocations.map(({ type, ...row }) => ({ ...row, type: btf?.nameOf(type) })),
  }
}

function view(spec: ObjectSpec): unknown {
  const { btf } = spec
  const typed = (rows: ObjectSpec['variables']): unknown =>
    rows.map(({ type, ...row }) => [row, type === undefined || btf === undefined ? 0 : formatType(btf, type)])
  return {
    license: spec.license,
    programs: spec.programs.map((program) => ({
      name: program.name,
      section: program.section,
      insns: linkAsLibbpf(spec, program),
      functions: linkSubprograms(spec, program).functions.map(({ btfFunc }) => btf?.nameOf(btfFunc ?? 0)),
    })),
    info: [...spec.programs, ...spec.subprograms].map((fn) => infoView(spec, fn)),
    maps: spec.maps.map((map) => mapView(spec, map)),
    initial: initialOfSpec(spec),
    variables: typed(spec.variables),
    hidden: typed(spec.hiddenVariables ?? []),
    externs: spec.externs.map(({ type, ...row }) => [row, btf === undefined || type === undefined ? 0 : btf.kind(type)]),
  }
}

describe('objects, linked', () => {
  it('are what bpftool links them to', () => {
    expect(view(link(order))).toEqual(view(theirs))
  })

  it('are bound as they define themselves: to bpftool a strong reference makes a weak definition strong', () => {
    const bindings = (spec: ObjectSpec) =>
      Object.fromEntries([...spec.programs, ...spec.subprograms].map((fn) => [fn.name, fn.binding]))
    expect(bindings(theirs)).toMatchObject({ extra_walk: 'global', scale: 'local', lib_add: 'global' })
    expect(bindings(link(order))).toEqual({ ...bindings(theirs), extra_walk: 'weak' })
  })

  it('have no type twice, and no more types than bpftool finds', () => {
    const { btf } = link(order)
    expect(dedupBtf(btf!).btf.endId).toBe(btf!.endId)
    expect(btf!.endId).toBeLessThanOrEqual(theirs.btf!.endId)
  })

  it('keep static functions of one name apart, and both static variables', () => {
    const linked = link(order)
    expect(linked.subprograms.map((fn) => fn.name).filter((one) => one.startsWith('scale'))).toEqual([
      'scale',
      'scale.1',
      'scale.2',
      'scale.3',
    ])
    expect(linked.btf?.idsByName('quiet', 'var').length).toBe(2)
  })

  it('are an object that is written and read back the same', () => {
    const linked = link(order)
    const bytes = encodeObject(linked)
    const again = parseObject(bytes, { name })
    expect({ ...again, btf: again.btf?.bytes }).toEqual({ ...linked, btf: linked.btf?.bytes })
    expect(encodeObject(again)).toEqual(bytes)
  })

  it('are the same in big endian', () => {
    const shape = (spec: ObjectSpec): unknown => ({
      programs: spec.programs.map((program) => [program.name, linkSubprograms(spec, program).functions]),
      maps: spec.maps.map((map) => mapView(spec, map)),
      variables: [spec.variables, spec.hiddenVariables],
      externs: spec.externs,
    })
    const big = link(order, 'eb')
    expect(big.byteOrder).toBe('big')
    expect(shape(big)).toEqual(shape(link(order)))
    // Instructions that have nothing of data in them: the same once they are turned round.
    expect(big.programs.map((one) => linkAsLibbpf(big, one))).toEqual(
      link(order).programs.map((one) => linkAsLibbpf(link(order), one)),
    )
  })

  it('can be linked in steps: what is not yet defined stays an extern', () => {
    const some = link(order.filter((one) => one !== 'lib'))
    const open = some.externs.filter(({ kind }) => kind === 'global').map((one) => one.name)
    expect(open.sort()).toEqual(['lib_count', 'lib_hidden', 'lib_limit', 'lib_secret', 'lib_table', 'lib_task', 'shared_map'])
    expect(() => parseObject(encodeObject(some))).toThrow(expect.objectContaining({ code: 'OBJECT_EXTERN' }))
    const stepped = linkObjects([specs(['lib'])[0]!, some], { name })
    expect(stepped.programs.map((one) => linkAsLibbpf(stepped, one))).toEqual(
      link(order).programs.map((one) => linkAsLibbpf(link(order), one)),
    )
  })

  it('resolve weak definitions before and after strong ones', () => {
    const places = (names: readonly string[]) => {
      const spec = link(names)
      const value = spec.variables.find((one) => one.name === 'either_value')
      const data = spec.maps.find((map) => map.name === '.data')?.data?.bytes ?? new Uint8Array(0)
      const at = new DataView(data.buffer, data.byteOffset)
      const { lineInfo } = spec.subprograms.find((fn) => fn.name === 'either')!
      return [at.getUint32(value?.offset ?? 0, true), lineInfo[0]?.file, spec.maps.find((map) => map.name === 'both_map')?.weak]
    }
    const strong = [2, './lib.bpf.c', undefined]
    expect(places(order)).toEqual(strong)
    expect(places(['main', 'extra', 'lib'])).toEqual(strong)
    const alone = linkObjects([specs(['extra'])[0]!, specs(['extra'])[0]!].map((one) => ({ ...one, maps: [] , externs: one.externs })))
    expect(alone.subprograms.find((fn) => fn.name === 'extra_walk')?.binding).toBe('weak')
  })

  it('is what it was when it is one', () => {
    const [lib] = specs(['lib'])
    const alone = linkObjects([lib!], { name: 'lib.o' })
    const { btf: _, ...rest } = alone
    expect(view({ ...rest, btf: alone.btf })).toEqual(view(lib!))
  })
})

const oracles = process.env['TSBPF_ORACLES'] ?? ''
const title = oracles === '' ? ' [not run: TSBPF_ORACLES is not set]' : ''
describe.skipIf(oracles === '' && process.env['CI'] !== 'true')(`libbpf opens what is linked${title}`, () => {
  const open = (bytes: Uint8Array) => {
    const dir = mkdtempSync(join(tmpdir(), 'tsbpf-'))
    try {
      writeFileSync(join(dir, name), bytes)
      const said = execFileSync(join(oracles, 'bin/libbpf-open'), [join(dir, name)], { encoding: 'utf8' })
      return JSON.parse(said) as { maps: object[]; error?: number; appended: object[] }
    } finally {
      rmSync(dir, { recursive: true })
    }
  }
  /** Ids of types are as the linker chose. */
  const masked = (said: ReturnType<typeof open>): unknown => ({
    ...said,
    maps: said.maps.map((map) => ({ ...map, keyType: 0, valueType: 0 })),
  })

  it('as what bpftool links', () => {
    expect(masked(open(encodeObject(link(order))))).toEqual(masked(open(read('linked.bpftool.o'))))
  })

  it.each([
    [['main', 'lib', 'extra'], 'places a map where it is only declared'],
    [['main', 'extra', 'lib'], 'sees two definitions, one of them weak'],
  ])('in the order %s too, where its own linker %s', (names) => {
    expect(open(encodeObject(link(names))).error).toBeUndefined()
    const dir = mkdtempSync(join(tmpdir(), 'tsbpf-'))
    try {
      const out = join(dir, name)
      const files = names.map((one) => join(folder, `${one}.clang-19.el.o`))
      const { status } = spawnSync(join(oracles, 'bin/bpftool'), ['gen', 'object', out, ...files])
      expect(status !== 0 || open(readFileSync(out)).error !== undefined).toBe(true)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})

const corpus = corpusDir()
describe.skipIf(corpus === undefined)(
  `objects of others${corpus === undefined ? ` [not run: ${corpusMissing}]` : ''}`,
  () => {
    it('are what their makers linked them to', () => {
      const open = (file: string): ObjectSpec =>
        parseObject(readFileSync(join(corpus ?? '', 'cilium-ebpf/testdata', file)), { partial: true })
      // Their legacy maps are declared in .maps, behind those of the first object.
      const shape = (spec: ObjectSpec): unknown => ({
        programs: spec.programs.map((program) => {
          const { insns, relocations } = linkSubprograms(spec, program)
          return [program.name, program.section, Buffer.from(insns).toString('hex'), relocations]
        }),
        maps: spec.maps
          .map((map) => [map.name, map.type, map.keySize, map.valueSize, map.maxEntries, map.flags])
          .sort(),
        variables: spec.variables.map((one) => [one.name, one.section, one.offset, one.size]),
        externs: spec.externs.map((one) => [one.name, one.kind, one.weak]),
      })
      const ours = linkObjects([open('linked1-el.elf'), open('linked2-el.elf')])
      expect(shape(ours)).toEqual(shape(open('linked-el.elf')))
    })
  },
)
