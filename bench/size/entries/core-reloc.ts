import { parseBtf } from '@tsbpf/btf'
import { explain, relocate } from '@tsbpf/core-reloc'
import type { ObjectSpec } from '@tsbpf/object'

/** What became of each CO-RE relocation of an object on the kernel whose BTF the page was given, and why. */
export function explained(spec: ObjectSpec, kernel: Uint8Array): readonly string[] {
  const { results } = relocate(spec, { targets: [{ name: 'vmlinux', btf: parseBtf(kernel) }] })
  return results.map((result) => explain(result))
}
