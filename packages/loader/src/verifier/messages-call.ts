import type { VerifierMessage } from './verifier-messages.ts'

/** Messages about calls of helpers, kfuncs and subprograms, and about what they give out. */
export const callMessages: readonly VerifierMessage[] = [
  {
    id: 'no-such-helper',
    message: 'program of this type cannot use helper bpf_skb_load_bytes#26',
    pattern: /^(?:program of this type cannot use helper|unknown func|invalid func) /m,
    meaning:
      'This kernel has no such helper for programs of this type: it is newer than the kernel, or for other types.',
    fix: 'test for it first (feature probes, bpf_core_enum_value_exists(enum bpf_func_id, …)), or use a program type that has it',
    relaxedBy: ['CAP_BPF', 'CAP_PERFMON'],
  },
  {
    id: 'gpl-only',
    message: 'cannot call GPL-restricted function from non-GPL compatible program',
    pattern: /GPL-restricted|non-GPL compatible program|GPL compatible license/,
    meaning:
      'The helper, kfunc or struct is only for programs under a licence that is compatible with the GPL.',
    fix: 'give the object a GPL-compatible license (char LICENSE[] SEC("license") = "GPL"), or leave the function out',
  },
  {
    id: 'kfunc-not-allowed',
    message: 'calling kernel function tcp_reno_ssthresh is not allowed',
    pattern: /calling kernel function \S+ is not allowed/,
    meaning: 'The kernel has this kfunc, but not for programs of this type.',
    fix: 'use a program type that it is registered for, or a helper that does the same',
  },
  {
    id: 'kfunc-support',
    message: 'kernel btf_id 1 is not a function',
    pattern:
      /calling kernel function is not supported|(?:JIT is required for|JIT does not support) calling|kernel btf_id \d+ is not a function/,
    meaning:
      'This kernel, or its JIT, cannot call kfuncs at all, or the BTF that the program was relocated to is not its own.',
    fix: 'run a kernel with CONFIG_DEBUG_INFO_BTF and net.core.bpf_jit_enable=1',
  },
  {
    id: 'subprogram-arguments',
    message: "Caller passes invalid args into func#1 ('read_number')",
    pattern: /Caller passes invalid args into func#/,
    meaning: 'A global function is called with arguments that its own declaration does not allow.',
    fix: 'make arguments what the declaration says (a pointer to so many bytes, not NULL, the context), or make the function static',
  },
  {
    id: 'argument-null',
    message:
      'R2 type=map_value_or_null expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_',
    pattern: /type=\w*_or_null\S* expected=|Possibly NULL pointer passed/,
    meaning: 'The pointer that is handed over may be NULL, and the function does not take NULL.',
    fix: 'compare it with NULL before the call',
  },
  {
    id: 'argument-type',
    message: 'R1 type=scalar expected=map_ptr',
    pattern:
      /R\d+ type=\S+ expected=|Unrecognized arg#\d+|arg#?\d+ expected pointer|is of type \S+ but \S+ is expected|pointer in R\d+ isn't map pointer/,
    meaning:
      'The argument is not of the kind that the function takes: type= is what it is, expected= what it may be.',
    fix: 'hand over what the message expects: a map by its address, memory as a pointer to stack or map value, the context unchanged',
  },
  {
    id: 'argument-trusted',
    message: 'R1 must be a rcu pointer',
    pattern: /must be referenced or trusted|must be a rcu pointer|must be referenced(?! when)/,
    meaning:
      'The object could go away meanwhile: the pointer was walked to, or is used after its protection ended.',
    fix: 'take a reference first (bpf_task_acquire and its like), or read the pointer inside bpf_rcu_read_lock; pointers from arguments of tp_btf, fentry and LSM are trusted',
  },
  {
    id: 'argument-size-unbounded',
    message: "R4 unbounded memory access, use 'var &= const' or 'if (var < const)'",
    pattern: /unbounded memory access, use 'var &= const'/,
    meaning: 'The size that is handed over has no upper limit.',
    fix: 'limit the size with if (size > sizeof(buffer)) or size &= sizeof(buffer) - 1, right before the call and on the same variable',
  },
  {
    id: 'argument-size-negative',
    message: "R4 min value is negative, either use unsigned or 'var &= const'",
    pattern: /min value is negative, either use unsigned or 'var &= const'/,
    meaning: 'The size that is handed over may be negative: results of helpers are, where they fail.',
    fix: 'check that it is not negative first, or use an unsigned variable with a limit',
  },
  {
    id: 'argument-size-zero',
    message: 'R4 invalid zero-sized read: u64=[0,7]',
    pattern: /invalid zero-sized read/,
    meaning: 'The size may be 0, which this argument must not be.',
    fix: 'check for 0 before the call',
  },
  {
    id: 'argument-constant',
    message: "R2 is not a known constant'",
    pattern: /is not a known constant|must be a known constant|R\d+ is not a const\b/,
    meaning: 'This argument must be a constant that the verifier can see, not a variable.',
    fix: 'write the number itself; with several values, call once for each in a switch',
  },
  {
    id: 'map-type-for-helper',
    message: 'cannot pass map_type 1 into func bpf_ringbuf_output#130',
    pattern: /cannot pass map_type \d+ into func/,
    meaning: 'The helper does not work on maps of this type (or this map type only on other helpers).',
    fix: 'use the helper that belongs to the map type, or another type of map',
  },
  {
    id: 'unreleased-reference',
    message: 'Unreleased reference id=2 alloc_insn=4',
    pattern: /Unreleased reference id=\d+|would lead to reference leak|reference leak/,
    meaning:
      'Something that was acquired (by the instruction alloc_insn) is not given back on this path: a socket, a ring buffer record, a kfunc object.',
    fix: 'release it on every path, errors included: bpf_sk_release, bpf_ringbuf_submit or bpf_ringbuf_discard, the _release kfunc',
  },
  {
    id: 'release-unowned',
    message: 'R1 must be referenced when passed to release function',
    pattern:
      /must be referenced when passed to release function|reference has not been acquired before|release kernel function \S+ expects|arg \d+ is an unacquired reference/,
    meaning:
      'Something is released that this program does not own: it was never acquired, or was released already.',
    fix: 'release each object once, through the pointer that acquiring gave',
  },
  {
    id: 'release-offset',
    message: 'R1 must have zero offset when passed to release func or trusted arg to kfunc',
    pattern: /must have zero offset when passed to release func/,
    meaning: 'The pointer that is released does not point to the start of what was acquired.',
    fix: 'keep the pointer as it was given, and calculate with a copy',
  },
  {
    id: 'call-under-lock',
    message: 'function calls are not allowed while holding a lock',
    pattern:
      /function calls? (?:is|are) not allowed while holding a lock|calls are not allowed while holding a lock/,
    meaning: 'Between bpf_spin_lock and bpf_spin_unlock no helper and no subprogram may be called.',
    fix: 'do the calls before locking or after unlocking; only copy inside',
  },
  {
    id: 'lock-not-released',
    message: 'BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region',
    pattern: /bpf_spin_unlock is missing|inside bpf_spin_lock-ed region|Locking two bpf_spin_locks/,
    meaning: 'A path leaves, or locks again, while a spin lock is held.',
    fix: 'unlock on every path before it ends',
  },
  {
    id: 'unlock-without-lock',
    message: 'bpf_spin_unlock without taking a lock',
    pattern:
      /bpf_spin_unlock (?:without taking a lock|of different lock|cannot be out of order)|unmatched (?:rcu read unlock|attempt to enable preemption)/,
    meaning: 'Something is unlocked that is not locked on this path.',
    fix: 'pair each unlock with a lock of the same object on every path',
  },
  {
    id: 'region-not-left',
    message: 'BPF_EXIT instruction in main prog cannot be used inside bpf_rcu_read_lock-ed region',
    pattern:
      /bpf_rcu_read_unlock is missing|inside bpf_(?:rcu_read_lock|preempt_disable|local_irq_save)-ed region|bpf_preempt_enables? missing/,
    meaning:
      'A path ends inside a region that was entered with bpf_rcu_read_lock, bpf_preempt_disable or bpf_local_irq_save.',
    fix: 'leave the region on every path: bpf_rcu_read_unlock, bpf_preempt_enable, bpf_local_irq_restore',
  },
  {
    id: 'sleep-not-allowed',
    message: 'helper call might sleep in a non-sleepable prog',
    pattern:
      /might sleep in a non-sleepable|must be sleepable to call sleepable|sleepable helper \S+ in |is sleepable within|only be called in a sleepable|sleepable global function/,
    meaning: 'The function may sleep, which this program, or the region it is in, must not.',
    fix: 'make the program sleepable (section name with .s: fentry.s, lsm.s, uprobe.s, iter.s, syscall), or call outside of the region',
  },
  {
    id: 'dynptr-uninitialized',
    message: 'Expected an initialized dynptr as arg #2',
    pattern:
      /Expected an initialized dynptr|Dynptr has to be an uninitialized|expected pointer to stack or const struct bpf_dynptr/,
    meaning: 'The dynptr is used before it was made, after it was released, or is made twice.',
    fix: 'make it once with bpf_dynptr_from_mem, bpf_ringbuf_reserve_dynptr or bpf_dynptr_from_skb, on the stack, and use it before it is released',
  },
  {
    id: 'iterator-uninitialized',
    message: 'expected an initialized iter_num as arg #0',
    pattern:
      /expected an? (?:un)?initialized iter_\w+|expected uninitialized iter_\w+|expected valid iter pointer/,
    meaning: 'The iterator is used before its _new call or after its _destroy call.',
    fix: 'call bpf_iter_…_new first and bpf_iter_…_destroy last, on every path; bpf_for and bpf_for_each do both',
  },
]
