import { describe, expect, it } from 'vitest'
import { made, makeBtf } from '../test/make-btf.ts'
import { formatType } from './format-type.ts'
import { parseBtf } from './parse-btf.ts'

const types = [
  made.int('int', 4, 1), // 1
  made.int('char', 1),
  made.struct('task_struct', 0, []),
  made.ptr(3),
  made.const(2), // 5
  made.ptr(5),
  made.const(6),
  made.array(7, 4),
  made.ptr(0),
  made.proto(1, [
    ['task', 4],
    ['', 0],
  ]), // 10
  made.ptr(10),
  made.array(11, 3),
  made.typedef('handler_t', 11),
  made.array(1, 3),
  made.array(14, 2), // 15
  made.ptr(15),
  made.proto(16, []),
  made.ptr(17),
  made.volatile(5),
  made.union('', 0, []), // 20
  made.enum('colour', []),
  made.fwd('later', true),
  made.func('probe', 10),
  made.var('limit', 19),
  made.datasec('.bss', 0, []), // 25
  made.typeTag('user', 2),
  made.ptr(26),
  made.restrict(27),
  made.array(2, 0),
  made.const(8), // 30
  made.float('double', 8),
  made.declTag('text', 1),
  made.enum64('wide', []),
  made.proto(0, [['cb', 18]]),
]
const btf = parseBtf(makeBtf(types))

describe('the spelling of', () => {
  it.each([
    [0, 'void'],
    [1, 'int'],
    [3, 'struct task_struct'],
    [4, 'struct task_struct *'],
    [6, 'const char *'],
    [7, 'const char *const'],
    [8, 'const char *const[4]'],
    [9, 'void *'],
    [10, 'int (struct task_struct *task, ...)'],
    [11, 'int (*)(struct task_struct *task, ...)'],
    [12, 'int (*[3])(struct task_struct *task, ...)'],
    [13, 'handler_t'],
    [15, 'int[2][3]'],
    [16, 'int (*)[2][3]'],
    [18, 'int (*(*)(void))[2][3]'],
    [19, 'volatile const char'],
    [20, 'union <anon>'],
    [21, 'enum colour'],
    [22, 'union later'],
    [23, 'int probe(struct task_struct *task, ...)'],
    [24, 'volatile const char limit'],
    [25, 'datasec .bss'],
    [27, 'char *'],
    [28, 'char *restrict'],
    [29, 'char[]'],
    [31, 'double'],
    [32, 'decl_tag("text")'],
    [33, 'enum wide'],
    [34, 'void (int (*(*cb)(void))[2][3])'],
  ])('type %i is %s', (id, text) => {
    expect(formatType(btf, id)).toBe(text)
  })

  it('a circle or a crowd is cut', () => {
    const circle = parseBtf(makeBtf([made.ptr(2), made.const(1)]))
    expect(formatType(circle, 1)).toContain('/* ... */')
    const params = Array.from({ length: 50 }, () => ['', 1] as const)
    const crowd = parseBtf(makeBtf([made.proto(1, params)]))
    const text = formatType(crowd, 1)
    expect(text).toContain('/* ... */')
    expect(text.length).toBeLessThan(20_000)
  })
})
