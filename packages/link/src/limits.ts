/** Bytes of a tracepoint's id file; it holds one number. */
export const maxIdBytes = 64
/** Bytes of a file of sysfs: it says that it has a page. */
export const maxSysfsBytes = 64 * 1024
/** Bytes of the list of all events; it has some 100 KiB. */
export const maxEventListBytes = 8 * 1024 * 1024
/** Bytes of /proc/self/mountinfo; a line for each mount. */
export const maxMountBytes = 16 * 1024 * 1024
/** Bytes of one answer of rtnetlink; the kernel sends at most 32 KiB at once. */
export const maxNetlinkBytes = 64 * 1024
/** Bytes of one read of an iterator: the kernel's own buffer has eight pages. */
export const iteratorBytes = 32 * 1024
/** Bytes of tracefs' list of functions; it has some 3 MiB. */
export const maxFunctionListBytes = 64 * 1024 * 1024
/** Places of one multi link (kernel/trace/bpf_trace.c, MAX_KPROBE_MULTI_CNT and MAX_UPROBE_MULTI_CNT). */
export const maxProbes = 1 << 20
