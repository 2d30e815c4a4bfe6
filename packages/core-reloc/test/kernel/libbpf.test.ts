import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
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
      const { status, stdout, stderr } = spawnSync(libbpf, [path, vmlinux], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      })
      // Not judged: we open maps of before BTF, libbpf does not.
      if (stderr.includes('cannot be opened by libbpf')) continue
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
  const folder = process.env['TSBPF_BTF']
  const kernels = requires({
    root: true,
    missing: oracles === undefined || folder === undefined,
    reason: 'asks libbpf about several kernels (TSBPF_ORACLES, TSBPF_BTF)',
  })
  it.skipIf(kernels.skip).each(['clang-14', 'clang-19', 'clang-22'])(
    kernels.title('compiled by %s, every relocation is what libbpf makes it, on each kernel'),
    { timeout: 120_000 },
    (clang) => {
      const scratch = mkdtempSync(join(tmpdir(), 'tsbpf-core-'))
      try {
        const compiled = ['local', 'kernel', 'pruning'].map((name) => {
          const out = join(scratch, `${name}.o`)
          // clang 14 knows no type_matches: it is asked whether the type exists instead.
          const only14 = '-D__builtin_preserve_type_info(x,f)=__builtin_preserve_type_info(x,(f)&1)'
          const older = clang === 'clang-14' ? [only14] : []
          const flags = [
            ...older,
            '-target',
            'bpf',
            '-mcpu=v3',
            '-O2',
            '-g',
            '-c',
            `${name}.bpf.c`,
            '-o',
            out,
          ]
          const { status, stderr } = spawnSync(clang, flags, { cwd: own, encoding: 'utf8' })
          expect(status, stderr).toBe(0)
          return { path: out, spec: parseObject(readFileSync(out)) }
        })
        const files = readdirSync(folder ?? '').filter((name) => name.endsWith('.btf.gz'))
        const targets = [
          { path: vmlinux, bytes: new Uint8Array(readFileSync(vmlinux)) },
          ...files.map((name) => {
            const path = join(scratch, name.replace(/\.gz$/, ''))
            const bytes = gunzipSync(readFileSync(join(folder ?? '', name)))
            writeFileSync(path, bytes)
            return { path, bytes }
          }),
        ]
        let compared = 0
        for (const target of targets) {
          const btf = parseBtf(target.bytes)
          for (const { path, spec } of compiled) {
            const asked = spawnSync(libbpf, [path, target.path], { encoding: 'utf8', maxBuffer: 1 << 28 })
            expect(asked.status, path).toBe(0)
            const { rows } = parseLog(asked.stdout)
            const { results } = relocate(spec, { targets: [{ name: 'vmlinux', btf }] })
            // A run that libbpf ends before it relocates is not judged; it ends at the first failure.
            const ours = results.slice(0, rows.length)
            expect(
              ours.map((result, i) => rowOf(result, rows[i]!)),
              `${path} on ${target.path}`,
            ).toEqual(rows.map(loggedRow))
            compared += rows.length
          }
        }
        expect(compared).toBeGreaterThan(200)
      } finally {
        rmSync(scratch, { recursive: true })
      }
    },
  )
  it.skipIf(gate.skip)(
    gate.title('libbpf relocates to a minimal BTF as to the whole'),
    { timeout: 120_000 },
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'tsbpf-min-core-'))
      try {
        const min = join(folder, 'min.btf')
        const logged = (path: string, btf: string) => {
          const { stdout } = spawnSync(libbpf, [path, btf], { encoding: 'utf8', maxBuffer: 1 << 28 })
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
