import type { InsnIndex } from '@tsbpf/base'
import { formatInsn } from '@tsbpf/isa'
import { expect, it } from 'vitest'
import { makeBtf } from '../test/make-btf.ts'
import type { Made } from '../test/make-btf.ts'
import { insns, reloc } from '../test/make-insns.ts'
import { explain, relocateInsns } from './index.ts'
import type { ExplainOptions } from './index.ts'

const u32: Made = { int: 'u32', size: 4 }
const u64: Made = { int: 'u64', size: 8 }
const local = makeBtf([
  u32,
  {
    struct: 'task',
    size: 8,
    members: [
      ['pid', 1, 0],
      ['gone', 1, 32],
    ],
  },
])
const kernel = makeBtf([
  u64,
  { struct: 'task', size: 16, members: [['pid', 1, 64]] },
  { struct: 'task___other', size: 16, members: [] },
])
const targets = [{ name: 'vmlinux', btf: kernel }]
const code = insns(['ldxw', { dst: 2, src: 1 }], ['ldxw', { dst: 3, src: 1, off: 4 }], ['exit'])
const lineInfo = [
  { insn: 0 as InsnIndex, file: 'a.c', line: 7, column: 2, text: 'p->pid', fileOffset: 0, textOffset: 0 },
]

function explainAll(options: ExplainOptions = {}): string[] {
  const { results } = relocateInsns(
    code,
    [reloc('byte_off', 2, '0:0'), reloc('byte_off', 2, '0:1', 1), reloc('byte_off', 2, '0:9', 1)],
    { local, targets, littleEndian: true, program: 'main', lineInfo },
  )
  return results.map((result) => explain(result, options))
}

it('tells a relocation from the source line to the patched instruction', () => {
  expect(explainAll()).toEqual([
    `main insn 0 (a.c:7): byte_off of struct task.pid (0:0 @ offset 0)
  source: p->pid
  chosen: struct task [2] of vmlinux: struct task.pid (0:0 @ offset 8)
  does not fit: struct task___other [3] of vmlinux: struct task___other has no member pid
  before: r2 = *(u32 *)(r1 + 0x0)
  after:  r2 = *(u64 *)(r1 + 0x8)
  resolved: 0 -> 8, 4 -> 8 bytes`,
    `main insn 1 (a.c:7): byte_off of struct task.gone (0:1 @ offset 4)
  source: p->pid
  does not fit: struct task [2] of vmlinux: struct task has no member gone
  is out: struct task___other [3] of vmlinux: ruled out by main insn 0 (byte_off)
  before: r3 = *(u32 *)(r1 + 0x4)
  after:  call 0xbad2310
  poisoned: no candidate fits, so byte_off has no value; the verifier refuses the program if it can get here`,
    `main insn 1 (a.c:7): byte_off of struct task + 0:9
  source: p->pid
  before: r3 = *(u32 *)(r1 + 0x4)
  after:  call 0xbad2310
  failed: main insn 1 (a.c:7): byte_off of struct task + 0:9: struct task has 2 members, none at 9`,
  ])
})

it('writes instructions as asked', () => {
  expect(explainAll({ format: (insn) => formatInsn(insn, 'verifier') })[0]).toContain(
    'after:  (79) r2 = *(u64 *)(r1 +8)',
  )
})
