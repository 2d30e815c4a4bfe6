import { parseBtf } from '@tsbpf/btf'
import { explain, relocate } from '@tsbpf/core-reloc'
import type { ObjectSpec } from '@tsbpf/object'

/** Why each CO-RE relocation of an object becomes what it does on the kernel whose BTF the page was given. */
export function explained(spec: ObjectSpec, kernel: Uint8Array): readonly string[] {
  const { results } = relocate(spec, { targets: [{ name: 'vmlinux', btf: parseBtf(kernel) }] })
  return results.map((result) => explain(result))
}
