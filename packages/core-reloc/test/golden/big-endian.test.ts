import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parseBtf, swapBtf } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import { swapInsns } from '@tsbpf/isa'
import { parseObject } from '@tsbpf/object'
import type { FunctionSpec, ObjectSpec } from '@tsbpf/object'
import { describe, expect, it } from 'vitest'
import { relocate } from '../../src/index.ts'

const here = import.meta.dirname
const read = (path: string): Uint8Array => readFileSync(join(here, path))
const swapped = (btf: Btf): Btf => parseBtf(swapBtf(btf.bytes))

/** The same object in the other byte order. */
function twinOf(spec: ObjectSpec): ObjectSpec {
  if (spec.btf === undefined) throw new TypeError('an object without BTF')
  const twin = <F extends FunctionSpec>(fn: F): F => ({ ...fn, insns: swapInsns(fn.insns) })
  return {
    ...spec,
    byteOrder: 'big',
    btf: swapped(spec.btf),
    programs: spec.programs.map(twin),
    subprograms: spec.subprograms.map(twin),
  }
}

const folder = process.env['TSBPF_BTF']
const targets: [string, () => Btf][] = [
  ...['moved', 'flavours', 'pruning'].map((name): [string, () => Btf] => [
    name,
    () => parseBtf(read(`bpf/target-${name}.btf`)),
  ]),
  ['vmlinux-6.12', () => parseBtf(gunzipSync(read('../../../testkit/btf/vmlinux-6.12-debian-amd64.btf.gz')))],
  ...(folder === undefined || folder === '' ? [] : readdirSync(folder))
    .filter((name) => name.endsWith('.btf.gz'))
    .map((name): [string, () => Btf] => [name, () => parseBtf(gunzipSync(readFileSync(join(folder ?? '', name))))]),
]

describe.each(targets)('relocated to %s', (_, open) => {
  const target = open()

  it.each(['local', 'kernel', 'pruning'])('%s of big endian is what its twin of little endian is', (name) => {
    const spec = parseObject(read(`bpf/${name}.bpf.o`))
    const decisions = (object: ObjectSpec, btf: Btf) =>
      relocate(object, { targets: [{ name: 'vmlinux', btf }] }).results.map((result) => [
        result.program,
        result.insn,
        result.kind,
        result.accessText,
        result.status,
        // The shift to the left counts from the other end: see the values by hand in match.test.ts.
        result.kind === 'lshift_u64' ? undefined : [result.newValue, result.memSize?.to],
        result.error?.code,
      ])
    const little = decisions(spec, target)
    expect(little.length).toBeGreaterThan(5)
    expect(decisions(twinOf(spec), swapped(target))).toEqual(little)
  })
})
