/** Bytes of the first log buffer; grows by a factor while the kernel says ENOSPC and not how much it takes. */
export const firstLogBytes = 256 * 1024
export const logGrowth = 8
/** A log longer than this is cut: the error says so. */
export const maxLogBytes = 32 * 1024 * 1024
/** Lines at the end of a verifier log that are searched for what is wrong. */
export const maxLogLines = 4096
/** Instructions in one linked program (BPF_COMPLEXITY_LIMIT_INSNS, include/linux/bpf_verifier.h). */
export const maxProgramInsns = 1_000_000
/** EAGAIN from a program load is tried again this often (libbpf's bpf.c, sys_bpf_prog_load). */
export const loadAttempts = 5
/** Bytes of a kernel's configuration, packed or not; it has some 300 KiB. */
export const maxConfigBytes = 16 * 1024 * 1024
/** Bytes of the files that say which kernel runs. */
export const maxReleaseBytes = 4096
/** Bytes of /proc/modules, a line for each module. */
export const maxModuleListBytes = 4 * 1024 * 1024
/** Bytes of one module's BTF; the largest have a few MiB. */
export const maxModuleBtfBytes = 256 * 1024 * 1024
/** Programs that the kernel verifies at one time: threads of the pool (UV_THREADPOOL_SIZE unless changed). */
export const programsAtOnce = 4
/** Bytes of the verifier's log that a probe of a feature reads. */
export const probeLogBytes = 65_536

/** Bytes of a program's stream that are read in one go: ten times what the kernel keeps (kernel/bpf/stream.c, BPF_STREAM_MAX_CAPACITY). */
export const maxStreamBytes = 1_000_000
