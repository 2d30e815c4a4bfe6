import { encodeInsns, formatInsn, instructionSet } from '@tsbpf/isa'
import { progLoad, progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { progFlags, progTypes } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { leavesNothing } from '../kernel-objects.ts'
import type { Case } from './cases.ts'
import { casesOf, contextOf, mostCases, programOf } from './cases.ts'
import { runAlone } from './single-programs.ts'

const gate = requires({ root: true, kernel: [6, 15], reason: 'loads and runs programs' })

/** Runs cases of one row; what they left, in their order. */
function run(cases: readonly Case[]): readonly Case['expected'][] {
  const sys = nativeSys()
  const log_buf = new Uint8Array(1 << 20)
  const { fd } = progLoad(sys, {
    prog_type: progTypes.value('syscall'),
    prog_flags: progFlags.value('sleepable'),
    insns: encodeInsns(programOf(cases), { littleEndian: true }),
    license: 'GPL',
    log_buf,
    log_level: 1,
  })
  if (fd < 0) throw new Error(new TextDecoder().decode(log_buf.subarray(0, log_buf.indexOf(0))))
  try {
    const context = contextOf(cases)
    progTestRun(sys, { prog_fd: fd, ctx_in: context.bytes })
    return context.read()
  } finally {
    sys.close(fd)
  }
}

describe.skipIf(gate.skip)(gate.title('instructions compute what RFC 9669 says'), () => {
  const rows = instructionSet.map((row) => ({ name: row.name, cases: casesOf(row) }))

  it.each(rows.filter(({ cases }) => cases.length > 0))('$name', async ({ cases }) => {
    await leavesNothing(() => {
      for (let from = 0; from < cases.length; from += mostCases) {
        const part = cases.slice(from, from + mostCases)
        const left = run(part)
        const wrong = part.flatMap(({ insn, given, expected }, i) =>
          left[i]?.every((value, j) => value === expected[j]) === true
            ? []
            : [{ text: formatInsn(insn, 'verifier'), given, expected, actual: left[i] }],
        )
        expect(wrong).toEqual([])
      }
    })
  })

  it('leaves no row out: all others run in programs of their own', () => {
    expect(
      rows
        .filter(({ cases }) => cases.length === 0)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...runAlone].sort())
  })
})
