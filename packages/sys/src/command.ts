import type { Layout, ValueOf, FieldType } from '@tsbpf/base'
import { commands } from '@tsbpf/uapi'
import type { AttrPointer, Sys } from './sys.ts'
import { SyscallError } from './syscall-error.ts'

type Fields = Readonly<Record<string, FieldType<unknown>>>

/** Name of a command of bpf(2), in lower case without BPF_. */
export type CommandName = Parameters<typeof commands.value>[0]

/** Both architectures that have a door are little-endian. */
export const littleEndian = true

/** A pointer field of a layout that points to `buffer`. */
export function pointerTo<Name extends string>(
  layout: { readonly offsets: Readonly<Record<Name, number>> },
  field: Name,
  buffer: Uint8Array,
): AttrPointer {
  return { at: layout.offsets[field], buffer }
}

/** Makes one command of bpf(2); the attr comes back with what the kernel wrote into it. */
export function command<F extends Fields>(
  sys: Sys,
  name: CommandName,
  layout: Layout<F>,
  fields: Partial<ValueOf<F>>,
  pointers?: readonly AttrPointer[],
): { readonly result: number; readonly attr: DataView } {
  const attr = layout.encode(fields, littleEndian)
  const result = sys.bpf(commands.value(name), attr, pointers)
  return { result, attr: new DataView(attr.buffer) }
}

/** Result of one command of bpf(2); a refusal is thrown. */
export function demand<F extends Fields>(
  sys: Sys,
  name: CommandName,
  layout: Layout<F>,
  fields: Partial<ValueOf<F>>,
  pointers?: readonly AttrPointer[],
  subject?: string,
): { readonly result: number; readonly attr: DataView } {
  const made = command(sys, name, layout, fields, pointers)
  if (made.result < 0) throw new SyscallError(made.result, { call: 'bpf', command: name, subject })
  return made
}
