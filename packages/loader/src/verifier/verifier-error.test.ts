import type { InsnIndex, TypeId } from '@tsbpf/base'
import type { CoreResult } from '@tsbpf/core-reloc'
import type { LinkedProgram } from '@tsbpf/object'
import { describe, expect, it } from 'vitest'
import { VerifierError } from '../index.ts'

const at = (insn: number): InsnIndex => insn as InsnIndex
const line = (insn: number, number: number, text: string): LinkedProgram['lineInfo'][number] => ({
  insn: at(insn),
  file: 'a.bpf.c',
  line: number,
  column: 3,
  text,
  fileOffset: 1,
  textOffset: 2,
})

const linked: LinkedProgram = {
  name: 'main',
  byteOrder: 'little',
  insns: new Uint8Array(160),
  relocations: [],
  lineInfo: [line(0, 1, 'int main()'), line(10, 20, 'helper()'), line(12, 22, 'x = y->z;')],
  functions: [
    { name: 'main', startSlot: at(0), btfFunc: 1 as TypeId },
    { name: 'helper', startSlot: at(10), btfFunc: 2 as TypeId },
  ],
}

function poisoned(program: string, insn: number, accessText: string): CoreResult {
  const type = { id: 1 as TypeId, name: 'c', kind: 'struct' } as const
  const candidate = { ...type, id: 7 as TypeId, source: 'vmlinux' }
  return {
    program,
    insn: at(insn),
    kind: 'byte_off',
    localType: { ...type, source: 'object' },
    access: '0:1',
    accessText,
    status: 'poisoned',
    oldValue: 8n,
    newValue: undefined,
    memSize: undefined,
    targetType: undefined,
    candidates: [
      { type: candidate, verdict: 'mismatch', accessText: undefined, why: 'struct c has no member d' },
    ],
    error: undefined,
    line: { file: 'a.bpf.c', line: 22, column: 3, text: 'x = y->z;' },
    littleEndian: true,
    before: Uint8Array.of(0xb7, 1, 0, 0, 8, 0, 0, 0),
    after: Uint8Array.of(0x85, 0, 0, 0, 0x10, 0x23, 0xad, 0x0b),
  }
}

function refuse(log: string, relocations: readonly CoreResult[] = [], truncated = false): VerifierError {
  return new VerifierError({ linked, relocations, errno: 'EINVAL', log, truncated })
}

describe('VerifierError', () => {
  it('places an instruction in its function and source line', () => {
    const error = refuse('13: (61) r1 = *(u32 *)(r2 +0) ; R1=1\nR2 invalid mem access\nprocessed 3 insns\n')
    expect(error).toMatchObject({
      code: 'LOADER_REJECTED',
      program: 'main',
      function: 'helper',
      insn: 13,
      summary: 'R2 invalid mem access',
      source: { file: 'a.bpf.c', line: 22, column: 3, text: 'x = y->z;' },
    })
    expect(error.message).toBe(
      [
        "the kernel's verifier refuses program main: R2 invalid mem access",
        '  at insn 13 in helper: (61) r1 = *(u32 *)(r2 +0)',
        '  a.bpf.c:22:3: x = y->z;',
      ].join('\n'),
    )
  })

  it('names the relocation at the poisoned instruction, also the second slot of a wide one', () => {
    const relocations = [
      poisoned('main', 2, 'struct a.b (0:0 @ offset 0)'),
      poisoned('helper', 2, 'struct c.d (0:1 @ offset 8)'),
    ]
    for (const insn of [12, 13]) {
      const error = refuse(
        `${insn}: (85) call unknown#195896080\ninvalid func unknown#195896080\n`,
        relocations,
      )
      expect(error.code).toBe('LOADER_POISONED')
      expect(error.relocation).toBe(relocations[1])
      expect(error.hint).toContain('bpf_core_field_exists')
    }
  })

  it('explains the poisoned relocation with its source line, in place of the call that stands there', () => {
    const log = '12: (85) call unknown#195896080\ninvalid func unknown#195896080\n'
    const error = refuse(log, [poisoned('helper', 2, 'struct c.d (0:1 @ offset 8)')])
    expect(error.message).toBe(
      [
        'program main needs what this kernel does not have: CO-RE relocation <byte_off> struct c.d (0:1 @ offset 8) could not be resolved',
        '  helper insn 2 (a.bpf.c:22): byte_off of struct c.d (0:1 @ offset 8)',
        '    source: x = y->z;',
        '    does not fit: struct c [7] of vmlinux: struct c has no member d',
        '    before: r1 = 0x8',
        '    after:  call 0xbad2310',
        '    poisoned: no candidate fits, so byte_off has no value; the verifier refuses the program if it can get here',
      ].join('\n'),
    )
    expect(error.window.find(({ insn }) => insn === 12)?.text).toBe('(b7) r1 = 8, poisoned')
    // It would speak of a helper.
    expect(error.explanation).toBeUndefined()
  })

  it('does not invent a relocation', () => {
    const error = refuse('3: (85) call unknown#195896080\ninvalid func unknown#195896080\n')
    expect(error.code).toBe('LOADER_REJECTED')
  })

  it('names the weak kfunc that is called and not there', () => {
    const log = '3: (85) call unknown#2002000001\ninvalid func unknown#2002000001\n'
    const ref = { kind: 'extern', name: 'bpf_new_one', use: 'call' } as const
    const error = new VerifierError({
      linked: { ...linked, relocations: [{ insn: at(3), ref }] },
      relocations: [],
      errno: 'EINVAL',
      log,
      truncated: false,
    })
    expect(error).toMatchObject({ code: 'LOADER_NO_KFUNC', context: { missing: 'bpf_new_one' } })
    expect(error.headline).toBe('program main calls kfunc bpf_new_one, which this kernel does not have')
    expect(error.message).toContain('a.bpf.c:1:3: int main()')
  })

  it('names a helper that is newer than the kernel, which has no name for it', () => {
    const error = refuse('3: (85) call unknown#211\ninvalid func unknown#211\n')
    expect(error).toMatchObject({
      code: 'LOADER_NO_HELPER',
      context: { missing: 'bpf_cgrp_storage_delete#211' },
    })
    expect(refuse('3: (85) call bpf_redirect#23\nunknown func bpf_redirect#23\n').headline).toBe(
      'program main calls helper bpf_redirect#23, which this kernel does not have for programs of type unknown',
    )
  })

  it('says which capability the verifier would ask for less with', () => {
    const log = '3: (7b) *(u64 *)(r0 +0) = r10\nR10 leaks addr into map\n'
    const error = new VerifierError({
      linked,
      relocations: [],
      errno: 'EACCES',
      log,
      truncated: false,
      lacking: ['CAP_PERFMON'],
    })
    expect(error.hint).toMatch(/^this process lacks CAP_PERFMON, with which the verifier allows more; else /)
    expect(error.context).toMatchObject({ message: 'capability', lacking: ['CAP_PERFMON'] })
    expect(refuse(log).hint).toMatch(/^run as root/)
  })

  it('takes no instruction from a log whose end is missing', () => {
    const start = '0: R1=ctx()\n0: (b7) r0 = 0 ; R0=0\n1: (b7) r1 = 0 ; R1=0\n'
    expect(refuse(start, [], true)).toMatchObject({ insn: undefined, source: undefined, summary: 'EINVAL' })
    expect(refuse(start)).toMatchObject({ insn: 1 })
  })

  it('shows an unknown message as it is, with instruction and source line', () => {
    const error = refuse('12: (95) exit\nthe moon is not full\nprocessed 3 insns (limit 1000000)\n')
    expect(error).toMatchObject({ explanation: undefined, summary: 'the moon is not full', insn: 12 })
    expect(error.message).toBe(
      [
        "the kernel's verifier refuses program main: the moon is not full",
        '  at insn 12 in helper: (95) exit',
        '  a.bpf.c:22:3: x = y->z;',
      ].join('\n'),
    )
  })

  it('does without instruction and source', () => {
    const error = refuse('func_info BTF section is missing\n', [], true)
    expect(error).toMatchObject({ insn: undefined, source: undefined, truncated: true })
    expect(error.message).toBe("the kernel's verifier refuses program main: func_info BTF section is missing")
    expect(error.hint).toContain('it was cut')
    expect(error.window).toEqual([])
  })

  it('tells an instruction that is newer than the kernel from other mistakes', () => {
    for (const summary of [
      'BPF_LDX uses reserved fields',
      'unknown opcode 06',
      'BPF_MOV uses reserved fields',
    ])
      expect(refuse(`5: (81) r0 = *(s32 *)(r1 +0)\n${summary}\n`).hint).toContain('-mcpu')
    expect(refuse('R0 !read_ok\n').hint).not.toContain('-mcpu')
  })

  it('survives any log', () => {
    for (const log of ['\0', '999999999: (', ';;;\n; @ :\n', '0: ()\n'.repeat(10), '\uFFFD'.repeat(100)]) {
      expect(refuse(log).log).toBe(log)
    }
  })
})
