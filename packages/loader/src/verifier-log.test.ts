import { cpuTime } from '@tsbpf/testkit/cpu-time'
import { describe, expect, it } from 'vitest'
import { isPoison, summarizeLog } from './verifier-log.ts'

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
const poisoned = `0: R1=ctx() R10=fp0
; u64 value = 0; @ poisoned.bpf.c:13
2: (7b) *(u64 *)(r10 -8) = r1         ; R1=0 R10=fp0 fp-8=0
3: (85) call unknown#195896080
invalid func unknown#195896080
processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`
const oldKernel = `Unrecognized arg#0 type PTR
; *slot = 1;
8: (7b) *(u64 *)(r0 +0) = r1
 R0_w=map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0) R10=fp0
R0 invalid mem access 'map_value_or_null'
processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`

describe('summarizeLog', () => {
  it('finds the message, the instruction and the source line', () => {
    expect(summarizeLog(refused)).toEqual({
      message: "R0 invalid mem access 'map_value_or_null'",
      insn: 8,
      insnText: '(7b) *(u64 *)(r0 +0) = r1',
      source: { file: 'rejected.bpf.c', line: 15, text: '*slot = 1;' },
    })
  })

  it('sees a poisoned CO-RE relocation', () => {
    const summary = summarizeLog(poisoned)
    expect(summary.insn).toBe(3)
    expect(isPoison(summary, 195896080)).toBe(true)
    expect(isPoison(summarizeLog(refused), 195896080)).toBe(false)
  })

  it('has no source where the kernel names no file', () => {
    expect(summarizeLog(oldKernel)).toEqual({
      message: "R0 invalid mem access 'map_value_or_null'",
      insn: 8,
      insnText: '(7b) *(u64 *)(r0 +0) = r1',
      source: undefined,
    })
  })

  it('takes the instruction from a message about the control flow', () => {
    expect(summarizeLog('func#0 @0\nunreachable insn 7\nprocessed 0 insns (limit 1000000)\n')).toEqual({
      message: 'unreachable insn 7',
      insn: 7,
      insnText: undefined,
      source: undefined,
    })
    expect(summarizeLog('back-edge from insn 5 to 4\n').insn).toBe(5)
  })

  it('keeps an instruction without its state', () => {
    const log = '6: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1)\nwrong\n'
    expect(summarizeLog(log).insnText).toBe('(85) call bpf_map_lookup_elem#1')
  })

  it('says nothing about an empty log', () => {
    expect(summarizeLog('')).toEqual({
      message: '',
      insn: undefined,
      insnText: undefined,
      source: undefined,
    })
  })

  it('looks at the end of a long log only', () => {
    const log = '0: (b7) r1 = 1 ; R1=1\n'.repeat(200_000) + '9: (95) exit\nthe last word\n'
    const start = cpuTime()
    expect(summarizeLog(log)).toMatchObject({ message: 'the last word', insn: 9 })
    expect(cpuTime() - start).toBeLessThan(100)
  })
})
