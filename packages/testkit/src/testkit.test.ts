import { closeSync, openSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { notRun } from './announce.ts'
import { corpusDir } from './corpus.ts'
import { descriptors, expectNoLeak } from './descriptors.ts'
import { isRoot, kernelVersion, requires } from './gate.ts'
import { mutations } from './mutations.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('mutations', () => {
  const input = Uint8Array.from({ length: 100 }, (_, index) => index)

  it('are the same for the same seed, and others for another', () => {
    const made = [...mutations(input, 7, 50)]
    expect(made).toEqual([...mutations(input, 7, 50)])
    expect(made).not.toEqual([...mutations(input, 8, 50)])
    expect(made).toHaveLength(50)
  })

  it('are of every kind, and leave the input alone', () => {
    const copy = input.slice()
    const kinds = new Set([...mutations(input, 1, 200)].map(({ what }) => what.split(' ')[0]))
    expect([...kinds].sort()).toEqual(['copy', 'cut', 'fill', 'flip'])
    expect(input).toEqual(copy)
  })

  it('mostly change something', () => {
    const changed = [...mutations(input, 3, 200)].filter(
      ({ bytes }) => !Buffer.from(bytes).equals(Buffer.from(input)),
    )
    expect(changed.length).toBeGreaterThan(190)
  })

  it('have nothing to do on no bytes', () => {
    expect([...mutations(new Uint8Array(0), 1, 3)].map(({ bytes }) => bytes.length)).toEqual([0, 0, 0])
  })
})

describe.skipIf(process.platform !== 'linux')('descriptors', () => {
  it('show a leak', () => {
    const before = descriptors()
    expectNoLeak(before, descriptors())
    const fd = openSync('/proc/self/status', 'r')
    try {
      expect(() => {
        expectNoLeak(before, descriptors())
      }).toThrow(/descriptors left open: \d+ -> .*status/)
    } finally {
      closeSync(fd)
    }
    expectNoLeak(before, descriptors())
  })
})

describe('gates', () => {
  it('run what this machine can', () => {
    expect(requires({ reason: 'x' }).skip).toBe(process.platform !== 'linux')
    if (process.platform === 'linux') expect(kernelVersion()[0]).toBeGreaterThan(3)
  })

  it.skipIf(process.platform !== 'linux')('say why they skip', () => {
    const newer = requires({ kernel: [999, 1], reason: 'time travel' })
    expect(newer).toMatchObject({ skip: true })
    expect(newer.title('group')).toMatch(/^group \[not run: time travel: needs kernel 999\.1, this is /)
    expect(requires({ commands: ['sh'], reason: 'x' }).skip).toBe(process.platform !== 'linux')
    if (process.env['CI'] !== 'true') {
      expect(requires({ commands: ['no-such-command'], reason: 'x' }).reason).toMatch(/no-such-command|Linux/)
    }
    expect(requires({ missing: true, reason: 'the corpus' }).reason).toBe('the corpus: is missing here')
  })

  it.skipIf(process.platform !== 'linux' || isRoot)('fail in CI without privilege', () => {
    expect(requires({ root: true, reason: 'x' }).skip).toBe(true)
    vi.stubEnv('CI', 'true')
    expect(() => requires({ root: true, reason: 'x' })).toThrow(/CI must run/)
  })
})

describe('corpus', () => {
  it('is announced where it is missing', () => {
    vi.stubEnv('TSBPF_CORPUS', '')
    expect(corpusDir()).toBeUndefined()
    expect(notRun()).toContain('corpus tests: TSBPF_CORPUS is not set')
    vi.stubEnv('TSBPF_CORPUS', import.meta.dirname)
    expect(corpusDir()).toBe(import.meta.dirname)
    expect(notRun().some((line) => line.startsWith('corpus'))).toBe(false)
    vi.stubEnv('TSBPF_CORPUS', '/no/such/folder')
    expect(() => corpusDir()).toThrow(/does not exist/)
  })
})
