import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maxUnpackedSize } from './limits.ts'
import { readTargets } from './target-btf.ts'

/** BTF of the given types (32-bit words) and strings, little endian, made by hand after Documentation/bpf/btf.rst. */
function rawBtf(words: readonly number[], strings: string): Uint8Array {
  const types = Uint8Array.from(new Uint8Array(Uint32Array.from(words).buffer))
  const text = new TextEncoder().encode(strings)
  const header = new DataView(new ArrayBuffer(24))
  header.setUint16(0, 0xeb9f, true)
  header.setUint8(2, 1)
  for (const [at, value] of [24, 0, types.length, types.length, text.length].entries()) {
    header.setUint32(4 + at * 4, value, true)
  }
  return Uint8Array.from([...new Uint8Array(header.buffer), ...types, ...text])
}

/** INT int: 4 bytes, signed. */
const base = rawBtf([1, 1 << 24, 4, (1 << 24) | 32], '\0int\0')
/** PTR to type 1 of the base, without any string. */
const splitWithoutStrings = rawBtf([0, 2 << 24, 1], '')
/** TYPEDEF mine to type 1 of the base; its strings count on from those of the base. */
const split = rawBtf([5, 8 << 24, 1], 'mine\0')

const folder = mkdtempSync(join(tmpdir(), 'tsbpf-target-'))
const file = (name: string): string => join(folder, name)

beforeAll(() => {
  writeFileSync(file('vmlinux'), base)
  writeFileSync(file('kernel.btf.gz'), gzipSync(base))
  writeFileSync(file('pointers'), splitWithoutStrings)
  writeFileSync(file('mine.btf'), split)
  writeFileSync(file('text'), 'hello')
  writeFileSync(file('one'), 'x')
  writeFileSync(file('empty'), '')
  writeFileSync(file('cut.gz'), gzipSync(base).subarray(0, 20))
  writeFileSync(file('bomb.gz'), gzipSync(new Uint8Array(maxUnpackedSize + 1)))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

describe('readTargets', () => {
  it('names targets after their files', async () => {
    const [kernel] = await readTargets([file('kernel.btf.gz')])
    expect(kernel?.name).toBe('kernel')
    expect(kernel?.btf.find('int', 'int')?.size).toBe(4)
  })

  it('reads split BTF on the one that is named vmlinux, in whatever order they are given', async () => {
    const targets = await readTargets([file('pointers'), file('mine.btf'), file('vmlinux')])
    const [pointers, mine, vmlinux] = targets.map(({ btf }) => btf)
    expect(targets.map(({ name }) => name)).toEqual(['pointers', 'mine', 'vmlinux'])
    expect(pointers?.base).toBe(vmlinux)
    expect(pointers?.type(2)).toMatchObject({ kind: 'ptr', type: 1 })
    expect(mine?.type(2)).toMatchObject({ kind: 'typedef', name: 'mine', type: 1 })
    expect(vmlinux?.base).toBeUndefined()
  })

  it('leaves whole BTF whole beside another', async () => {
    const [, second] = await readTargets([file('vmlinux'), file('kernel.btf.gz')])
    expect(second?.btf.base).toBeUndefined()
  })

  it.each([
    ['text', 'CLI_TARGET_FORMAT', 'it starts with 68 65 6c 6c'],
    ['one', 'CLI_TARGET_FORMAT', 'it starts with 78'],
    ['empty', 'CLI_FILE_EMPTY', 'is empty'],
    ['cut.gz', 'CLI_GZIP', 'unexpected end of file'],
    ['bomb.gz', 'CLI_GZIP', 'larger than'],
    ['missing', 'CLI_FILE_MISSING', 'does not exist'],
    ['pointers', 'BTF_HEADER', 'pointers'],
  ])('%s is %s', async (name, code, message) => {
    await expect(readTargets([file(name)])).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    })
  })
})
