import { isTsbpfError, UnsupportedError } from '@tsbpf/base'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { loadAddon } from './addon.ts'
import * as native from './index.ts'
import * as unavailable from './unavailable.ts'

describe('where there is no door', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.unstubAllEnvs()
  })

  it('has the same exports, which throw', () => {
    expect(Object.keys(unavailable).sort()).toEqual(Object.keys(native).sort())
    expect(() => unavailable.nativeSys()).toThrow(UnsupportedError)
  })

  it.each([
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['linux', 'riscv64'],
  ])('says platform, architecture and remedy on %s-%s', (platform, arch) => {
    vi.stubEnv('TSBPF_NATIVE', '')
    vi.stubGlobal('process', { ...process, platform, arch, env: process.env, versions: process.versions })
    try {
      loadAddon()
      expect.unreachable()
    } catch (error) {
      expect(isTsbpfError(error, 'SYS_UNSUPPORTED_PLATFORM')).toBe(true)
      expect(error).toMatchObject({
        context: { platform, arch },
        feature: 'system calls',
        evidence: 'platform',
      })
      expect((error as UnsupportedError).message).toContain(`${platform}-${arch}`)
      expect((error as UnsupportedError).hint).toContain('Linux')
    }
  })
})
