import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Btf } from '@tsbpf/btf'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { loadableBtf, parseObject } from '../../src/index.ts'

const oracles = process.env['TSBPF_ORACLES']
const gate = requires({
  root: true,
  missing: (oracles ?? '') === '',
  commands: ['unshare', 'clang-19'],
  reason: 'loads with libbpf (TSBPF_ORACLES, see tools/oracles)',
})

/** In a mount namespace of its own: the pins, and with them all that was loaded, end with the script. */
const script = `
set -e
mount -t bpf bpf "$1"
"$2" prog loadall "$3" "$1/p"
id=$("$2" prog show pinned "$1/p/first" | sed -n 's/.*btf_id \\([0-9]*\\).*/\\1/p')
"$2" --json btf dump id "$id"
`

function linkages(btf: Btf): Map<string, string> {
  const found = new Map<string, string>()
  for (let id = btf.firstId; id < btf.endId; id++) {
    const type = btf.type(id)
    if (type.kind === 'func') found.set(type.name, type.linkage)
  }
  return found
}

describe.skipIf(gate.skip)(gate.title('the BTF that is loaded'), () => {
  it('has hidden subprograms as static functions, as libbpf loads it', () => {
    const dir = mkdtempSync(join(tmpdir(), 'tsbpf-'))
    try {
      const file = join(dir, 'hidden.bpf.o')
      const source = join(import.meta.dirname, 'hidden.bpf.c')
      const built = spawnSync('clang-19', ['-target', 'bpf', '-O2', '-g', '-c', source, '-o', file])
      expect(String(built.stderr)).toBe('')
      const fs = mkdtempSync(join(dir, 'fs-'))
      const bpftool = join(oracles ?? '', 'bin/bpftool')
      const argv = ['-m', 'sh', '-c', script, 'sh', fs, bpftool, file]
      const { status, stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const { types } = JSON.parse(stdout) as { types: { kind: string; name: string; linkage: string }[] }
      const loaded = types.filter(({ kind }) => kind === 'FUNC').map(({ name, linkage }) => [name, linkage])

      const spec = parseObject(readFileSync(file))
      const ours = linkages(loadableBtf(spec)!)
      expect([...ours]).toEqual(loaded)
      const changed = [...linkages(spec.btf!)].filter(([name, linkage]) => ours.get(name) !== linkage)
      expect(changed).toEqual([
        ['hidden_one', 'global'],
        ['hidden_weak', 'global'],
      ])
      expect([ours.get('second'), ours.get('visible')]).toEqual(['global', 'global'])
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
