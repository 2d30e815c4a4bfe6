import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { linkSubprograms, parseObject } from '../../src/index.ts'
import { initialOfLibbpf, initialOfSpec, linkAsLibbpf, maskExterns, viewOfLibbpf, viewOfSpec } from './libbpf.ts'
import type { LibbpfView } from './libbpf.ts'
import { expectRefusal } from './outcome.ts'

const read = (name: string): Buffer => readFileSync(join(import.meta.dirname, name))
const recorded = JSON.parse(read('objects.json').toString()) as {
  objects: Record<string, { libbpf: string }>
}

describe.each(Object.entries(recorded.objects))('%s', (name, { libbpf }) => {
  const view = JSON.parse(read(libbpf).toString()) as LibbpfView
  const parse = () => parseObject(read(name), { name })

  if (view.error !== undefined) {
    it(`comes out as the table of refusals says; libbpf: ${view.reason}`, () => {
      expectRefusal(read(name), name, view.reason ?? '')
    })
    return
  }

  it('has the programs and maps that libbpf finds', () => {
    expect(viewOfSpec(parse())).toEqual(viewOfLibbpf(view))
  })

  // The twin of the other byte order has other bytes.
  if (!name.includes('.eb.')) {
    it('has the initial data that libbpf finds', () => {
      expect(initialOfSpec(parse())).toEqual(initialOfLibbpf(view))
    })
  }

  // libbpf links some objects only with a kernel at hand.
  if (view.linked.length === 0) return
  it('links programs into the instructions that libbpf makes', () => {
    const spec = parse()
    const ours = spec.programs
      .filter((program) => program.autoload)
      .map((program) => ({ name: program.name, insns: linkAsLibbpf(spec, program) }))
    const theirs = view.linked.map(({ name: called, insns }) => {
      const program = spec.programs.find((one) => one.name === called)
      return { name: called, insns: program === undefined ? '' : maskExterns(spec, program, insns) }
    })
    expect(ours).toEqual(theirs)
    const appended = spec.programs
      .filter((program) => program.autoload)
      .flatMap((program) => linkSubprograms(spec, program).functions.slice(1).map((fn) => [program.name, fn.name]))
    expect(appended).toEqual(view.appended.map((one) => [one.program, one.name]))
  })
})

it('knows an oracle that refuses only what is named here', () => {
  const refused = Object.entries(recorded.objects)
    .filter(([, { libbpf }]) => (JSON.parse(read(libbpf).toString()) as LibbpfView).error !== undefined)
    .map(([name]) => name.slice(0, name.indexOf('.')))
  expect([...new Set(refused)].sort()).toEqual(['in-section', 'jump-table', 'legacy'])
})
