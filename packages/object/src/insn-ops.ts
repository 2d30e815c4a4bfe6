import { rowOf } from '@tsbpf/isa'
import { pseudo } from '@tsbpf/uapi'

/** Bytes of an instruction slot (RFC 9669 section 3). */
export const slotSize = 8

/** Opcode of a call, whatever it calls. */
export const callOpcode = rowOf('call').opcode

/** Opcode of a wide load, whatever it loads. */
export const wideOpcode = rowOf('lddw').opcode

/** `src` of a call of a subprogram. */
export const pseudoCall = pseudo.value('call')

/** `src` of a wide load of a subprogram's address. */
export const pseudoFunc = pseudo.value('func')
