import { InsnView } from '@tsbpf/isa'
import type { LinkedProgram } from '@tsbpf/object'
import { pseudo } from '@tsbpf/uapi'
import { errors } from './errors.ts'

/**
 * Puts the descriptors of maps into a linked program's instructions, in a copy: `BPF_PSEUDO_MAP_FD` for maps,
 * `BPF_PSEUDO_MAP_VALUE` and the offset for data (libbpf's bpf_object__relocate_data).
 */
export function resolveReferences(program: LinkedProgram, fds: ReadonlyMap<string, number>): Uint8Array {
  const insns = new Uint8Array(program.insns)
  const view = new InsnView(insns, { littleEndian: program.byteOrder === 'little' })
  for (const { insn, ref } of program.relocations) {
    if (ref.kind !== 'map' && ref.kind !== 'data') continue
    const name = ref.kind === 'map' ? ref.name : ref.map
    const fd = fds.get(name)
    if (fd === undefined || insn >= view.count || !view.isWide(insn)) {
      const what =
        fd === undefined
          ? `it refers to map ${name}, which is not there`
          : 'it refers to a map, but is no wide load'
      throw errors.LOADER_BAD_REFERENCE({ program: program.name, insn, what })
    }
    view.setSrc(insn, pseudo.value(ref.kind === 'map' ? 'map_fd' : 'map_value'))
    view.setImm(insn, fd)
    view.setImm(insn + 1, ref.kind === 'map' ? 0 : ref.offset)
  }
  return insns
}
