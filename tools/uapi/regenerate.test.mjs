import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { formatFacts, putFiles } from './fact-file.mjs'
const tool = (name, ...args) =>
  spawnSync(process.execPath, [join(import.meta.dirname, name), ...args], { encoding: 'utf8' })
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-uapi-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
/** Why extraction cannot run here; it is slow, so that it runs only where it is asked for by the first variable. */
const notRun =
  process.env['TSBPF_LINUX_SOURCE'] === undefined
    ? 'TSBPF_LINUX_SOURCE is not set'
    : process.env['TSBPF_BTF_618'] === undefined && !release().startsWith('6.18.')
      ? 'TSBPF_BTF_618 is not set and the running kernel is not 6.18'
      : spawnSync('bpftool', ['version']).error !== undefined
        ? 'bpftool is missing'
        : undefined
describe('the generated sources', () => {
  it('are what the fact files make', () => {
    const { status, stderr } = tool('generate.mjs', '--check')
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })
})
describe('the fact files', () => {
  const title = notRun === undefined ? '' : ` [not run: ${notRun}]`
  it.skipIf(notRun !== undefined)(`are what the inputs say${title}`, { timeout: 120_000 }, () => {
    const { status, stderr } = tool('extract.mjs', '--check')
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })
  it('name their inputs, and hold rows only', () => {
    for (const name of ['bpf', 'linux', 'layouts', 'helpers', 'sections']) {
      const text = readFileSync(join(import.meta.dirname, `../../packages/uapi/facts/${name}.json`), 'utf8')
      const facts = JSON.parse(text)
      expect(facts.inputs.source).toEqual({
        package: expect.stringMatching(/^linux-source-6\.12 \d/),
        kernel: expect.stringMatching(/^6\.12\.\d+$/),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      })
      if (name !== 'sections') {
        expect(facts.inputs.btf).toEqual({
          kernel: expect.stringMatching(/^6\.18\.\d+$/),
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        })
      }
      expect(`${formatFacts(facts)}\n`).toBe(text)
    }
  })
})
describe('missing inputs', () => {
  it('are all named, with how to get them', () => {
    const { status, stderr } = tool(
      'extract.mjs',
      '--check',
      '--source',
      '/missing/a.tar.xz',
      '--btf',
      '/missing/b',
    )
    expect(status).toBe(1)
    expect(stderr).toContain('/missing/a.tar.xz is missing')
    expect(stderr).toContain('apt-get install linux-source-6.12')
    expect(stderr).toContain('/missing/b is missing')
  })
})
describe('putFiles', () => {
  it('writes what differs, and with check only tells', () => {
    const [same, other, fresh] = ['same', 'other', 'fresh'].map((name) => join(folder, name))
    writeFileSync(same, 'text')
    writeFileSync(other, 'before')
    const files = [
      [same, 'text'],
      [other, 'after'],
      [fresh, 'new'],
    ]
    expect(putFiles(files, { check: true })).toHaveLength(2)
    expect(readFileSync(other, 'utf8')).toBe('before')
    expect(putFiles(files, { check: false })).toHaveLength(2)
    expect(readFileSync(other, 'utf8')).toBe('after')
    expect(readFileSync(fresh, 'utf8')).toBe('new')
    expect(putFiles(files, { check: true })).toEqual([])
  })
})
