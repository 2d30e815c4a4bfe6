/** A file that is not run. */
export interface NotRun {
  /** What the verifier says. */
  readonly log: RegExp
  readonly reason: string
}

/** Shifts by an immediate outside the width; RFC 9669 section 4.1 masks the count, of a register too. */
const shifts = ['lsh', 'rsh', 'arsh'].flatMap((name) =>
  [32, 64].flatMap((width) => ['high', 'neg'].map((count) => `${name}${width}-imm-${count}.data`)),
)

/**
 * Files of the BPF conformance corpus that the kernel does not run, with what its verifier says and why; the test holds
 * the list to be exact: every other file must run, and these must be refused with these words.
 */
export const notRun: ReadonlyMap<string, NotRun> = new Map([
  ...shifts.map((name): [string, NotRun] => [
    name,
    {
      log: /invalid shift -?\d+/,
      reason: 'kernel/bpf/verifier.c, check_alu_op: no shift by an immediate below 0 or beyond the width',
    },
  ]),
  [
    'callx.data',
    { log: /unknown opcode 8d/, reason: 'kernel/bpf/verifier.c: no call of the address in a register' },
  ],
])
