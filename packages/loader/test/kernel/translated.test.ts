import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { InsnView } from '@tsbpf/isa'
import { encodeObject, linkObjects, parseObject } from '@tsbpf/object'
import { progGetInfo } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { loadSync } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectBytes, objectSpec } from './objects.ts'
import type { ObjectName } from './objects.ts'

const gate = requires({ root: true, reason: 'loads programs' })
const folders = (process.env['PATH'] ?? '').split(delimiter)
const oracles = process.env['TSBPF_ORACLES']
/** bpftool 7.5 is libbpf 1.5; Debian's is older, and knows neither arenas nor links of struct_ops. */
const bpftool = oracles === undefined ? 'bpftool' : join(oracles, 'bin', 'bpftool')
const hasBpftool = oracles !== undefined || folders.some((folder) => existsSync(join(folder, 'bpftool')))
const oracle = requires({
  root: true,
  missing: !hasBpftool && process.env['CI'] !== 'true',
  reason: 'compares with libbpf by bpftool, which is not on PATH',
})

const linkFolder = new URL('../../../object/test/golden/link/', import.meta.url).pathname
const linkSource = (name: string): Uint8Array => readFileSync(join(linkFolder, name))

/** As bpftool 7.5 has linked the objects that are linked here (recorded beside them). */
const linkedByLibbpf = linkSource('loadable.bpftool.o')
const linkedByUs = (): Uint8Array =>
  encodeObject(
    linkObjects(
      ['lib', 'main', 'extra'].map((name) =>
        parseObject(linkSource(`${name}.clang-19.el.o`), { partial: true }),
      ),
    ),
  )
const encoded = (object: ObjectName): Uint8Array => encodeObject(objectSpec(object))

/** A fixture, and what becomes of it when we write it; without names, all programs that load by themselves. */
function both(
  title: ObjectName,
  named: readonly string[],
): {
  readonly title: string
  readonly theirs: Uint8Array
  readonly ours: Uint8Array
  readonly programs: readonly string[]
} {
  const loaded = objectSpec(title).programs.filter((program) => program.autoload)
  const programs = named.length > 0 ? named : loaded.map(({ name }) => name)
  return { title, theirs: objectBytes(title), ours: encoded(title), programs }
}

/** The part of a fixture that loads by itself: bpftool cannot pin programs that do not. */
function loading(title: ObjectName): ReturnType<typeof both> {
  const spec = objectSpec(title)
  const maps = spec.maps.filter(({ structOps }) => structOps?.autocreate !== false)
  const operations = maps.flatMap(({ structOps }) => structOps?.programs.map(({ program }) => program) ?? [])
  const programs = spec.programs.filter(({ name, autoload, type }) =>
    type === 'struct_ops' ? operations.includes(name) : autoload,
  )
  const bytes = encodeObject({ ...spec, maps, programs })
  return { title, theirs: bytes, ours: bytes, programs: programs.map(({ name }) => name) }
}

/**
 * An object that libbpf is asked about, and another that has to become the same. Programs are those that load by
 * themselves; the last one of tracepoints does not, and bpftool would refuse to pin it.
 */
const objects: readonly {
  readonly title: string
  readonly theirs: Uint8Array
  readonly ours: Uint8Array
  readonly programs: readonly string[]
  /** Only newer libbpf loads it. */
  readonly newer?: boolean
}[] = [
  { title: 'tracer', theirs: objectBytes('tracer'), ours: encoded('tracer'), programs: ['count_calls'] },
  {
    title: 'nested',
    theirs: objectBytes('nested'),
    ours: encoded('nested'),
    programs: ['before_tail_call', 'after_tail_call'],
  },
  both('externs', ['reads_externs']),
  loading('tracepoints'),
  both('ring', []),
  both('pinned', ['count']),
  both('replaced', ['ask']),
  both('throws', ['guarded']),
  { ...both('arena', ['add']), newer: true },
  { ...loading('congestion'), newer: true },
  { title: 'linked', theirs: linkedByLibbpf, ours: linkedByUs(), programs: ['enter', 'leave'] },
]

/** Of util-linux, as bpftool is of its own package. */
const unshare = 'unshare'

/** Translated instructions after libbpf has loaded the object, by program. */
function byLibbpf(object: Uint8Array, programs: readonly string[]): ReadonlyMap<string, Uint8Array> {
  const dir = mkdtempSync(join(tmpdir(), 'tsbpf-'))
  try {
    const file = join(dir, 'app.bpf.o')
    writeFileSync(file, object)
    // A mount namespace of its own: the file system with the pins is gone when the script ends.
    const dump = programs.map((name) => `"$3" prog dump xlated pinned "$1/fs/p/${name}" file "$1/${name}"`)
    const script = [
      'set -e',
      'mkdir "$1/fs"',
      'mount -t bpf bpf "$1/fs"',
      // Maps that are pinned by name: not into the file system of everybody.
      'mount -t bpf bpf /sys/fs/bpf',
      '"$3" prog loadall "$2" "$1/fs/p"',
      ...dump,
    ]
    execFileSync(unshare, ['-m', 'sh', '-c', script.join('\n'), 'sh', dir, file, bpftool], {
      stdio: 'pipe',
    })
    return new Map(programs.map((name) => [name, readFileSync(join(dir, name))]))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Wide loads of maps and map values: there the kernel shows the map's id. */
const mapSources = new Set([1, 2])

/** The same bytes for the same program, whatever ids its maps have. */
function masked(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  const insns = new InsnView(copy, { littleEndian: true })
  for (let i = 0; i < insns.count; i++) {
    if (!insns.isWide(i)) continue
    // An arena's or a symbol's address has a high word; the index of a map has none.
    const address = insns.imm(i + 1) !== 0 && insns.src(i) === 0
    if (mapSources.has(insns.src(i)) || address) insns.setImm(i, 0)
    if (address) insns.setImm(i + 1, 0)
    i++
  }
  return copy
}

function slots(bytes: Uint8Array): readonly string[] {
  return Array.from({ length: bytes.length / 8 }, (_, i) =>
    Buffer.from(bytes.subarray(i * 8, i * 8 + 8)).toString('hex'),
  )
}

const pinPath = `/sys/fs/bpf/tsbpf-translated-${process.pid}`

/** Translated instructions after our loader has loaded the object, by program. */
function byUs(object: Uint8Array, programs: readonly string[]): ReadonlyMap<string, Uint8Array> {
  try {
    using bpf = loadSync(parseObject(object, { name: 'app.bpf.o' }), { pinPath })
    const translated = (name: string): Uint8Array => {
      const { arrays } = progGetInfo(nativeSys(), bpf.program(name).fd, ['xlated_prog_insns'])
      return arrays.get('xlated_prog_insns') ?? new Uint8Array(0)
    }
    return new Map(programs.map((name) => [name, translated(name)]))
  } finally {
    rmSync(pinPath, { recursive: true, force: true })
  }
}

describe.skipIf(gate.skip || oracle.skip)(oracle.title('translated programs'), () => {
  for (const { title, theirs, ours, programs, newer } of objects) {
    if (newer === true && oracles === undefined) continue
    it(`are those of libbpf, also from an object that we wrote: ${title}`, async () => {
      await leavesNothing(() => {
        const expected = byLibbpf(theirs, programs)
        const others = [byUs(theirs, programs), byLibbpf(ours, programs), byUs(ours, programs)]
        for (const [index, other] of others.entries()) {
          for (const name of programs) {
            const insns = other.get(name) ?? new Uint8Array(0)
            expect(insns.length).toBeGreaterThan(0)
            const what = `${name}, way ${index}`
            expect(slots(masked(insns)), what).toEqual(slots(masked(expected.get(name) ?? new Uint8Array(0))))
          }
        }
      })
    })
  }
})
