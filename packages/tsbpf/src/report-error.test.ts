import { buildObject, helpers, map, program, r0, r1, r10, r2, subprogram, u32, u64 } from '@tsbpf/asm'
import { TsbpfError } from '@tsbpf/base'
import { VerifierError } from '@tsbpf/loader'
import { linkSubprograms } from '@tsbpf/object'
import { describe, expect, it } from 'vitest'
import { testIo } from '../test/support/test-io.ts'
import { reportError } from './report-error.ts'

const slots = map('slots', { type: 'hash', key: u32, value: u64, maxEntries: 1 })
const find = subprogram('find', (b) => {
  b.stw(r10.at(-4), 0)
  b.lddw(r1, slots).mov(r2, r10).add(r2, -4)
  b.call(helpers.map_lookup_elem)
  b.stdw(r0.at(0), 1)
  b.mov(r0, 0).exit()
})
const count = program('count', 'tc', (b) => b.call(find).exit())
const c = new Map([
  ['stw(r10.at(-4), 0)', { line: 111, text: 'u32 key = 0;' }],
  ['call(map_lookup_elem)', { line: 113, text: 'u64 *slot = bpf_map_lookup_elem(&slots, &key);' }],
  ['stdw(r0.at(0), 1)', { line: 114, text: '*slot = 1;' }],
])
const spec = buildObject(
  { license: 'GPL', programs: [count] },
  {
    resolveSite: ({ operation }) => {
      const line = c.get(operation)
      return line === undefined ? undefined : { file: 'count.bpf.c', column: 9, ...line }
    },
  },
)

/** What kernel 6.18 says of that program. */
const log = `func#0 @0
func#1 @2
0: R1=ctx() R10=fp0
0: (85) call pc+1
caller:
 R10=fp0
callee:
 frame1: R1=ctx() R10=fp0
; u32 key = 0; @ count.bpf.c:111
2: (62) *(u32 *)(r10 -4) = 0          ; frame1: R10=fp0 fp-8=0000????
3: (18) r1 = 0xffff888103f8d800       ; frame1: R1=map_ptr(map=slots,ks=4,vs=8)
5: (bf) r2 = r10                      ; frame1: R2=fp0 R10=fp0
6: (07) r2 += -4                      ; frame1: R2=fp-4
; u64 *slot = bpf_map_lookup_elem(&slots, &key); @ count.bpf.c:113
7: (85) call bpf_map_lookup_elem#1    ; frame1: R0=map_value_or_null(id=1,map=slots,ks=4,vs=8)
; *slot = 1; @ count.bpf.c:114
8: (7a) *(u64 *)(r0 +0) = 1
R0 invalid mem access 'map_value_or_null'
processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`

function refused(text: string): VerifierError {
  const linked = linkSubprograms(spec, spec.programs[0]!)
  return new VerifierError({ linked, relocations: [], errno: 'EACCES', log: text, truncated: false })
}

describe('reportError', () => {
  it('prints a refusal of the verifier as compilers print errors', () => {
    const io = testIo()
    reportError(io, refused(log))
    expect(io.err()).toBe(`\
error[LOADER_REJECTED]: the kernel's verifier refuses program count: R0 invalid mem access 'map_value_or_null'
   --> count.bpf.c:114:9
    |
114 | *slot = 1;
    | ^^^^^^^^^^
instruction 8 of find, which is part of count:
   5: (bf) r2 = r10
   6: (07) r2 += -4
   7: (85) call bpf_map_lookup_elem#1
>  8: (7a) *(u64 *)(r0 +0) = 1
   9: (b7) r0 = 0
  10: (95) exit
registers and stack before it, in call 1:
  R0   = map_value_or_null(id=1,map=slots,ks=4,vs=8)
  R10  = fp0
  fp-8 = 0000????
path to it:
     2: count.bpf.c:111: u32 key = 0;
     7: count.bpf.c:113: u64 *slot = bpf_map_lookup_elem(&slots, &key);
     8: count.bpf.c:114: *slot = 1;
meaning: The pointer may be NULL here: a helper gives NULL where it finds or gets nothing.
hint: compare the pointer with NULL and use it only where it is not
log: TSBPF_DEBUG=1 shows 19 more lines
`)
  })

  it('colours it, unless NO_COLOR is set', () => {
    const plain = testIo({ env: { NO_COLOR: '1' }, isTTY: true })
    reportError(plain, refused(log))
    expect(plain.err()).not.toContain('\u001b')
    const coloured = testIo({ isTTY: true })
    reportError(coloured, refused(log))
    expect(coloured.err()).toMatch(/\u001b\[31m\^{10}\u001b\[39m/)
    expect(coloured.err().replace(/\u001b\[\d+m/g, '')).toBe(plain.err())
  })

  it('shows the end of the log where nobody knows what the message means', () => {
    const lines = Array.from({ length: 100 }, (_, i) => `0: (95) exit ${i} \u001b[31m`)
    const io = testIo()
    reportError(io, refused([...lines, 'the moon is not full\n'].join('\n')))
    expect(io.err()).toMatch(
      /^error\[LOADER_REJECTED\]: .*: the moon is not full\n(?:.*\n)*hint: .*\nlog: TSBPF_DEBUG=1 shows 81 more lines\n {2}0: \(95\) exit 81 /,
    )
    expect(io.err()).toMatch(/ exit 99 \\x1b\[31m\n {2}the moon is not full\n$/)
    expect(io.err()).not.toContain('exit 80')
    expect(io.err()).not.toContain('\u001b')
  })

  it('shows all of the log for debugging', () => {
    const debugging = testIo({ env: { TSBPF_DEBUG: '1' } })
    reportError(debugging, refused(log))
    expect(debugging.err()).toContain('log:\n  func#0 @0\n')
  })

  it('prints message and hint of any other error', () => {
    const io = testIo()
    reportError(io, new TsbpfError('MAP_X', 'no\u001b[31m', { hint: 'look' }))
    expect(io.err()).toBe('error[MAP_X]: no\\x1b[31m\nhint: look\n')
  })
})
