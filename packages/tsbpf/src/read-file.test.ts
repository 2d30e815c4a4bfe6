import { describe, expect, it } from 'vitest'
import { readToEnd } from './read-file.ts'

/** Gives at most `page` bytes at a time, as files of /sys do. */
function inPages(bytes: Uint8Array, page: number) {
  let at = 0
  return {
    read(buffer: Uint8Array, offset: number, length: number): Promise<{ readonly bytesRead: number }> {
      const piece = bytes.subarray(at, at + Math.min(page, length))
      buffer.set(piece, offset)
      at += piece.length
      return Promise.resolve({ bytesRead: piece.length })
    },
  }
}

describe('readToEnd', () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i)

  it.each([
    { what: 'its size is known', size: 20_000 },
    { what: 'it says 0, as pipes do', size: 0 },
    { what: 'it has grown meanwhile', size: 19_999 },
    { what: 'it has shrunk meanwhile', size: 30_000 },
  ])('reads a file that gives a page at a time: $what', async ({ size }) => {
    expect(await readToEnd(inPages(bytes, 4096), size)).toEqual(bytes)
    expect(await readToEnd(inPages(bytes, Infinity), size)).toEqual(bytes)
  })

  it('gives nothing for an empty file', async () => {
    expect(await readToEnd(inPages(new Uint8Array(0), 4096), 0)).toEqual(new Uint8Array(0))
  })
})
