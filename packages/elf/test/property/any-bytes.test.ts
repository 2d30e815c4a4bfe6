import { isTsbpfError } from '@tsbpf/base'
import { bundledFile } from '@tsbpf/testkit/bundled-file'
import { mutations } from '@tsbpf/testkit/mutations'
import fc from 'fast-check'
import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import {
  buildId,
  compressionOf,
  debugLink,
  elfSpecOf,
  fileOffsetOf,
  findSymbols,
  notes,
  parseElf,
  symbolFileOffset,
  usdtProbes,
} from '../../src/index.ts'
import zlib from '../golden/debug.zlib.o?inline'
import host from '../golden/host.x86_64.o?inline'
import library from '../golden/probes.clang-19.x86_64.so?inline'
import big from '../golden/program.clang-19.eb.o?inline'
import little from '../golden/program.clang-19.el.o?inline'
import { makeElf } from '../make-elf.ts'

/** What one question gives; an error of this package is an answer. */
function attempt(ask: () => void): void {
  try {
    ask()
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    expect(error.code).toMatch(/^ELF_/)
    expect(error.hint).toBeTypeOf('string')
    if (error.code !== 'ELF_SPEC') expect(error.context).toMatchObject({ file: 'elf' })
  }
}

/** Asks for everything that a file can give; one wrong answer keeps no other from being asked for. */
function readAll(bytes: Uint8Array): void {
  const elf = parseElf(bytes)
  const asked = [
    () => elf.section('.text'),
    () => expect(elf.symbols.length * 24).toBeLessThanOrEqual(bytes.length),
    () => expect(elf.dynamicSymbols.length * 24).toBeLessThanOrEqual(bytes.length),
    () => {
      expect(elf.segments.length * 56).toBeLessThanOrEqual(bytes.length)
      for (const { data } of elf.segments) expect(data.length).toBeLessThanOrEqual(bytes.length)
    },
    () => {
      for (const symbol of elf.symbols) symbolFileOffset(elf, symbol)
    },
    () => fileOffsetOf(elf, elf.entry),
    () => findSymbols(elf, 'work'),
    () => expect([...notes(elf)].length * 3).toBeLessThanOrEqual(bytes.length),
    () => buildId(elf),
    () => debugLink(elf),
    () => {
      for (const probe of usdtProbes(elf)) {
        attempt(() => probe.arguments)
        attempt(() => [probe.offset, probe.semaphoreOffset])
      }
    },
    () => elfSpecOf(elf),
  ]
  for (const ask of asked) attempt(ask)
  for (const section of elf.sections) {
    expect(section.data.length).toBeLessThanOrEqual(bytes.length)
    attempt(() => section.name)
    attempt(() => elf.relocations(section))
    attempt(() => compressionOf(elf, section))
  }
}

/** A value or a TsbpfError, within the time. */
function law(bytes: Uint8Array): void {
  const start = cpuTime()
  attempt(() => readAll(bytes))
  expect(cpuTime() - start).toBeLessThan(500)
}

const objects = Object.entries({ little, big, host, library, zlib }).map(([name, file]) => ({
  name,
  bytes: bundledFile(file),
}))

describe('any bytes give a value or a TsbpfError', () => {
  it('at random', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), law))
  })

  it('behind a good start', () => {
    const start = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (rest) => law(Uint8Array.from([...start, ...rest]))),
    )
  })

  it('in headers of a made file', () => {
    const section = fc.record({
      name: fc.constantFrom('.text', '.symtab', ''),
      type: fc.constantFrom(0, 1, 2, 3, 4, 8, 9, 11, 18),
      data: fc.uint8Array({ maxLength: 96 }),
      size: fc.option(fc.nat(), { nil: undefined }),
      link: fc.nat(9),
      info: fc.nat(9),
      entsize: fc.constantFrom(0, 4, 16, 24),
    })
    const sections = fc.array(section, { maxLength: 8 })
    fc.assert(
      fc.property(sections, fc.boolean(), fc.boolean(), (rows, little, extended) => {
        const made = rows.map(({ size, ...row }) => (size === undefined ? row : { ...row, size }))
        law(makeElf(made, { little, extended }).bytes)
      }),
    )
  })

  it.each(objects)('cut off anywhere: $name', ({ bytes }) => {
    for (let end = 0; end < bytes.length; end += 17) law(bytes.subarray(0, end))
  })

  it.each(objects)('damaged: $name', ({ bytes }) => {
    for (const { bytes: damaged } of mutations(bytes, 1, 1000)) law(damaged)
  })
})
