import { fakeSys, failure } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { streamIds } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { programOutput } from './program-output.ts'

/** A kernel that has `text` in a program's stdout, or refuses. */
function kernel(text: Uint8Array, result?: number): Sys {
  let at = 0
  const bpf: Sys['bpf'] = (_cmd, attr, pointers) => {
    if (result !== undefined) return result
    const fields = new DataView(attr.buffer, attr.byteOffset)
    if (fields.getUint32(12, true) !== streamIds.value('stdout')) return 0
    const buffer = pointers?.[0]?.buffer ?? new Uint8Array()
    const part = text.subarray(at, at + buffer.length)
    buffer.set(part)
    at += part.length
    return part.length
  }
  return { ...fakeSys({}), bpf }
}

describe('programOutput', () => {
  it('reads to the end, with characters that lie across two reads', () => {
    const text = `${'x'.repeat(4095)}é${'y'.repeat(9000)}`
    const sys = kernel(new TextEncoder().encode(text))
    expect(programOutput(sys, 3, 'stderr')).toBe('')
    expect(programOutput(sys, 3, 'stdout')).toBe(text)
    expect(programOutput(sys, 3, 'stdout')).toBe('')
  })

  it('ends where a program prints on and on, and says what the kernel refuses', () => {
    expect(programOutput(kernel(new Uint8Array(3_000_000).fill(65)), 3, 'stdout').length).toBeLessThan(
      1_010_000,
    )
    expect(() => programOutput(kernel(new Uint8Array(), failure('EINVAL')), 3, 'stdout')).toThrow(
      expect.objectContaining({ code: 'SYS_CALL_FAILED' }),
    )
  })
})
