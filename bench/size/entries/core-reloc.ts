import { parseBtf } from '@tsbpf/btf'
import { relocate } from '@tsbpf/core-reloc'
import type { ObjectSpec } from '@tsbpf/object'

/** An object as it is on the kernel whose BTF the page was given, and what became of each CO-RE relocation. */
export function relocated(spec: ObjectSpec, kernel: Uint8Array): ReturnType<typeof relocate> {
  return relocate(spec, { targets: [{ name: 'vmlinux', btf: parseBtf(kernel) }] })
}
