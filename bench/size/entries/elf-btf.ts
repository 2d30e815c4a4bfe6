import { parseBtf } from '@tsbpf/btf'
import { parseElf } from '@tsbpf/elf'

/** Size and members of the struct of that name in the object that the page was given. */
export function structOf(bytes: Uint8Array, name: string): unknown {
  const section = parseElf(bytes).section('.BTF')
  if (section === undefined) return undefined
  const btf = parseBtf(section.data)
  return btf.idsByName(name).map((id) => ({ id, size: btf.sizeOf(id), type: btf.type(id) }))
}
