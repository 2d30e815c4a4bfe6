import { describe, expect, it } from 'vitest'
import { parseVerifierLog } from './parse-log.ts'

// Not recorded: no kernel here is so new. They follow what kernel/bpf/diagnostics.c of 7.3 writes.
const short = `0: R1=ctx() R10=fp0
0: (95) exit
R0 !read_ok

Verification failed: Register Type Safety: Unreadable register

Reason:
  R0 was not written on this path.

At:
  insn 0
       | ^-- error: R0 is not readable
  Instruction context:
  >>> 0 | (95) exit

Causal path:
  no retained diagnostic events on this path

Suggestion:
  Write R0 first.

processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`
const long = `7: (b7) r1 = 1                        ; R1=1
; *slot = 1; @ a.bpf.c:15
8: (7b) *(u64 *)(r0 +0) = r1
R0 invalid mem access 'map_value_or_null'

Verification failed: Register Type Safety: Invalid dereference

Reason:
  R0 may be NULL here, which is said at a length that does not fit into
  one line of the log.

At:
  count @ a.bpf.c:15:9
  Source context:
      14 |   u64 *slot = lookup(&slots);
  >>> 15 |   *slot = 1;
         |   ^-- error: invalid dereference of R0, in words
         |       that go on
  Instruction context:
      7 | (b7) r1 = 1
  >>> 8 | (7b) *(u64 *)(r0 +0) = r1

Causal path:
  count @ a.bpf.c:14:15
  Source context:
  >>> 14 |   u64 *slot = lookup(&slots);

Suggestion:
  Compare it with NULL.

processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`

describe('the report of kernels from 7.3 on', () => {
  it('is read beside the message that kernels have always given', () => {
    const { message, insn, report, statistics } = parseVerifierLog(short)
    expect([message, insn, statistics?.insns]).toEqual(['R0 !read_ok', 0, 1])
    expect(report).toEqual({
      category: 'Register Type Safety',
      problem: 'Unreadable register',
      reason: 'R0 was not written on this path.',
      suggestion: 'Write R0 first.',
      insn: 0,
      insnText: '(95) exit',
      source: undefined,
      note: 'R0 is not readable',
      path: ['no retained diagnostic events on this path'],
    })
  })

  it('has place, note and causal path', () => {
    const { source, report } = parseVerifierLog(long)
    expect(source).toEqual({ file: 'a.bpf.c', line: 15, column: undefined, text: '*slot = 1;' })
    expect(report).toMatchObject({
      reason: 'R0 may be NULL here, which is said at a length that does not fit into one line of the log.',
      source: { file: 'a.bpf.c', line: 15, column: 9, text: '*slot = 1;' },
      insn: 8,
      insnText: '(7b) *(u64 *)(r0 +0) = r1',
      note: 'invalid dereference of R0, in words that go on',
    })
    expect(report?.path).toHaveLength(3)
  })

  it('stands alone where the log has no more', () => {
    const alone = long.slice(long.indexOf('Verification failed'))
    expect(parseVerifierLog(alone)).toMatchObject({
      message: 'Register Type Safety: Invalid dereference',
      insn: 8,
      insnText: '(7b) *(u64 *)(r0 +0) = r1',
      source: { file: 'a.bpf.c', line: 15 },
    })
  })

  it('gives a value for any text', () => {
    for (const text of ['Verification failed: ', 'Verification failed: A\nAt:\n', `${short}${short}`]) {
      expect(parseVerifierLog(text).report).toBeDefined()
    }
  })
})
