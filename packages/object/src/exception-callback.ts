import type { Btf } from '@tsbpf/btf'
import { taggedTypes } from './decl-tags.ts'
import { errors } from './errors.ts'
import type { FunctionSpec } from './object-spec.ts'

/** Start of the declaration tag that names a program's exception callback (`__exception_cb` of bpf_experimental.h). */
const prefix = 'exception_callback:'

const callbacks = new WeakMap<Btf, ReadonlyMap<string, readonly string[]>>()

/** Names of exception callbacks by the name of the program that they belong to. */
function callbacksOf(btf: Btf): ReadonlyMap<string, readonly string[]> {
  const known = callbacks.get(btf)
  if (known !== undefined) return known
  const found = new Map<string, string[]>()
  for (const [id, tags] of taggedTypes(btf)) {
    for (const { tag, component } of tags) {
      if (component !== -1 || !tag.startsWith(prefix)) continue
      const program = btf.nameOf(id)
      const name = tag.slice(prefix.length)
      const list = found.get(program)
      if (list === undefined) found.set(program, [name])
      else list.push(name)
    }
  }
  callbacks.set(btf, found)
  return found
}

/**
 * The function that the kernel calls when a program throws; nothing in the program refers to it, so it is appended for
 * its declaration tag alone (libbpf: `bpf_prog_assign_exc_cb`). Of several, none is: the verifier will say so.
 */
export function exceptionCallback(
  btf: Btf | undefined,
  program: string,
  subprogram: (name: string) => FunctionSpec | undefined,
): FunctionSpec | undefined {
  const [name, ...more] = btf === undefined ? [] : (callbacksOf(btf).get(program) ?? [])
  if (name === undefined || more.length > 0) return undefined
  const fn = subprogram(name)
  if (fn === undefined || fn.binding === 'local' || fn.hidden === true) {
    const actual =
      fn === undefined ? 'not in the object' : fn.hidden === true ? 'a hidden function' : 'a static function'
    throw errors.OBJECT_EXCEPTION_CALLBACK({ program, name, actual })
  }
  return fn
}
