import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeObject } from '@tsbpf/object'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { callLine } from '../../src/index.ts'
import { everything } from '../objects.ts'

const oracles = process.env['TSBPF_ORACLES']
const gate = requires({
  root: true,
  kernel: [6, 12],
  missing: (oracles ?? '') === '',
  commands: ['unshare'],
  reason: 'loads with libbpf (TSBPF_ORACLES, see tools/oracles)',
})

/** In a mount namespace of its own: the file system with the pins, and with it all that was loaded, ends with the script. */
const script = `
set -e
mount -t bpf bpf "$1"
"$2" prog loadall "$3" "$1/p" pinmaps "$1/m"
for one in "$1"/p/*; do "$2" --json prog show pinned "$one"; echo; done
"$2" --json map dump pinned "$1"/m/*own
echo
"$2" prog dump xlated pinned "$1/p/main_prog" linum
`

describe.skipIf(gate.skip)(gate.title('objects of the builder'), () => {
  it('are loaded by libbpf, with maps, variables, subprograms, kfuncs, types and source lines', () => {
    const dir = mkdtempSync(join(tmpdir(), 'tsbpf-'))
    try {
      const file = join(dir, 'everything.bpf.o')
      writeFileSync(file, encodeObject(everything({ resolveSite: callLine, name: 'everything' })))
      const fs = mkdtempSync(join(dir, 'fs-'))
      const bpftool = join(oracles ?? '', 'bin/bpftool')
      const { status, stdout, stderr } = spawnSync(
        'unshare',
        ['-m', 'sh', '-c', script, 'sh', fs, bpftool, file],
        {
          encoding: 'utf8',
        },
      )
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const shown = stdout.split('\n').filter((line) => /^[[{]/.test(line))
      const [main, tail, traced, data] = shown.map((line) => JSON.parse(line) as Record<string, unknown>)
      expect([main, tail, traced].map((one) => [one?.['name'], one?.['type']])).toEqual([
        ['main_prog', 'sched_cls'],
        ['tail', 'sched_cls'],
        ['traced', 'tracing'],
      ])
      expect(JSON.stringify(data)).toContain('"formatted":{"value":{".data.own":[{"own":9}]}}')
      expect(stdout).toMatch(
        /; lddw\(r1, seen\.at\(8\)\) \[file:objects\.ts line_num:\d+ line_col:\d+\]\n.*map\[id:\d+\]\[0\]\+8/,
      )
      expect(stdout).toMatch(/; call\(scaled\) .*\n.*#bpf_prog_\w+_scaled/)
      expect(stdout).toMatch(/; lddw\(r2, each\) .*\n.*subprog\[\+\d+\]/)
      expect(stdout).toContain('\nunsigned long long scaled(unsigned long long x):\n')
      expect(stdout).toContain('\nunsigned int twice(unsigned int x):\n')
      // What was mounted is gone with its namespace, and what was pinned with it.
      expect(readdirSync(fs)).toEqual([])
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
