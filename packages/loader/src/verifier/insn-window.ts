import type { CoreResult } from '@tsbpf/core-reloc'
import { decodeInsn, formatInsn, InsnView } from '@tsbpf/isa'
import type { LinkedProgram } from '@tsbpf/object'

/** An instruction of the linked program, as the kernel prints it. */
export interface InsnLine {
  readonly insn: number
  /** `(7b) *(u64 *)(r0 +0) = r1`; maps and kfuncs are not resolved yet, and show as numbers. */
  readonly text: string
}

const around = 3

/**
 * The instruction at a slot with those around it inside its function; empty where the program has no such slot. Of the
 * instruction that `poisoned` has replaced, the text is the one that was compiled: what stands there now calls nothing.
 */
export function insnWindow(linked: LinkedProgram, insn: number, poisoned?: CoreResult): readonly InsnLine[] {
  const order = { littleEndian: linked.byteOrder === 'little' }
  const view = new InsnView(linked.insns, order)
  if (insn >= view.count) return []
  const start = linked.functions.findLast((fn) => fn.startSlot <= insn)?.startSlot ?? 0
  const end = linked.functions.find((fn) => fn.startSlot > insn)?.startSlot ?? view.count
  // Only from the start of the function is it known which slots begin an instruction.
  const starts: number[] = []
  let at: number = start
  for (let after = 0; at < end && after <= around; at += view.isWide(at) ? 2 : 1) {
    starts.push(at)
    if (at > insn) after++
    else if (starts.length > around + 1) starts.shift()
  }
  const textAt = (slot: number): string => {
    const compiled = slot === insn && poisoned !== undefined && poisoned.before.length > 0
    if (!compiled) return formatInsn(decodeInsn(linked.insns, slot, order), 'verifier')
    return `${formatInsn(decodeInsn(poisoned.before, 0, order), 'verifier')}, poisoned`
  }
  return starts.map((slot) => ({ insn: slot, text: textAt(slot) }))
}
