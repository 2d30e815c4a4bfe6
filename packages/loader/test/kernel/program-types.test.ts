import { readFileSync } from 'node:fs'
import type { ObjectSpec, ProgramSpec } from '@tsbpf/object'
import { parseSectionName } from '@tsbpf/object'
import { kernelVersion, requires } from '@tsbpf/testkit'
import { sections } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { loadSync } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'

/** `r0 = 0; exit`, which the verifier takes in every type of program but those that must return something else. */
const insns = new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0])

/** Rows of the page that people read: program type and state. */
const rows = readFileSync(new URL('../../../../docs/support.md', import.meta.url), 'utf8')
  .split(/^## /m)
  .filter((part) => part.startsWith('Program types'))
  .flatMap((part) => [...part.matchAll(/^\| `(\w+)` +\| ([\w., ]+?) +\|/gm)])
  .map(([, type = '', state = '']) => ({ type, state }))

function specOf(type: string): ObjectSpec {
  const candidates = sections.filter((section) => section.progType === type)
  // What a program is loaded for decides, where several names lead to its type: a target that is there on any kernel.
  const section = candidates.find((row) => row.prefix === 'tp_btf') ?? candidates[0]
  if (section === undefined) throw new RangeError(`no section name leads to ${type}`)
  const name =
    section.match === 'exact'
      ? section.prefix
      : `${section.prefix}/${type === 'lsm' ? 'inode_getattr' : 'sys_enter'}`
  const program: ProgramSpec = {
    name: 'nothing',
    sectionOffset: 0,
    binding: 'global',
    insns,
    relocations: [],
    coreRelocations: [],
    btfFunc: undefined,
    lineInfo: [],
    ...parseSectionName(name),
  }
  return {
    byteOrder: 'little',
    license: 'GPL',
    kernelVersion: undefined,
    programs: [program],
    subprograms: [],
    maps: [],
    variables: [],
    externs: [],
    btf: undefined,
  }
}

/** Those that load here by themselves: struct-ops.test.ts has operations of struct_ops maps, replace.test.ts freplace. */
const proven = rows.filter(({ type, state }) => {
  const kernels = state.replace(/^proven on /, '').split(', ')
  return kernels.includes(kernelVersion().join('.')) && type !== 'struct_ops' && type !== 'ext'
})

const gate = requires({ root: true, reason: 'loads programs' })

describe.skipIf(gate.skip)(gate.title('program types in docs/support.md'), () => {
  it('are all there', () => {
    expect(rows.length).toBeGreaterThanOrEqual(32)
  })

  it.each(proven)('$type loads', async ({ type }) => {
    await leavesNothing(() => {
      using object = loadSync(specOf(type))
      expect(object.program('nothing').info().type).toBe(type)
    })
  })
})
