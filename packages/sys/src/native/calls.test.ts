import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { calls } from './calls.ts'

const folder = new URL('../../native/', import.meta.url)
const shipped = readdirSync(folder).filter((name) => name.endsWith('.c') && name !== 'check.c')
const source = shipped.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')

/** Macro of door.h that declares a parameter, to the type in the table. */
const macros = new Map([
  ['I32', 'i32'],
  ['U32', 'u32'],
  ['SIZE', 'size'],
  ['BYTES', 'bytes'],
  ['DOUBLES', 'doubles'],
  ['TEXT', 'text'],
  ['TEXT_OR_NONE', 'text?'],
])

interface CFunction {
  readonly count: number
  readonly body: string
}

/** Functions of the C source that JavaScript can call, by name: those that start with CALL(name, count). */
const functions = new Map<string, CFunction>()
for (const match of source.matchAll(/^CALL\((\w+), (\d+)\)\n([\s\S]*?)\n(?=\S)([^\n]*)/gm)) {
  const [, name, count, body, last] = match
  functions.set(name!, { count: Number(count), body: `${body}\n${last}` })
}
const registered = [...source.matchAll(/^ {4}\{"(\w+)", door_(\w+)\},$/gm)].map((match) => [
  match[1],
  match[2],
])

/** Parameters as the C code takes them: the macros, and what reads several arguments at once. */
function parametersOf(body: string): [string, string][] {
  const found: [string, string][] = []
  const pattern =
    /^ {2}(I32|U32|SIZE|BYTES|DOUBLES|TEXT|TEXT_OR_NONE)\((\w+)\);|napi_value (\w+) = arguments\[next\+\+\]|read_request\(/gm
  for (const [text, macro, name, callback] of body.matchAll(pattern)) {
    if (macro !== undefined) found.push([name!, macros.get(macro)!])
    else if (callback !== undefined) found.push([callback, 'function'])
    else if (text.startsWith('read_request')) found.push(['attr', 'bytes'], ['pointers', 'pointers'])
  }
  return found
}

/** Arguments that a row takes in C: `pointers` are two, `pairs` any number. */
const argumentCount = (types: readonly string[]): number =>
  types.reduce((sum, type) => sum + (type === 'pointers' ? 2 : type === 'pairs' ? 0 : 1), 0)

describe('the table of calls and the C source', () => {
  it('have the same calls, each registered under its own name', () => {
    expect(registered.map(([name]) => name)).toEqual(calls.map(({ name }) => name))
    for (const [name, target] of registered) expect(target).toBe(name)
  })

  it.each(calls.filter(({ name }) => functions.has(name)))(
    '$name takes the same parameters',
    ({ name, parameters }) => {
      const { count, body } = functions.get(name)!
      expect(parametersOf(body)).toEqual(Object.entries(parameters))
      expect(count).toBe(argumentCount(Object.values(parameters)))
    },
  )

  it.each(calls.filter(({ name }) => /\bSYS\d\(/.test(functions.get(name)?.body ?? '')))(
    '$name makes the system call $syscall',
    ({ name, syscall }) => {
      const made = [...functions.get(name)!.body.matchAll(/\bSYS\d\((\w+)/g)].map((match) => match[1])
      expect(made).toEqual([syscall])
    },
  )

  it('leave out of that only bpf, whose pairs are read in a loop, and the question about libuv', () => {
    expect(calls.map(({ name }) => name).filter((name) => !functions.has(name))).toEqual(['bpf', 'hasUvPoll'])
    const body = /^napi_value door_bpf\([\s\S]*?^}/m.exec(source)![0]
    expect(body).toMatch(/^ {2}U32\(cmd\);\n {2}BYTES\(attr\);[\s\S]*U32\(at\);\n {4}BYTES\(buffer\);/m)
  })

  it('make the system calls of the table and no others, but for what the addon itself needs', () => {
    const made = new Set([...source.matchAll(/\bSYS\d\((\w+)/g)].map((match) => match[1]!))
    const internal = ['epoll_create1', 'epoll_ctl', 'epoll_pwait', 'eventfd2', 'futex', 'rt_sigprocmask']
    const table = calls.flatMap(({ syscall }) => syscall ?? [])
    expect([...made].sort()).toEqual([...new Set([...table, ...internal])].sort())
  })

  it('never take the number of a system call from a variable', () => {
    const header = readFileSync(new URL('syscall.h', folder), 'utf8')
    expect(source).not.toContain('syscall6(')
    for (const [use] of header.matchAll(/syscall6\([^)]*/g))
      expect(use).toMatch(/^syscall6\((__NR_##name|long number)/)
  })
})
