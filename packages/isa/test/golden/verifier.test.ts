import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeInsn, formatInsn, instructionSet } from '../../src/index.ts'

interface Golden {
  readonly head: { readonly kernel: string; readonly notPrinted: readonly string[] }
  readonly insns: readonly { readonly op: string; readonly bytes: string; readonly text: string }[]
}

const { head, insns } = JSON.parse(readFileSync(new URL('verifier.json', import.meta.url), 'utf8')) as Golden

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))

describe(`verifier dialect, as kernel ${head.kernel} logs it`, () => {
  it.each([...new Set(insns.map((insn) => insn.op))])('%s', (op) => {
    const theirs = insns.filter((insn) => insn.op === op)
    const decoded = theirs.map(({ bytes }) => decodeInsn(bytesOf(bytes), 0, { littleEndian: true }))
    expect(decoded.map((insn) => insn.op)).toEqual(theirs.map(() => op))
    expect(decoded.map((insn) => formatInsn(insn, 'verifier'))).toEqual(theirs.map(({ text }) => text))
  })

  it('has a golden for every row that a kernel without maps and kfuncs can print', () => {
    const seen = new Set(insns.map((insn) => insn.op))
    expect(instructionSet.map((row) => row.name).filter((name) => !seen.has(name))).toEqual(head.notPrinted)
    expect(head.notPrinted).toEqual([
      'lddw_map_fd',
      'lddw_map_value',
      'lddw_btf_id',
      'lddw_func',
      'lddw_map_idx',
      'lddw_map_idx_value',
      'gotox',
      'call_kfunc',
      'callx',
    ])
  })
})
