import { disassemble, encodeInsns, parseInsns } from '@tsbpf/isa'
import { describe, expect, it } from 'vitest'
import { buildInsns, r0, r1, r10, r5, w0, w1 } from '../../src/index.ts'

const little = { littleEndian: true } as const

/** Ten thousand instructions and more, with jumps forward and backward. */
function generated(): Uint8Array {
  return buildInsns((b) => {
    b.mov(r0, 0).mov(r1, 1).mov(r5, 3)
    for (let i = 0; i < 1250; i++) {
      b.label(`start${i}`)
        .jeq(r5, i, `skip${i}`)
        .add(r0, i)
        .xor(w1, w0)
        .lddw(r1, BigInt(i) << 31n)
      b.stxdw(r10.at(-8), r1).atomic_fetch_add(r10.at(-8), r1).label(`skip${i}`).ldxdw(r1, r10.at(-8))
      if (i > 0) b.jslt(w1, -i, `start${i - 1}`)
    }
    b.exit()
  })
}

describe('ten thousand generated instructions', () => {
  const bytes = generated()

  it.each(['llvm', 'conformance', 'gnu'] as const)(
    'are the same after printing and reading in %s',
    (dialect) => {
      expect(bytes.length / 8).toBeGreaterThan(10_000)
      const text = (code: Uint8Array): string =>
        [...disassemble(code, { ...little, dialect })].map((one) => one.text).join('\n')
      const { insns } = parseInsns(text(bytes), { dialect })
      const again = encodeInsns(insns, little)
      expect(again).toEqual(bytes)
      expect(text(again)).toBe(text(bytes))
    },
  )
})
