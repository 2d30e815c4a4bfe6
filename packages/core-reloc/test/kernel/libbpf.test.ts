import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseBtf } from '@tsbpf/btf'
import { parseObject } from '@tsbpf/object'
import { corpusDir, requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { minCoreBtf, relocate } from '../../src/index.ts'
import { parseLog } from '../golden/parse-log.mjs'
import { loggedRow, rowOf } from '../log-row.ts'

const vmlinux = '/sys/kernel/btf/vmlinux'
const oracles = process.env['TSBPF_ORACLES']
const libbpf = join(oracles ?? '', 'bin/libbpf-core')
const kernel = existsSync(vmlinux) ? parseBtf(readFileSync(vmlinux), { name: 'vmlinux' }) : undefined

const own = join(import.meta.dirname, '../golden/bpf')
const corpus = corpusDir()
const folders = [
  own,
  ...(corpus === undefined
    ? []
    : ['testdata', 'btf/testdata'].map((name) => join(corpus, 'cilium-ebpf', name))),
]
/** Little-endian objects: libbpf 1.5 opens no others. */
const objects = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.bpf\.o$|-el\.elf$/.test(name))
    .map((name) => join(folder, name)),
)

function coreObject(path: string) {
  try {
    const spec = parseObject(readFileSync(path))
    const functions = [...spec.programs, ...spec.subprograms]
    return functions.some(({ coreRelocations }) => coreRelocations.length > 0) ? spec : undefined
  } catch {
    // Some of the corpus are meant to be refused; that is not the subject here.
    return undefined
  }
}

const live = requires({ missing: kernel === undefined, reason: 'relocates to the running kernel, whose BTF' })
describe.skipIf(live.skip)(live.title('on the running kernel'), () => {
  it('no relocation of kernel.bpf.o fails, and what no kernel has is poisoned or absent', () => {
    const spec = parseObject(readFileSync(join(own, 'kernel.bpf.o')))
    const { results } = relocate(spec, { targets: [{ name: 'vmlinux', btf: kernel! }] })
    expect(results.filter(({ status }) => status === 'failed')).toEqual([])
    const status = (program: string) => results.filter((result) => result.program === program)
    expect(status('gone_struct')).toMatchObject([{ status: 'poisoned' }])
    expect(status('exists_unknown')).toMatchObject([{ status: 'resolved', newValue: 0n }])
    expect(status('task_direct').every((result) => result.status === 'resolved')).toBe(true)
  })

  const gate = requires({
    root: true,
    missing: oracles === undefined,
    reason: 'asks libbpf (TSBPF_ORACLES, see tools/oracles)',
  })
  it.skipIf(gate.skip)(gate.title('every relocation is what libbpf makes it'), { timeout: 120_000 }, () => {
    let compared = 0
    for (const path of objects) {
      const spec = coreObject(path)
      if (spec === undefined) continue
      const { status, stdout } = spawnSync(libbpf, [path, vmlinux], { encoding: 'utf8', maxBuffer: 1 << 28 })
      expect(status, path).toBe(0)
      const { rows } = parseLog(stdout)
      const { results } = relocate(spec, { targets: [{ name: 'vmlinux', btf: kernel! }] })
      // libbpf ends at the first failure, and leaves out what is not loaded.
      const ours = results.slice(0, rows.length)
      expect(
        ours.map((result, i) => rowOf(result, rows[i]!)),
        path,
      ).toEqual(rows.map(loggedRow))
      compared += rows.length
    }
    expect(compared).toBeGreaterThan(200)
  })
  it.skipIf(gate.skip)(
    gate.title('libbpf relocates to a minimal BTF as to the whole'),
    { timeout: 120_000 },
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'tsbpf-min-core-'))
      try {
        const min = join(folder, 'min.btf')
        const logged = (path: string, btf: string) => {
          const { status, stdout } = spawnSync(libbpf, [path, btf], { encoding: 'utf8', maxBuffer: 1 << 28 })
          expect(status, path).toBe(0)
          // Ids of types, and a member's index, are others in another BTF.
          return parseLog(stdout).rows.map(({ fits, ...row }) => ({
            ...row,
            new: row.kind === 'target_type_id' ? row.new !== '0' : row.new,
            fits: fits.slice(0, 1).map((fit) => fit.replace(/^\[\d+] /, '').replace(/\([\d:]+ @/, '(@')),
          }))
        }
        let compared = 0
        for (const path of objects) {
          const spec = coreObject(path)
          if (spec === undefined) continue
          writeFileSync(min, minCoreBtf([spec], kernel!, { onFailure: 'collect' }))
          const expected = logged(path, vmlinux)
          expect(logged(path, min), path).toEqual(expected)
          compared += expected.length
        }
        expect(compared).toBeGreaterThan(200)
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )
})
