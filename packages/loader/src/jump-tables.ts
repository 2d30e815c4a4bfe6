import { createMapFd } from '@tsbpf/maps'
import type { LinkedProgram } from '@tsbpf/object'
import type { Sys } from '@tsbpf/sys'
import { mapTypes } from '@tsbpf/uapi'
import { freezeMap, putElement } from './create-maps.ts'
import type { OwnedFds } from './owned-fds.ts'

/** Bytes of `struct bpf_insn_array_value` (include/uapi/linux/bpf.h of 6.19); the instruction's index is its first word. */
const valueSize = 16

interface JumpTableContext {
  readonly sys: Sys
  readonly owned: OwnedFds
  readonly token: number | undefined
}

/** A map for each jump table of a program (`BPF_MAP_TYPE_INSN_ARRAY`, kernel 6.19), by name; libbpf 1.7's create_jt_map. */
export function createJumpTables(
  { sys, owned, token }: JumpTableContext,
  linked: LinkedProgram,
): ReadonlyMap<string, number> {
  const tables = new Map<string, number>()
  for (const { ref } of linked.relocations) {
    if (ref.kind !== 'jump_table' || tables.has(ref.name)) continue
    const name = `jump table ${ref.name}`
    const shape = { keySize: 4, valueSize, maxEntries: ref.targets.length, flags: 0 }
    const type = { type: 'insn_array', typeValue: mapTypes.value('insn_array') }
    const fd = owned.add(createMapFd(sys, { name, kernelName: '.jumptables', ...type, ...shape }, { token }))
    for (const [index, target] of ref.targets.entries()) {
      const value = new Uint8Array(valueSize)
      new DataView(value.buffer).setUint32(0, target, true)
      putElement(sys, fd, name, index, value)
    }
    freezeMap(sys, fd, name)
    tables.set(ref.name, fd)
  }
  return tables
}
