import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../test/make-btf.ts'
import { parseBtf } from './parse-btf.ts'

const names = ['pid', 'p', 'pi', '', 'pids', 'é', '', 'pid', 'a_long_name']
const bytes = makeBtf([
  made.int('int', 4),
  made.struct(
    'task',
    64,
    names.map((name, i) => [name, 1, i * 32, i % 3] as const),
  ),
  made.typedef('task_t', 2),
])

describe('members of a struct', () => {
  const btf = parseBtf(bytes)
  // The strings stand in the order of their first use: '', 'int', 'task', 'pid'.
  const nameOffset = 1 + 4 + 5
  const struct = btf.find('task', 'struct')!

  it('are counted without decoding them', () => {
    expect([btf.vlen(0), btf.vlen(1), btf.vlen(2), btf.vlen(3)]).toEqual([0, 0, names.length, 0])
    expect(() => btf.vlen(4)).toThrow(/4/)
  })

  it('are found by index as all of them are decoded', () => {
    for (const [index, member] of struct.members.entries()) {
      expect(btf.memberAt(2, index)).toEqual({ ...member, index })
    }
    for (const index of [-1, names.length]) expect(btf.memberAt(2, index)).toBeUndefined()
    for (const other of [0, 1, 3]) expect(btf.memberAt(other, 0)).toBeUndefined()
  })

  it('are found by name, the first at or after an index', () => {
    for (const name of [...names, 'none', 'pidss', 'a_long_nam', '\u00c3', 'e', 'pid\0']) {
      for (let from = 0; from <= names.length; from++) {
        const index = names.indexOf(name, from)
        expect(btf.memberNamed(2, name, from)?.index ?? -1, `${name} from ${from}`).toBe(index)
        if (index >= 0) expect(btf.memberNamed(2, name, from)).toEqual(btf.memberAt(2, index))
      }
    }
    for (const other of [0, 1, 3]) expect(btf.memberNamed(other, 'pid')).toBeUndefined()
  })

  it('are found in BTF that is split from another, whose strings it uses', () => {
    const split = parseBtf(
      makeBtf(
        [
          made.struct('own', 8, [
            ['pid', 1, 0],
            ['x', 1, 32],
          ]),
        ],
        { firstString: btf.endString, baseStrings: new Map([['pid', nameOffset]]) },
      ),
      { base: btf },
    )
    const own = split.firstId
    expect(split.memberNamed(own, 'x')).toEqual(split.memberAt(own, 1))
    expect(split.memberNamed(own, 'pid')).toEqual({ ...split.memberAt(own, 0), name: 'pid', index: 0 })
    expect(split.memberNamed(2, 'pids')).toEqual(btf.memberAt(2, 4))
    expect([split.memberAt(2, 4)?.name, split.vlen(2), split.vlen(own)]).toEqual(['pids', names.length, 2])
    expect([split.resolveId(3), split.resolveId(own), split.resolveId(0)]).toEqual([2, own, 0])
  })
})
