import { defineErrors, suggest } from '@tsbpf/base'

/** Errors of the instruction builder, by code. `place` is the caller's file, line and column. */
export const builderErrors = /* @__PURE__ */ defineErrors({
  /** An operand of a kind that the instruction does not take. */
  ASM_OPERAND: {
    message: (c: { place: string; insn: string; operand: string; expected: string; actual: string }) =>
      `${c.place}: ${c.operand} of ${c.insn}: expected ${c.expected}, got ${c.actual}`,
    hint: 'registers are r0 to r10 or w0 to w10, memory is r1.at(8), labels are strings or newLabel()',
  },
  /** A number that does not fit its field, or that the kernel refuses there. */
  ASM_IMMEDIATE: {
    message: (c: { place: string; insn: string; operand: string; expected: string; actual: string }) =>
      `${c.place}: ${c.operand} of ${c.insn} is ${c.actual}, expected ${c.expected}`,
    hint: 'load a number that needs 64 bits into a register with lddw, and use the register',
  },
  /** An instruction that writes the frame pointer. */
  ASM_WRITE_R10: {
    message: (c: { place: string; insn: string }) => `${c.place}: ${c.insn} writes r10, which is read-only`,
    hint: 'copy it first: mov(r2, r10), then add(r2, -8)',
  },
  /** A jump to a label that the function does not have. */
  ASM_NO_LABEL: {
    message: (c: { place: string; function: string; label: string; labels: readonly string[] }) =>
      `${c.place}: ${c.function} has no label ${c.label}`,
    hint: (c: { label: string; labels: readonly string[] }) => suggest(c.label, c.labels),
  },
  /** Two labels of a function, or two definitions of an object, with one name. */
  ASM_DUPLICATE: {
    message: (c: { place: string; what: string; name: string; first: string }) =>
      `${c.place}: a second ${c.what} ${c.name}; the first is at ${c.first}`,
    hint: 'rename one; code that is added more than once makes its labels with newLabel()',
  },
  /** A jump over more instructions than its field can count. */
  ASM_JUMP_RANGE: {
    message: (c: { place: string; insn: string; label: string; distance: number; cpu: string }) =>
      `${c.place}: ${c.insn} to ${c.label} is ${c.distance} instructions away, and cpu ${c.cpu} reaches 32767`,
    hint: "with cpu: 'v4' (Linux 6.6) the builder makes long jumps itself; else jump by a label half way",
  },
  /** The last instruction is followed by another: what comes behind the function would run. */
  ASM_NO_EXIT: {
    message: (c: { place: string; function: string; last: string }) =>
      `${c.place}: ${c.function} ends with ${c.last}, and runs on beyond its end`,
    hint: 'end it with exit() or with a jump back',
  },
  /** An instruction that the chosen cpu does not have. */
  ASM_CPU: {
    message: (c: { place: string; insn: string; needs: string; cpu: string }) =>
      `${c.place}: ${c.insn} needs cpu ${c.needs}, and ${c.cpu} was chosen`,
    hint: (c: { needs: string }) => `give the option cpu: '${c.needs}', or use other instructions`,
  },
  /** A reference to a map, a variable or a kfunc in code that no loader will see. */
  ASM_UNRESOLVED: {
    message: (c: { place: string; kind: string; name: string }) =>
      `${c.place}: raw instructions cannot refer to the ${c.kind} ${c.name}`,
    hint: 'make an object with buildObject, or use lddw_map_fd and call_kfunc with numbers that you have',
  },
  /** A definition that no object can have. */
  ASM_DEFINITION: {
    message: (c: { place: string; what: string; name: string; expected: string; actual: string }) =>
      `${c.place}: ${c.what} ${c.name}: expected ${c.expected}, got ${c.actual}`,
    hint: 'see the options of the function that makes it',
  },
})
