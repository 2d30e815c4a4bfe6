/**
 * Records the goldens of this folder: compiles the sources, and keeps what llvm-readelf says about each object. Another
 * version of it must say the same. GNU readelf, which alone prints their arguments, says what USDT probes there are.
 * `objects.json` says which compiler made which object and which readelf judged it.
 *
 *     apt-get install clang-14 clang-19 llvm-19 llvm-22 gcc gcc-aarch64-linux-gnu
 *     node packages/elf/test/golden/record.mjs
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: here, encoding: 'utf8', maxBuffer: 1 << 28 })
const version = (command) =>
  run(command, '--version')
    .match(/.*\d\.\d.*/)[0]
    .trim()

const bpf = ['-O2', '-g', '-mcpu=v3', '-fdebug-compilation-dir=.', '-Wno-everything']
const host = ['-O1', '-fcommon', '-fPIC', '-Wno-everything']
const linked = [
  ...['-O2', '-nostdlib', '-Wl,-z,noseparate-code', '-Wl,-z,max-page-size=4096'],
  '-Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567',
]
const library = [...linked, '-fPIC', '-shared']
const program = [...linked, '-no-pie', '-static', '-Wl,-e,caller']
const debug = ['-target', 'aarch64_be-linux-gnu', ...host, '-g', '-fdebug-compilation-dir=.', '-c']
/** Object, compiler and its arguments. */
const objects = [
  ['program.clang-14.el.o', 'clang-14', '-target', 'bpfel', ...bpf, '-c', 'program.bpf.c'],
  ['program.clang-19.el.o', 'clang-19', '-target', 'bpfel', ...bpf, '-c', 'program.bpf.c'],
  ['program.clang-19.eb.o', 'clang-19', '-target', 'bpfeb', ...bpf, '-c', 'program.bpf.c'],
  ['host.x86_64.o', 'clang-19', '-target', 'x86_64-linux-gnu', ...host, '-c', 'host.c'],
  ['host.aarch64_be.o', 'clang-19', '-target', 'aarch64_be-linux-gnu', ...host, '-c', 'host.c'],
  [
    'host.x86_64.so',
    'clang-19',
    ...['-target', 'x86_64-linux-gnu', ...host, '-g0', '-shared', '-nostdlib', '-fuse-ld=bfd'],
    ...['-Wl,--build-id=none', 'host.c'],
  ],
  ['probes.gcc.x86_64.so', 'gcc', ...library, 'probes.c'],
  ['probes.clang-19.x86_64.so', 'clang-19', ...library, '-fuse-ld=bfd', 'probes.c'],
  ['probes.gcc.aarch64.so', 'aarch64-linux-gnu-gcc', ...library, 'probes.c'],
  ['probes.gcc.x86_64.exe', 'gcc', ...program, 'probes.c'],
  ['debug.zlib.o', 'clang-19', ...debug, '-gz=zlib', 'host.c'],
  ['debug.zstd.o', 'clang-19', ...debug, '-gz=zstd', 'host.c'],
]

const seconds = ['llvm-readelf-14', 'llvm-readelf-22']
const recorded = {}
for (const [object, compiler, ...args] of objects) {
  run(compiler, ...args, '-o', object)
  if (object === 'probes.gcc.x86_64.exe') {
    run('llvm-objcopy-19', '--add-gnu-debuglink=host.c', object)
  }
  chmodSync(join(here, object), 0o644)
  const read = facts('llvm-readelf-19', object)
  for (const other of seconds) {
    // Version 14 writes relocations and notes that are no JSON.
    const part = other === 'llvm-readelf-14' ? { relocations: [], notes: [] } : {}
    const [said, wanted] = [facts(other, object), read].map((all) => JSON.stringify({ ...all, ...part }))
    if (said !== wanted) throw new Error(`${other} disagrees about ${object}\n${said}\n${wanted}`)
  }
  const golden = { ...read, probes: probes(object), contents: contents(object) }
  writeFileSync(join(here, `${object}.readelf.json`), `${JSON.stringify(golden)}\n`)
  recorded[object] = { compiler: version(compiler), arguments: args.join(' ') }
}
const judge = version('llvm-readelf-19')
writeFileSync(
  join(here, 'objects.json'),
  `${JSON.stringify({ judge, seconds: [...seconds, 'readelf'].map(version), objects: recorded }, undefined, 2)}\n`,
)

/** What one llvm-readelf says. */
function facts(readelf, object) {
  const old = readelf === 'llvm-readelf-14'
  const json = run(
    readelf,
    ...['--elf-output-style=JSON', '--expand-relocs', '--file-header', '--sections', '--symbols'],
    ...['--program-headers', '--dyn-symbols', ...(old ? [] : ['--relocations', '--notes'])],
    object,
  )
  // Numbers beyond 2^53 become strings before JSON.parse can round them.
  const [read] = JSON.parse(json.replaceAll(/(?<=: ?)\d{16,}/g, '"$&"'))
  return brief(old ? { ...asNewer(Object.values(read)[0]), Relocations: [] } : read)
}

/** Version 14's `{Value: name, RawValue: number}` as `{Name, Value}` of the later ones. */
function asNewer(value) {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(asNewer)
  if ('RawValue' in value) return { Name: value.Value, Value: value.RawValue }
  if ('RawFlags' in value) return { Value: value.RawFlags }
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, asNewer(field)]))
}

/** The USDT probes as GNU readelf lists them. */
function probes(object) {
  const text = run('readelf', '-nW', object)
  const found = text.matchAll(
    /Provider: (.*)\n +Name: (.*)\n +Location: (\w+), Base: (\w+), Semaphore: (\w+)\n +Arguments: ?(.*)\n/g,
  )
  return Array.from(found, ([, provider, name, location, base, semaphore, argumentText]) => {
    return { provider, name, location, base, semaphore, argumentText }
  })
}

/** Hashes of what the compressed sections hold, as llvm-objcopy decompresses them. */
function contents(object) {
  const names = [
    ...run('llvm-readelf-19', '-SW', object).matchAll(/\] (\S+) .* \w*C\w* +\d+ +\d+ +\d+\n/g),
  ].map((m) => m[1])
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-golden-'))
  try {
    const plain = join(folder, 'plain')
    run('llvm-objcopy-19', '--decompress-debug-sections', object, plain)
    return names.map((name) => {
      run('llvm-objcopy-19', `--dump-section=${name}=${join(folder, 'bytes')}`, plain)
      const bytes = readFileSync(join(folder, 'bytes'))
      return { name, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The facts that the test compares: readelf's numbers, names of sections and symbols, `{Name, Value}` made plain. */
function brief(read) {
  return {
    machine: read.ElfHeader.Machine.Value,
    count: Number(read.ElfHeader.SectionHeaderCount),
    sections: read.Sections.map(({ Section: s }) => ({
      index: s.Index,
      name: s.Name.Name,
      type: s.Type.Value,
      flags: s.Flags.Value,
      addr: s.Address,
      offset: s.Offset,
      size: s.Size,
      link: s.Link,
      info: s.Info,
      addralign: s.AddressAlignment,
      entsize: s.EntrySize,
    })),
    symbols: symbols(read.Symbols),
    dynamicSymbols: symbols(read.DynamicSymbols),
    segments: read.ProgramHeaders.filter(({ ProgramHeader: p }) => p !== undefined).map(
      ({ ProgramHeader: p }) => ({
        type: p.Type.Value,
        flags: p.Flags.Value,
        offset: p.Offset,
        vaddr: p.VirtualAddress,
        paddr: p.PhysicalAddress,
        filesz: p.FileSize,
        memsz: p.MemSize,
        align: p.Alignment,
      }),
    ),
    notes: (read.NoteSections ?? read.Notes ?? []).map(({ NoteSection: n }) => ({
      section: n.Name,
      offset: n.Offset,
      notes: n.Notes.map((note) => ({
        name: note.Owner,
        size: note['Data size'],
        buildId: note['Build ID'],
      })),
    })),
    relocations: read.Relocations.map(({ SectionIndex, Relocs }) => ({
      table: SectionIndex,
      rows: Relocs.map(({ Relocation: r }) => ({
        offset: r.Offset,
        symbol: r.Symbol.Value,
        type: r.Type.Value,
        addend: r.Addend,
      })),
    })),
  }
}

function symbols(rows) {
  return rows
    .filter(({ Symbol: s }) => s !== undefined)
    .map(({ Symbol: s }) => ({
      // Readelf gives the symbol of a section the section's name; its own name is empty.
      name: s.Name.Value === 0 ? '' : s.Name.Name,
      type: s.Type.Value,
      binding: s.Binding.Value,
      visibility: s.Other.Value & 3,
      section: s.Section.Value,
      value: s.Value,
      size: s.Size,
    }))
}
