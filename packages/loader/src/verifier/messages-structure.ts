import type { VerifierMessage } from './verifier-messages.ts'

/** Messages about the program as a whole: control flow, size, instructions, results, privilege. */
export const structureMessages: readonly VerifierMessage[] = [
  {
    id: 'unreachable',
    message: 'unreachable insn 2',
    pattern: /unreachable insn \d+/,
    meaning: 'No path leads to this instruction.',
    fix: 'take the dead code out, or compile with optimisation (-O2), which does',
  },
  {
    id: 'endless-loop',
    message: 'infinite loop detected at insn 1',
    pattern: /infinite loop detected|back-edge from insn/,
    meaning: 'The loop comes round with nothing changed that the verifier can see, so it would never end.',
    fix: 'give the loop a counter with a limit that is changed in each round, or use bpf_loop, bpf_for or may_goto',
  },
  {
    id: 'jump-range',
    message: 'jump out of range from insn 0 to 10',
    pattern:
      /jump out of range from insn|jump into the middle of ldimm64|call to invalid destination|invalid insn idx/,
    meaning: 'A jump or call leads out of its function, or into the second half of a wide instruction.',
    fix: 'jumps stay inside their function; code that was assembled by hand counts 8-byte slots from the next instruction',
  },
  {
    id: 'no-exit',
    message: 'last insn is not an exit or jmp',
    pattern: /last insn is not an exit or jmp/,
    meaning: 'The end of the function runs on into nothing.',
    fix: 'end every function with exit (return); a path after a call that never returns counts too',
  },
  {
    id: 'too-complex',
    message: 'BPF program is too large. Processed 1000001 insn',
    pattern: /BPF program is too large|too many (?:states|insns)/,
    meaning:
      'The verifier walked a million instructions on all paths together and gave up: branches in loops multiply.',
    fix: 'make loops shorter or use bpf_loop, bpf_for or may_goto; split the work into global functions, which are verified once, or tail calls',
  },
  {
    id: 'too-many-jumps',
    message: 'The sequence of 8193 jumps is too complex.',
    pattern: /The sequence of \d+ jumps is too complex/,
    meaning: 'More than 8192 branches are open at once on one path.',
    fix: 'make the loop shorter, test less in it, or use bpf_loop, which is verified for one round',
  },
  {
    id: 'stack-too-large',
    message: 'combined stack size of 2 calls is 576. Too large',
    pattern:
      /combined stack size of \d+ calls is|stack size of subprog \d+ is|stack size \d+\(extra \d+\) is too large/,
    meaning: 'All functions that call each other share 512 bytes of stack.',
    fix: 'move large variables into a per-CPU array map, or inline fewer functions with large buffers',
  },
  {
    id: 'calls-too-deep',
    message: 'the call stack of 9 frames is too deep',
    pattern: /the call stack of \d+ frames is too deep|recursive call from/,
    meaning: 'More than 8 functions are called inside each other; recursion always is.',
    fix: 'inline some of them (__always_inline), or replace recursion with a loop or a tail call',
  },
  {
    id: 'tail-call-stack',
    message: 'tail_calls are not allowed when call stack of previous frames is 272 bytes. Too large',
    pattern: /tail_calls? (?:are|is|cannot|would)/,
    meaning:
      'Tail calls are not possible at this place: too much stack is in use below, something is held, or the function may not do it.',
    fix: 'do tail calls from the program itself or from functions with less than 256 bytes of stack below them, after releasing and unlocking',
  },
  {
    id: 'return-value',
    message: 'At program exit the register R0 has smin=5 smax=5 should have been in [0, 1]',
    pattern: /At (?:program|async callback|callback) (?:exit|return) the register R\d+|should have been in/,
    meaning: 'The kernel acts on what programs of this type return, and allows only these values.',
    fix: 'return one of the values in the range that the message gives, on every path',
  },
  {
    id: 'return-pointer',
    message: 'cannot return stack pointer to the caller',
    pattern:
      /At subprogram exit the register R\d+ is not a scalar|R0 leaks addr as return value|cannot return stack pointer|R0 not a scalar value/,
    meaning: 'A function returns a pointer where only a number may be returned.',
    fix: 'return a number; hand pointers out through an argument, or make the function static',
  },
  {
    id: 'unknown-instruction',
    message: 'unknown opcode e7',
    pattern:
      /unknown opcode|uses reserved fields|invalid BPF_ALU opcode|invalid BPF_JMP|invalid atomic opcode|unrecognized bpf_ld_imm64|unknown insn class|insn_off|invalid BPF_LD_IMM/,
    meaning: 'This kernel does not know the instruction, or not with these fields.',
    fix: 'compile with an older -mcpu: v4 needs kernel 6.6, v3 (32-bit jumps, atomics) 5.12, v2 4.14',
  },
  {
    id: 'division-by-zero',
    message: 'div by zero',
    pattern: /^div by zero/m,
    meaning: 'A constant 0 is the divisor.',
    fix: 'divide by a constant other than 0, or by a variable (which gives 0 where it is 0)',
  },
  {
    id: 'shift-range',
    message: 'invalid shift 64',
    pattern: /invalid shift -?\d+/,
    meaning: 'A constant shift is negative or not smaller than the number of bits.',
    fix: 'shift by 0 to 63 (32-bit: 0 to 31)',
  },
  {
    id: 'pointer-kinds-mixed',
    message: 'same insn cannot be used with different pointers',
    pattern: /same insn cannot be used with different pointers/,
    meaning:
      'One load or store is reached with pointers of different kinds on different paths, and the kernel must rewrite it for each kind.',
    fix: 'access the memory inside each branch, not after they meet; asm volatile("") or barrier_var keeps the compiler from merging them',
  },
  {
    id: 'map-not-for-program',
    message: 'Sleepable programs can only use array, hash, ringbuf and local storage maps',
    pattern: /Sleepable programs can only use|progs cannot use bpf_(?:spin_lock|timer|wq|\{list_head)/,
    meaning: 'Programs of this type may not use maps of this type, or with such a member in their values.',
    fix: 'use another map, or another program type, for this part of the work',
  },
  {
    id: 'special-member',
    message: "map 'values' has no valid bpf_spin_lock",
    pattern:
      /has no valid bpf_\w+|or bpf_\w+ is mangled|has to have BTF in order to use|doesn't (?:point to|have) 'struct bpf_|cannot be accessed directly by (?:load\/store|\w+)|has no valid kptr|doesn't point to kptr/,
    meaning:
      'A lock, timer, kptr or list head is not where the BTF of the map value has one, or is read and written like a number.',
    fix: "declare it as a member of the map's value type (struct bpf_spin_lock lock;), hand over &value->lock, and touch it only with its helpers",
  },
  {
    id: 'capability',
    message: 'R10 leaks addr into map',
    pattern:
      /allowed (?:only to|for) CAP_|require CAP_|CAP_BPF and CAP_PERFMON are required|prohibited for !root|leaks addr|pointer comparison prohibited|attempt to corrupt spilled|partial copy of pointer/,
    meaning:
      'Without CAP_PERFMON (or CAP_BPF) the verifier forbids what could tell or guess kernel addresses.',
    fix: 'run as root, or grant CAP_BPF and CAP_PERFMON',
    relaxedBy: ['CAP_BPF', 'CAP_PERFMON'],
  },
]
