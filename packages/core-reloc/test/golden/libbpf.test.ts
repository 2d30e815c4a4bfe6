import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Btf } from '@tsbpf/btf'
import { parseBtf } from '@tsbpf/btf'
import type { ObjectSpec } from '@tsbpf/object'
import { parseObject } from '@tsbpf/object'
import { describe, expect, it } from 'vitest'
import { relocate } from '../../src/index.ts'
import { loggedRow, rowOf } from '../log-row.ts'
import type { LogRow } from './parse-log.mjs'

interface Golden {
  readonly object: string
  readonly target: string
  readonly each: readonly LogRow[]
  readonly all: readonly LogRow[]
}

const here = import.meta.dirname
const read = (path: string): Buffer => readFileSync(join(here, path))
const objects = new Map<string, ObjectSpec>()
function object(name: string): ObjectSpec {
  let spec = objects.get(name)
  if (spec === undefined) objects.set(name, (spec = parseObject(read(`bpf/${name}.bpf.o`))))
  return spec
}

let kernel: Btf | undefined
function target(name: string): Btf {
  if (name.startsWith('vmlinux')) {
    return (kernel ??= parseBtf(gunzipSync(read(`../../../testkit/btf/${name}.btf.gz`))))
  }
  const own = name.startsWith('target') ? parseBtf(read(`bpf/${name}.btf`)) : object(name).btf
  if (own === undefined) throw new TypeError(`${name} has no BTF`)
  return own
}

describe.each([
  'local-on-target-moved',
  'local-on-target-flavours',
  'local-on-local',
  'pruning-on-target-pruning',
  'kernel-on-kernel',
  'kernel-on-vmlinux-6.12-debian-amd64',
])('%s', (name) => {
  const golden = JSON.parse(read(`libbpf/${name}.json`).toString()) as Golden
  const spec = object(golden.object)
  const targets = [{ name: 'vmlinux', btf: target(golden.target) }]

  it('decides each program alone as libbpf does', () => {
    const subprograms = new Set(spec.subprograms.map((fn) => fn.name))
    const seen = new Set<string>()
    const ours = spec.programs.flatMap((program) => {
      const { results } = relocate(spec, {
        targets,
        include: (fn) => fn === program || subprograms.has(fn.name),
      })
      // libbpf ends at the first failure.
      const failed = results.findIndex(({ status }) => status === 'failed')
      return results.slice(0, failed < 0 ? undefined : failed + 1).filter((result) => {
        const key = `${result.program} ${result.insn} ${result.kind} ${result.access}`
        return !subprograms.has(result.program) || (!seen.has(key) && seen.add(key))
      })
    })
    expect(ours.length).toBe(golden.each.length)
    expect(ours.map((result, i) => rowOf(result, golden.each[i]!))).toEqual(golden.each.map(loggedRow))
  })

  it('decides the whole object in the same order, up to the failure at which libbpf stops', () => {
    const { results } = relocate(spec, { targets })
    const until = results.slice(0, golden.all.length)
    expect(until.map((result, i) => rowOf(result, golden.all[i]!))).toEqual(golden.all.map(loggedRow))
  })
})
