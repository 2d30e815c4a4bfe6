import { isTsbpfError } from '@tsbpf/base'
import type { InsnIndex } from '@tsbpf/base'
import type { CoreRelocation } from '@tsbpf/object'
import { describe, expect, it } from 'vitest'
import { id, makeBtf } from '../test/make-btf.ts'
import { insns, reloc } from '../test/make-insns.ts'
import { relocateInsns } from './index.ts'

const slow = { timeout: 60_000 }

describe('hostile input ends soon', () => {
  it('a million relocations: decided up to the budget, the rest refused', slow, () => {
    const local = makeBtf([
      { int: 'int', size: 4 },
      { struct: 's', size: 4, members: [['x', 1, 0]] },
    ])
    const one = reloc('byte_off', 2, '0:0')
    const relocations: CoreRelocation[] = Array.from({ length: 1_000_000 }, () => one)
    const code = insns(['ldxw', {}], ['exit'])
    const { results } = relocateInsns(code, relocations, {
      local,
      targets: [{ name: 'own', btf: local }],
      littleEndian: true,
    })
    expect(results.length).toBe(1_000_000)
    expect(results[0]?.status).toBe('resolved')
    const last = results.at(-1)
    expect(last?.status).toBe('failed')
    expect(isTsbpfError(last?.error, 'CORE_LIMIT')).toBe(true)
  })

  it('absurd indexes, and types that contain themselves', slow, () => {
    const local = makeBtf([
      { int: 'int', size: 4 },
      { typedef: 'circle', to: 2 },
      { array: 3, length: 0xffff_ffff },
      {
        struct: 'inside',
        size: 8,
        members: [
          ['', 4, 0],
          ['self', 4, 0],
          ['many', 3, 0],
        ],
      },
      { ptr: 5 },
      { struct: 'p', size: 8, members: [['p', 5, 0]] },
      { volatile: 7 },
    ])
    const accesses = [
      '2147483647',
      '0:2147483647',
      '0:0:0:0:0:0',
      '0:2:1:1:1',
      '4294967296',
      '0:1:1:1:1:2:3:4',
    ]
    for (const access of accesses) {
      for (let type = 1; type <= 7; type++) {
        for (let kind = 0; kind <= 13; kind++) {
          const relocation = { insn: 0 as InsnIndex, type: id(type), access, kind }
          const { results } = relocateInsns(insns(['mov64_imm', {}], ['exit']), [relocation], {
            local,
            targets: [{ name: 'own', btf: local }],
            littleEndian: true,
          })
          const [result] = results
          if (result?.status === 'failed') expect(result.error?.code).toMatch(/^CORE_/)
        }
      }
    }
  })
})
