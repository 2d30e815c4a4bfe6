import { isTsbpfError } from '@tsbpf/base'
import { mutations } from '@tsbpf/testkit/mutations'
import fc from 'fast-check'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import { golden, goldenNames } from '../goldens.ts'
import { linkSubprograms, parseObject } from '../../src/index.ts'

/** A spec or an error with a code: anything else fails the test. Returns the code. */
function outcome(bytes: Uint8Array): string {
  try {
    const spec = parseObject(bytes, { name: 'any' })
    for (const program of spec.programs) {
      try {
        linkSubprograms(spec, program)
      } catch (error) {
        if (!isTsbpfError(error)) throw error
      }
    }
    return 'spec'
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    expect(error.code).toMatch(/^(OBJECT|ELF|BTF)_/)
    expect(error.message).not.toBe('')
    return error.code
  }
}

describe('any bytes give a spec or an error with a code', () => {
  it.each(goldenNames)('damaged copies of %s', (name) => {
    const seen = new Map<string, number>()
    for (const { what, bytes } of mutations(golden(name), 1, 150)) {
      const start = cpuTime()
      const code = outcome(bytes)
      // Loose, for busy machines: what is measured is that nothing hangs.
      expect(cpuTime() - start, what).toBeLessThan(3000)
      seen.set(code, (seen.get(code) ?? 0) + 1)
    }
    // Damage must be found sometimes, and sometimes be where nothing reads.
    expect(seen.size).toBeGreaterThan(1)
  })

  it('random bytes, with and without an ELF header', () => {
    const header = golden('data.nobtf.el.o').subarray(0, 64)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (rest, withHeader) => {
        outcome(withHeader ? new Uint8Array([...header, ...rest]) : rest)
      }),
    )
  })
})

describe('parsing', () => {
  it.each(goldenNames)('%s gives the same spec twice, wherever its bytes lie', (name) => {
    const bytes = golden(name)
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    const view = (input: Uint8Array): unknown => {
      try {
        const { btf, ...spec } = parseObject(input, { name })
        return { ...spec, btf: btf?.bytes }
      } catch (error) {
        return isTsbpfError(error) ? error.message : error
      }
    }
    expect(view(shifted.subarray(3))).toEqual(view(bytes))
  })
})
