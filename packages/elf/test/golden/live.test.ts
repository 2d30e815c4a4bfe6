/** Files of this system, whatever they are, as llvm-readelf reads them here and now. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  buildId,
  debugLink,
  fileOffsetOf,
  findSymbols,
  notes,
  parseElf,
  parseNotes,
  symbolFileOffset,
  usdtProbes,
} from '../../src/index.ts'
import type { ElfSymbol } from '../../src/index.ts'

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] })

function found(command: string): boolean {
  try {
    return run(command, '--version') !== ''
  } catch {
    return false
  }
}

/** Kernel modules and a vmlinux of the system; a folder of others may be named. */
function kernelFiles(): string[] {
  const named = process.env['TSBPF_KERNEL_FILES'] ?? ''
  const folders = [named, '/usr/lib/debug/boot', '/lib/modules'].filter(
    (folder) => folder !== '' && existsSync(folder),
  )
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ko') || /(^|\/)vmlinux[^/]*$/.test(name))
      .map((name) => join(folder, name)),
  )
  return files.toSorted().slice(0, 20)
}

const readelf = ['llvm-readelf-19', 'llvm-readelf-22', 'llvm-readelf'].find(found)
const gnu = found('readelf')
const system = [
  '/lib/x86_64-linux-gnu/libc.so.6',
  '/lib/aarch64-linux-gnu/libc.so.6',
  '/usr/aarch64-linux-gnu/lib/libc.so.6',
  '/lib/x86_64-linux-gnu/libstdc++.so.6',
  '/usr/bin/python3',
  '/usr/bin/env',
  // Not stripped, so it has all its symbols.
  join(process.env['TSBPF_ORACLES'] ?? '', 'bin/bpftool'),
]
if (process.env['CI'] === 'true' && (readelf === undefined || !found('readelf'))) {
  throw new Error('CI must have llvm-readelf and readelf')
}
if (process.env['CI'] === 'true' && !process.env['TSBPF_KERNEL_FILES']) {
  throw new Error('CI must set TSBPF_KERNEL_FILES: the folder that tools/oracles/kernel-files.mjs prints')
}
const kernel = readelf === undefined ? [] : kernelFiles()
const files = readelf === undefined ? [] : [...system, ...kernel].filter((file) => existsSync(file))
const why = readelf === undefined ? ' [not run: llvm-readelf is not installed]' : ''
const whyKernel =
  kernel.length > 0 ? '' : ' [not run: no kernel modules here, and TSBPF_KERNEL_FILES is not set]'

interface Row {
  readonly name: string
  readonly value: bigint
  readonly size: number
  readonly type: string
  readonly binding: string
  readonly visibility: string
  readonly section: string
}

/** Rows of `llvm-readelf --symbols`; versions are cut off, since they are no part of the name. */
function rows(text: string): Row[] {
  const line =
    /^ *\d+: ([\da-f]+) +(\d+|0x[\da-f]+) (\w+|<[^>]*>) +(\w+|<[^>]*>) +(\w+)(?: \[.*?\])? +(\w+)(?: (.*))?$/gm
  return Array.from(
    text.matchAll(line),
    ([, value, size, type, binding, visibility, section, name = '']) => ({
      name: name.replace(/@.*$/, ''),
      value: BigInt(`0x${value ?? ''}`),
      size: Number(size),
      type: type ?? '',
      binding: binding ?? '',
      visibility: visibility ?? '',
      section: section ?? '',
    }),
  )
}

const types = ['NOTYPE', 'OBJECT', 'FUNC', 'SECTION', 'FILE', 'COMMON', 'TLS']
const visibilities = ['DEFAULT', 'INTERNAL', 'HIDDEN', 'PROTECTED']
const sections: Readonly<Record<number, string>> = { 0: 'UND', 0xfff1: 'ABS', 0xfff2: 'COM' }

/** Our symbol in readelf's words; of a type or a binding that has no name here, readelf's. */
function inWords(symbol: ElfSymbol, row: Row | undefined): Row {
  return {
    // A section's symbol has no name; readelf gives it the section's. Ours keeps an @ that is part of the name.
    name: symbol.type === 3 && symbol.name === '' ? (row?.name ?? '') : symbol.name.replace(/@.*$/, ''),
    value: symbol.value,
    size: symbol.size,
    type: types[symbol.type] ?? row?.type ?? '',
    binding: symbol.binding === 'other' ? (row?.binding ?? '') : symbol.binding.toUpperCase(),
    visibility: visibilities[symbol.visibility] ?? '',
    section: sections[symbol.section] ?? String(symbol.section),
  }
}

/** The number of the first row that differs, or the count: an assertion on a million rows would take minutes. */
function firstDifference(ours: readonly ElfSymbol[], theirs: readonly Row[]) {
  const words = (row: Row) => Object.values(row).join(' ')
  for (const [i, symbol] of ours.entries()) {
    const mine = words(inWords(symbol, theirs[i]))
    const row = theirs[i]
    if (row === undefined || words(row) !== mine)
      return { i, mine, theirs: row === undefined ? '' : words(row) }
  }
  return { count: theirs.length }
}

describe.skipIf(files.length === 0)(`files of this system${why}`, () => {
  it.each(files)('%s', { timeout: 120_000 }, (file) => {
    const elf = parseElf(readFileSync(file), { name: file })
    const ask = (...args: string[]) => run(readelf ?? '', ...args, file)

    expect(firstDifference(elf.dynamicSymbols, rows(ask('--dyn-symbols')))).toEqual({
      count: elf.dynamicSymbols.length,
    })
    const large = elf.symbols.length > 300_000
    const symbols = large ? [] : elf.symbols
    if (!large) {
      const text = ask('--symbols').split("Symbol table '.symtab'")[1] ?? ''
      expect(firstDifference(symbols, rows(text))).toEqual({ count: symbols.length })
    }

    const [report] = JSON.parse(
      ask('--elf-output-style=JSON', '--sections', '--program-headers').replaceAll(
        /(?<=: ?)\d{16,}/g,
        '"$&"',
      ),
    ) as [
      {
        Sections: {
          Section: { Name: { Name: string }; Type: { Value: number }; Offset: number; Size: number }
        }[]
        ProgramHeaders: { ProgramHeader?: { Type: { Value: number }; Offset: number; FileSize: number } }[]
      },
    ]
    expect(elf.sections.map(({ name, type, offset, size }) => [name, type, offset, size])).toEqual(
      report.Sections.map(({ Section: s }) => [s.Name.Name, s.Type.Value, s.Offset, s.Size]),
    )
    expect(elf.segments.map(({ type, offset, filesz }) => [type, offset, filesz])).toEqual(
      report.ProgramHeaders.flatMap(({ ProgramHeader: p }) =>
        p === undefined ? [] : [[p.Type.Value, p.Offset, p.FileSize]],
      ),
    )

    const text = ask('--notes')
    expect(buildId(elf)).toBe(/Build ID: (\w+)/.exec(text)?.[1])
    expect([...notes(elf)].length).toBe(text.match(/ 0x[\da-f]{8}\t/g)?.length ?? 0)
    for (const probe of usdtProbes(elf)) {
      expect(probe.offset).toBeTypeOf('number')
      expect(probe.arguments.map((argument) => argument.text).join(' ')).toBe(probe.argumentText)
    }
    // Only GNU readelf knows what is in a probe.
    const mine = usdtProbes(elf).map(({ provider, name, argumentText }) => [provider, name, argumentText])
    const said = gnu ? run('readelf', '-nW', file) : ''
    const probes = said.matchAll(/Provider: (.*)\n +Name: (.*)\n +Location: .*\n +Arguments: ?(.*)\n/g)
    const theirs = Array.from(probes, ([, provider, name, words]) => [provider, name, words])
    if (gnu) expect(mine).toEqual(theirs)
    // The C++ library has probes where it throws and catches.
    if (file.includes('libstdc++')) expect(mine.length).toBeGreaterThan(2)

    if (elf.section('.gnu_debuglink') === undefined) expect(debugLink(elf)).toBeUndefined()
    else expect(ask('--string-dump=.gnu_debuglink')).toContain(`] ${debugLink(elf)?.file ?? ''}\n`)

    // Relocations: as many as readelf counts in each table.
    const counts = Array.from(ask('--relocations').matchAll(/contains (\d+) entr/g), ([, count]) =>
      Number(count),
    )
    const ours = new Map(elf.sections.map((section) => [section.index, elf.relocations(section).length]))
    const tables = elf.sections.filter(({ type }) => type === 4 || type === 9)
    if (tables.length === counts.length) {
      const total = [...new Set(tables.map(({ info }) => info))].reduce(
        (sum, info) => sum + (ours.get(info) ?? 0),
        0,
      )
      expect(total).toBe(counts.reduce((sum, count) => sum + count, 0))
    }
  })

  it.skipIf(kernel.length === 0)(`kernel modules and a vmlinux were among them${whyKernel}`, () => {
    for (const file of kernel) {
      const elf = parseElf(readFileSync(file), { name: file })
      if (elf.type === 2) {
        // A stripped vmlinux: no symbols, but the code, the kernel's BTF, and where in the file they are.
        const text = elf.section('.text')
        expect(fileOffsetOf(elf, text?.addr ?? 0n)).toBe(text?.offset)
        expect(elf.section('.BTF')?.data.subarray(0, 2)).toEqual(Uint8Array.of(0x9f, 0xeb))
        continue
      }
      expect([elf.type, elf.section('.modinfo')?.type, elf.section('.BTF')?.type]).toEqual([1, 1, 1])
      expect(elf.sections.reduce((sum, section) => sum + elf.relocations(section).length, 0)).toBeGreaterThan(20)
      const found = elf.symbols.filter(
        (symbol) => symbol.type === 2 && symbol.section !== 0 && symbol.name !== '',
      )
      for (const symbol of found.slice(0, 50)) {
        expect(findSymbols(elf, symbol.name)).toContainEqual(symbol)
        expect(symbolFileOffset(elf, symbol)).toBeTypeOf('number')
      }
    }
  })
})

const libc = '/lib/x86_64-linux-gnu/libc.so.6'
describe.skipIf(!existsSync(libc))(
  `the C library${existsSync(libc) ? '' : ' [not run: it is not at this path]'}`,
  () => {
    let folder = ''
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'tsbpf-live-'))
    })
    afterAll(() => rmSync(folder, { recursive: true }))
    const gcc = found('gcc')

    it.skipIf(!gcc)(
      `has a function where dladdr finds it${gcc ? '' : ' [not run: gcc is not installed]'}`,
      () => {
        const source = join(folder, 'a.c')
        const names = ['malloc', 'getpid', 'fopen', 'qsort', 'strtoul']
        // The place of a function in the file, from the running process: its address less where its mapping starts.
        writeFileSync(
          source,
          `#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    unsigned long at = (unsigned long)dlsym(RTLD_DEFAULT, argv[i]), from, to, offset;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps))
      if (sscanf(line, "%lx-%lx %*s %lx", &from, &to, &offset) == 3 && from <= at && at < to && strstr(line, "libc"))
        printf("%s %lu\\n", argv[i], at - from + offset);
    fclose(maps);
  }
}`,
        )
        run('gcc', '-O1', source, '-o', join(folder, 'a'))
        const lines = run(join(folder, 'a'), ...names)
          .trim()
          .split('\n')
        const elf = parseElf(readFileSync(libc), { name: libc })
        expect(lines.length).toBe(names.length)
        for (const line of lines) {
          const [name = '', offset] = line.split(' ')
          expect(findSymbols(elf, name).map((symbol) => symbolFileOffset(elf, symbol))).toContain(
            Number(offset),
          )
        }
      },
    )
  },
)

const kernelNotes = '/sys/kernel/notes'
it.skipIf(!existsSync(kernelNotes))('the notes of the running kernel have its build id', () => {
  const all = [...parseNotes(readFileSync(kernelNotes), { littleEndian: true })]
  expect(all.find(({ name, type }) => name === 'GNU' && type === 3)?.desc.length).toBe(20)
})
