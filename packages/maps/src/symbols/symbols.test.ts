import { fakeSys, failure } from '@tsbpf/sys'
import { describe, expect, it } from 'vitest'
import {
  buildIdStackCodec,
  formatFrame,
  kernelSymbols,
  stackCodec,
  symbolizeStack,
  userSymbols,
} from '../index.ts'
import { binaryCache } from './binary-cache.ts'
import { parseKallsyms } from './kallsyms.ts'

const code = (name: string, facts: object = {}): Error =>
  expect.objectContaining({ code: name, context: expect.objectContaining(facts) as object }) as Error
const hidden = '0000000000000000 T _stext\n0000000000000000 t nft_do_chain\t[nf_tables]\n'

describe('kernelSymbols', () => {
  it('says what to do where the kernel hides addresses, also later', () => {
    const sys = fakeSys({ files: { '/proc/kallsyms': hidden } })
    expect(() => kernelSymbols(sys)).toThrow(code('SYMBOLS_HIDDEN'))
    expect(sys.open.size).toBe(0)
    expect(() => kernelSymbols(fakeSys())).toThrow(code('SYS_CALL_FAILED', { errnoName: 'ENOENT' }))
  })

  it('refuses what is no line of the file, and stops reading it', () => {
    for (const line of [
      'x',
      'ffffffff81000000',
      'ffffffff81000000 T',
      'ffffffff81000000 T a b',
      'fffffffff81000000 T a',
      'g T a',
    ]) {
      const sys = fakeSys({ files: { '/proc/kallsyms': `ffffffff81000000 T ok\n${line}\n` } })
      expect(() => kernelSymbols(sys)).toThrow(code('SYMBOLS_MALFORMED', { line: 2 }))
      expect(sys.open.size).toBe(0)
    }
    let pieces = 0
    function* endless(): Generator<Uint8Array> {
      for (; ; pieces++) yield new Uint8Array(4096).fill(0x61)
    }
    expect(() => parseKallsyms(endless(), { own: true })).toThrow(code('SYMBOLS_MALFORMED', { line: 1 }))
    expect(pieces).toBeLessThan(10)
  })

  it('refuses more modules than it can tell apart', () => {
    const lines = Array.from(
      { length: 65_537 },
      (_, i) => `${(0xffff000000 + i).toString(16)} t f\t[m${i}]\n`,
    )
    const bytes = new TextEncoder().encode(lines.join(''))
    expect(() => parseKallsyms([bytes], { own: true })).toThrow(code('SYMBOLS_TOO_MANY'))
  })

  it('reads modules again when they are too old, and for addresses outside the kernel alone', () => {
    let text = 'ffffffff81000000 T _stext\nffffffff81001000 T _end\nffffffffc0000000 t old\t[m]\n'
    let reads = 0
    const bytes = (): Uint8Array => new TextEncoder().encode(text)
    let rest = bytes()
    const sys = fakeSys({
      calls: {
        openat: () => {
          reads++
          rest = bytes()
          return 5
        },
        close: () => 0,
        read: (_fd, buffer) => {
          const count = Math.min(buffer.length, rest.length)
          buffer.set(rest.subarray(0, count))
          rest = rest.subarray(count)
          return count
        },
      },
    })
    const symbols = kernelSymbols(sys, { maxAge: -1 })
    text = text.replace('old', 'new').replace('_stext', '_other')
    expect(symbols.find(0xffffffff81000004n)).toEqual({ name: '_stext', offset: 4, module: undefined })
    expect(symbols.find(0x1000n)).toBeUndefined()
    expect(reads).toBe(1)
    expect(symbols.find(0xffffffffc0000002n)).toEqual({ name: 'new', offset: 2, module: 'm' })
    expect(reads).toBe(2)
    text = hidden
    expect(() => symbols.find(0xffffffffc0000002n)).toThrow(code('SYMBOLS_HIDDEN'))
  })
})

describe('userSymbols', () => {
  const process = (maps: string, files: Readonly<Record<string, string>> = {}) =>
    fakeSys({ files: { '/proc/7': '', maps, ...files } })

  it('tells why a process or a file gives no symbols', () => {
    expect(() => userSymbols(fakeSys(), 7)).toThrow(code('SYMBOLS_PROCESS', { errno: 'ENOENT' }))
    const denied = fakeSys({ files: { '/proc/7': '' }, calls: { openat: () => failure('EACCES') } })
    expect(() => userSymbols(denied, 7)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('CAP_SYS_PTRACE') as string }) as Error,
    )
    const damaged = process('1000-500 r-xp 0 fe:00 1 /x\n')
    expect(() => userSymbols(damaged, 7)).toThrow(
      code('SYMBOLS_MALFORMED', { path: '/proc/7/maps', line: 1 }),
    )
    expect(damaged.open.size).toBe(0)

    const maps = [
      '1000-2000 r-xp 00000000 fe:00 1 /gone (deleted)',
      '2000-3000 r-xp 00001000 fe:00 2 /text',
      '3000-4000 r-xp 00000000 fe:00 3 /missing',
      '4000-5000 rwxp 00000000 00:00 0 ',
      '5000-6000 r--p 00000000 fe:00 2 /text',
      'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]',
    ]
    const sys = process(maps.join('\n'), { 'root/text': 'not an ELF file at all' })
    using symbols = userSymbols(sys, 7)
    expect(symbols.find(0x1004n)).toEqual({
      name: undefined,
      offset: undefined,
      file: '/gone',
      fileOffset: 4,
    })
    expect(symbols.find(0x2004n)).toMatchObject({ file: '/text', fileOffset: 0x1004 })
    expect(symbols.find(0x3000n)).toMatchObject({ file: '/missing' })
    for (const address of [0n, 0xfffn, 0x4000n, 0x5000n, 0x6000n])
      expect(symbols.find(address)).toBeUndefined()
    expect(symbols.find(0xffffffffff600004n)).toMatchObject({ file: '[vsyscall]', fileOffset: 4 })
    expect([...symbols.unreadable].map(([path, error]) => [path, error.code])).toEqual([
      ['/gone', 'SYMBOLS_FILE'],
      ['/text', 'SYMBOLS_FILE'],
      ['/missing', 'SYMBOLS_FILE'],
      ['[vsyscall]', 'SYMBOLS_FILE'],
    ])
    expect(symbols.findInBuild('00', 1)).toBeUndefined()
    symbols.dispose()
    expect(() => symbols.find(0n)).toThrow(code('SYMBOLS_DISPOSED'))
    expect(sys.open.size).toBe(0)
  })

  it('keeps the files that were used last', () => {
    const cache = binaryCache()
    const head = new Uint8Array(4)
    const symbols = (buildId: string) => ({ buildId, byteLength: 10, find: () => undefined })
    for (let i = 0; i < 300; i++) {
      cache.set(`fe:00:${i}`, 1, head, symbols(String(i)))
      if (i === 100) expect(cache.get('fe:00:0', 1, head)?.buildId).toBe('0')
    }
    expect([cache.count, cache.byteLength]).toEqual([256, 2560])
    expect([cache.byBuildId('299')?.buildId, cache.byBuildId('1')]).toEqual(['299', undefined])
    expect(cache.get('fe:00:0', 1, head)?.buildId).toBe('0')
    expect(cache.get('fe:00:299', 2, head)).toBeUndefined()
    expect(cache.get('fe:00:299', 1, new Uint8Array([1, 0, 0, 0]))).toBeUndefined()
  })
})

describe('stacks', () => {
  it('decode to as many frames as they have', () => {
    const view = new DataView(new ArrayBuffer(4 * 32))
    view.setBigUint64(0, 5n, true)
    view.setBigUint64(8, 1n << 63n, true)
    expect(stackCodec(4).decode(view, 0)).toEqual([5n, 1n << 63n])
    expect(() => {
      stackCodec(4).encodeInto([], new Uint8Array(32), 0)
    }).toThrow(code('MAP_ELEMENT_SIZE'))
    const build = new DataView(new ArrayBuffer(4 * 32))
    build.setInt32(0, 1, true)
    build.setUint8(4, 0xab)
    build.setBigUint64(24, 9n, true)
    build.setInt32(32, 2, true)
    build.setBigUint64(56, 7n, true)
    const buildId = `ab${'00'.repeat(19)}`
    expect(buildIdStackCodec(4).decode(build, 0)).toEqual([{ buildId, offset: 9n }, 7n])
  })

  it('have frames without names where nothing is known', () => {
    const frames = symbolizeStack([0x1000n, 1n << 63n, { buildId: 'ab', offset: 9n }, 0n, 1n], {})
    expect(frames.map(formatFrame)).toEqual(['0x1000', '0x8000000000000000', '?'])
    const module = '/bin/x'
    expect(formatFrame({ address: 1n, name: undefined, offset: undefined, module, fileOffset: 18 })).toBe(
      '+0x12 (/bin/x)',
    )
  })
})
