import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { runScript } from '../support/child.ts'

const checked = process.env['TSBPF_NATIVE']?.includes('asan') === true
const gate = checked
  ? requires({ root: true, reason: 'bpf(2)' })
  : requires({ missing: true, reason: 'the build with AddressSanitizer (TSBPF_NATIVE)' })

describe.skipIf(gate.skip)(gate.title('build with AddressSanitizer'), () => {
  it('stops before the kernel writes past a buffer', async () => {
    const end = await runScript('overflow.mjs')
    expect(end.stdout).toBe('right size: 0\n')
    expect(end.stderr).toContain('tsbpf check: value: the kernel would touch 64 bytes of a buffer of 60')
    expect(end.code).toBe(99)
  })
})
