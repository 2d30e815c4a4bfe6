import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'

/** An ordinary user: root may write everywhere. */
const asUser = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

describe.skipIf(process.platform === 'win32')('tools/ensure.mjs', () => {
  const root = mkdtempSync(join(tmpdir(), 'tsbpf-ensure-'))
  afterEach(() => {
    chmodSync(root, 0o755)
    rmSync(root, { recursive: true })
  })

  it('says that a folder of somebody else cannot be installed into', () => {
    mkdirSync(join(root, 'tools'))
    copyFileSync(join(import.meta.dirname, 'ensure.mjs'), join(root, 'tools/ensure.mjs'))
    writeFileSync(join(root, 'package-lock.json'), '{}')
    chmodSync(root, 0o555)
    const env = { npm_execpath: 'npm-must-not-be-run' }
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'tools/ensure.mjs')], {
      env,
      encoding: 'utf8',
      ...asUser,
    })
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^error: .* cannot be written: EACCES\nhint: .*\n$/),
    })
  })
})
