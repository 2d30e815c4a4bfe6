import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import { parseVerifierLog } from './parse-log.ts'

// Logs as kernels print them; the first two are of 6.18 for objects of test/kernel/objects.
const refused = `arg#0 reference type('UNKNOWN ') size cannot be determined: -22
0: R1=ctx() R10=fp0
; int forgets_null_check(void *ctx) { @ rejected.bpf.c:12
0: (b4) w1 = 0                        ; R1=0
; u64 *slot = map_lookup(&slots, &key); @ rejected.bpf.c:14
4: (18) r1 = 0xffff8881047ac000       ; R1=map_ptr(map=slots,ks=4,vs=8)
6: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,map=slots,ks=4,vs=8)
7: (b7) r1 = 1                        ; R1=1
; *slot = 1; @ rejected.bpf.c:15
8: (7b) *(u64 *)(r0 +0) = r1
R0 invalid mem access 'map_value_or_null'
processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`
const oldKernel = `Unrecognized arg#0 type PTR
; *slot = 1;
8: (7b) *(u64 *)(r0 +0) = r1
 R0_w=map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0) R10=fp0
R0 invalid mem access 'map_value_or_null'
processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`

/** A subprogram that reads an array on the stack, on 6.18 at log level 2. */
const frames = `func#0 @0
func#1 @5
0: R1=ctx() R10=fp0
; mov(r6, r1) @ a.ts:3
0: (bf) r6 = r1                       ; R1=ctx() R6=ctx()
1: (85) call pc+3
caller:
 R6=ctx() R10=fp0 fp-8=mmmmmmmm
callee:
 frame1: R1=ctx() R10=fp0
; add(r1, 1) @ a.ts:9
5: (61) r2 = *(u32 *)(r1 +0)          ; frame1: R1=ctx() R2=scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))
6: (95) exit
returning from callee:
 frame1: R0=1 R1=ctx() R10=fp0
to caller at 2:
 R0=1 R6=ctx() R10=fp0 fp-8=mmmmmmmm refs=2,4
; exit() @ a.ts:4

from 6 to 2: R0=1 R6=ctx() R10=fp0 fp-8=mmmmmmmm refs=2,4
2: (0f) r6 += r0
mark_precise: frame0: last_idx 2 first_idx 0 subseq_idx -1
R6 pointer arithmetic on ctx prohibited
verification time 127 usec
stack depth 8+0
processed 5 insns (limit 1000000) max_states_per_insn 1 total_states 2 peak_states 3 mark_read 4
`

describe('parseVerifierLog', () => {
  it('finds message, instruction, source line, state and path', () => {
    expect(parseVerifierLog(refused)).toEqual({
      message: "R0 invalid mem access 'map_value_or_null'",
      insn: 8,
      insnText: '(7b) *(u64 *)(r0 +0) = r1',
      source: { file: 'rejected.bpf.c', line: 15, column: undefined, text: '*slot = 1;' },
      state: {
        frame: 0,
        registers: new Map([
          ['R0', 'map_value_or_null(id=1,map=slots,ks=4,vs=8)'],
          ['R1', '1'],
          ['R10', 'fp0'],
        ]),
        stack: new Map(),
        references: [],
      },
      path: [
        { insn: 0, text: '(b4) w1 = 0', source: expect.objectContaining({ line: 12 }) as object },
        {
          insn: 4,
          text: '(18) r1 = 0xffff8881047ac000',
          source: expect.objectContaining({ line: 14 }) as object,
        },
        {
          insn: 6,
          text: '(85) call bpf_map_lookup_elem#1',
          source: expect.objectContaining({ line: 14 }) as object,
        },
        { insn: 7, text: '(b7) r1 = 1', source: expect.objectContaining({ line: 14 }) as object },
        {
          insn: 8,
          text: '(7b) *(u64 *)(r0 +0) = r1',
          source: expect.objectContaining({ line: 15 }) as object,
        },
      ],
      statistics: { insns: 8, insnLimit: 1_000_000, maxStatesPerInsn: 0, totalStates: 0, peakStates: 0 },
      report: undefined,
    })
  })

  it('reads the states of 6.1, which mark what was read and written, and a source line without its file', () => {
    const { message, insn, source, state, path } = parseVerifierLog(oldKernel)
    expect([message, insn, source]).toEqual(["R0 invalid mem access 'map_value_or_null'", 8, undefined])
    expect(state?.registers).toEqual(
      new Map([
        ['R0', 'map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0)'],
        ['R10', 'fp0'],
      ]),
    )
    expect(path[0]?.source?.text).toBe('*slot = 1;')
  })

  it('follows frames, references and states of several words', () => {
    const { message, state, path, statistics } = parseVerifierLog(frames)
    expect(message).toBe('R6 pointer arithmetic on ctx prohibited')
    expect(state).toEqual({
      frame: 0,
      registers: new Map([
        ['R0', '1'],
        ['R6', 'ctx()'],
        ['R10', 'fp0'],
      ]),
      stack: new Map([[-8, 'mmmmmmmm']]),
      references: [2, 4],
    })
    expect(path.map(({ insn }) => insn)).toEqual([0, 1, 5, 6, 2])
    expect(statistics).toMatchObject({ insns: 5, maxStatesPerInsn: 1, totalStates: 2, peakStates: 3 })
    const inside = parseVerifierLog(
      frames.slice(0, frames.indexOf('6: (95)')) + '6: (95) exit\nR0 !read_ok\n',
    )
    expect(inside.state?.frame).toBe(1)
    expect(inside.state?.registers.get('R2')).toBe(
      'scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))',
    )
  })

  it('takes the instruction from a message about the control flow', () => {
    expect(
      parseVerifierLog('func#0 @0\nunreachable insn 7\nprocessed 0 insns (limit 1000000)\n'),
    ).toMatchObject({
      message: 'unreachable insn 7',
      insn: 7,
      insnText: undefined,
      source: undefined,
      state: undefined,
    })
    expect(parseVerifierLog('back-edge from insn 5 to 4\n').insn).toBe(5)
  })

  it('says nothing about an empty log', () => {
    expect(parseVerifierLog('')).toEqual({
      message: '',
      insn: undefined,
      insnText: undefined,
      source: undefined,
      state: undefined,
      path: [],
      statistics: undefined,
      report: undefined,
    })
  })

  it('looks at the end of a long log only, whose first line may be cut', () => {
    const log = '0: (b7) r1 = 1 ; R1=1\n'.repeat(200_000) + '9: (95) exit\nthe last word\n'
    const start = cpuTime()
    expect(parseVerifierLog(log.slice(5))).toMatchObject({ message: 'the last word', insn: 9 })
    expect(cpuTime() - start).toBeLessThan(200)
  })

  it('gives a value for any text, quickly', () => {
    const hostile = [
      '0: (95) exit ; R0=' + '('.repeat(100_000),
      'R0=' + ')'.repeat(100_000),
      `0: R1=${'a '.repeat(50_000)}`,
      `; ${'@ '.repeat(50_000)}:1`,
      'frame999999999: R1=ctx()\n0: (95) exit\nno\n',
      ' '.repeat(200_000) + ';',
      `0: (95) exit${' '.repeat(200_000)}`,
    ]
    const start = cpuTime()
    for (const log of hostile) expect(parseVerifierLog(log).path.length).toBeLessThan(2)
    expect(cpuTime() - start).toBeLessThan(1000)
  })
})
