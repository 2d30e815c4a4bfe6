import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { debianObjectsDir, debianObjectsMissing } from '@tsbpf/testkit'
import { afterAll, describe, expect, it } from 'vitest'
import { parseObject } from '../../src/index.ts'
import { embeddedObjects } from './embedded-objects.ts'
import { initialOfLibbpf, initialOfSpec, linkAsLibbpf, maskExterns, viewOfLibbpf, viewOfSpec } from './libbpf.ts'
import type { LibbpfView } from './libbpf.ts'
import { expectRefusal } from './outcome.ts'

const folder = debianObjectsDir()
const oracles = process.env['TSBPF_ORACLES']
const missing = [
  ...(folder === undefined ? [debianObjectsMissing] : []),
  ...(oracles === undefined || oracles === '' ? ['TSBPF_ORACLES is not set'] : []),
].join(', ')
const objects = missing === '' && folder !== undefined ? embeddedObjects(folder) : []

describe.skipIf(missing !== '')(`objects of Debian's packages${missing === '' ? '' : ` (not run: ${missing})`}`, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'tsbpf-debian-'))
  afterAll(() => {
    rmSync(scratch, { recursive: true })
  })

  it('are there', () => {
    // 15 of libxdp1, those inside the tools of xdp-tools, and 14 inside the modules of pcp.
    expect(objects.length).toBeGreaterThan(30)
  })

  it.each(objects.map(({ name, bytes }) => [name, bytes] as const))('%s', (name, bytes) => {
    const path = join(scratch, 'object.o')
    writeFileSync(path, bytes)
    const asked = spawnSync(join(oracles ?? '', 'bin/libbpf-open'), [path], { encoding: 'utf8' })
    expect(asked.status, asked.stderr).toBe(0)
    const view = JSON.parse(asked.stdout) as LibbpfView
    if (view.error !== undefined) {
      expectRefusal(bytes, name, view.reason ?? '')
      return
    }
    const spec = parseObject(bytes, { name: path })
    expect(viewOfSpec(spec)).toEqual(viewOfLibbpf(view))
    expect(initialOfSpec(spec)).toEqual(initialOfLibbpf(view))
    for (const { name: called, insns } of view.linked) {
      const program = spec.programs.find((one) => one.name === called)
      expect(program && linkAsLibbpf(spec, program), called).toBe(program && maskExterns(spec, program, insns))
    }
  })
})
