import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { InsnView } from '@tsbpf/isa'
import { progGetInfo } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { loadSync } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectPath, objectSpec } from './objects.ts'
import type { ObjectName } from './objects.ts'

const gate = requires({ root: true, reason: 'loads programs' })
const folders = (process.env['PATH'] ?? '').split(delimiter)
const hasBpftool = folders.some((folder) => existsSync(join(folder, 'bpftool')))
const oracle = requires({
  root: true,
  missing: !hasBpftool && process.env['CI'] !== 'true',
  reason: 'compares with libbpf by bpftool, which is not on PATH',
})

/** Programs that load by themselves; the last one of tracepoints does not, and bpftool would refuse to pin it. */
const objects: readonly (readonly [ObjectName, readonly string[]])[] = [
  ['tracer', ['count_calls']],
  ['nested', ['before_tail_call', 'after_tail_call']],
]

/** Of util-linux, as bpftool is of its own package. */
const unshare = 'unshare'

/** Translated instructions after libbpf has loaded the object, by program. */
function byLibbpf(object: ObjectName, programs: readonly string[]): ReadonlyMap<string, Uint8Array> {
  const dir = mkdtempSync(join(tmpdir(), 'tsbpf-'))
  try {
    // A mount namespace of its own: the file system with the pins is gone when the script ends.
    const dump = programs.map((name) => `bpftool prog dump xlated pinned "$1/fs/p/${name}" file "$1/${name}"`)
    const script = [
      'set -e',
      'mkdir "$1/fs"',
      'mount -t bpf bpf "$1/fs"',
      'bpftool prog loadall "$2" "$1/fs/p"',
      ...dump,
    ]
    execFileSync(unshare, ['-m', 'sh', '-c', script.join('\n'), 'sh', dir, objectPath(object)], {
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
    if (mapSources.has(insns.src(i))) insns.setImm(i, 0)
    i++
  }
  return copy
}

function slots(bytes: Uint8Array): readonly string[] {
  return Array.from({ length: bytes.length / 8 }, (_, i) =>
    Buffer.from(bytes.subarray(i * 8, i * 8 + 8)).toString('hex'),
  )
}

describe.skipIf(gate.skip || oracle.skip)(oracle.title('translated programs'), () => {
  for (const [object, programs] of objects) {
    it(`are those of libbpf: ${object}`, async () => {
      await leavesNothing(() => {
        const theirs = byLibbpf(object, programs)
        using bpf = loadSync(objectSpec(object))
        for (const name of programs) {
          const { arrays } = progGetInfo(nativeSys(), bpf.program(name).fd, ['xlated_prog_insns'])
          const ours = arrays.get('xlated_prog_insns') ?? new Uint8Array(0)
          expect(ours.length).toBeGreaterThan(0)
          expect(slots(masked(ours)), name).toEqual(slots(masked(theirs.get(name) ?? new Uint8Array(0))))
        }
      })
    })
  }
})
