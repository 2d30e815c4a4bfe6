import type { HelperFunction } from './helpers.ts'

/** Helpers of maps, memory, tasks, time and tracing: what each takes in `r1` to `r5` and gives in `r0`. */
export interface CoreHelpers {
  /** Finds a key's value. r1 `map`; r2 `key`: pointer to its bytes. r0: pointer to the value, 0 where there is none. */
  readonly map_lookup_elem: HelperFunction
  /** Sets a key's value. r1 `map`; r2 `key`; r3 `value`: pointers to their bytes; r4 `flags`: 0, BPF_NOEXIST or BPF_EXIST. r0: 0 or a negative errno. */
  readonly map_update_elem: HelperFunction
  /** Removes a key. r1 `map`; r2 `key`: pointer to its bytes. r0: 0 or a negative errno. */
  readonly map_delete_elem: HelperFunction
  /** Finds a key's value of another CPU. r1 `map`; r2 `key`: pointer to its bytes; r3 `cpu`. r0: pointer to the value, or 0. */
  readonly map_lookup_percpu_elem: HelperFunction
  /** Puts a value on a stack, queue or bloom filter. r1 `map`; r2 `value`: pointer to its bytes; r3 `flags`: BPF_EXIST drops the oldest where it is full. r0: 0 or a negative errno. */
  readonly map_push_elem: HelperFunction
  /** Takes the next value off a stack or queue. r1 `map`; r2 `value`: where it goes. r0: 0 or a negative errno. */
  readonly map_pop_elem: HelperFunction
  /** Reads the next value of a stack or queue and leaves it. r1 `map`; r2 `value`: where it goes. r0: 0 or a negative errno. */
  readonly map_peek_elem: HelperFunction
  /** Calls a subprogram for each element. r1 `map`; r2 `callback_fn`: its address, given map, key, value and context; r3 `callback_ctx`: pointer into the stack; r4 `flags`: 0. r0: elements visited, or a negative errno. */
  readonly for_each_map_elem: HelperFunction
  /** Calls a subprogram up to so many times, until it returns 1. r1 `nr_loops`; r2 `callback_fn`: its address, given index and context; r3 `callback_ctx`: pointer into the stack; r4 `flags`: 0. r0: rounds done, or a negative errno. */
  readonly loop: HelperFunction
  /** Goes on in another program of the same type and does not come back. r1 `ctx`: the context; r2 `prog_array_map`; r3 `index`: its entry. r0: only where it failed, a negative errno. */
  readonly tail_call: HelperFunction

  /** Reads memory of either kind; use probe_read_kernel or probe_read_user. r1 `dst`: where it goes; r2 `size`: bytes; r3 `unsafe_ptr`: address. r0: 0 or a negative errno. */
  readonly probe_read: HelperFunction
  /** Reads a text of either kind; use probe_read_kernel_str or probe_read_user_str. r1 `dst`: where it goes; r2 `size`: bytes there; r3 `unsafe_ptr`: address. r0: bytes with the NUL, or a negative errno. */
  readonly probe_read_str: HelperFunction
  /** Reads user memory that is present. r1 `dst`: where it goes; r2 `size`: bytes; r3 `unsafe_ptr`: address. r0: 0 or a negative errno. */
  readonly probe_read_user: HelperFunction
  /** Reads kernel memory. r1 `dst`: where it goes; r2 `size`: bytes; r3 `unsafe_ptr`: address. r0: 0 or a negative errno. */
  readonly probe_read_kernel: HelperFunction
  /** Reads a text of user memory. r1 `dst`: where it goes; r2 `size`: bytes there; r3 `unsafe_ptr`: address. r0: bytes with the NUL, or a negative errno. */
  readonly probe_read_user_str: HelperFunction
  /** Reads a text of kernel memory. r1 `dst`: where it goes; r2 `size`: bytes there; r3 `unsafe_ptr`: address. r0: bytes with the NUL, or a negative errno. */
  readonly probe_read_kernel_str: HelperFunction
  /** Writes memory of the current process: for experiments, the kernel warns in its log. r1 `dst`: address; r2 `src`: pointer to the bytes; r3 `len`. r0: 0 or a negative errno. */
  readonly probe_write_user: HelperFunction
  /** Reads user memory and waits for its page; sleepable programs. r1 `dst`: where it goes; r2 `size`: bytes; r3 `user_ptr`: address. r0: 0 or a negative errno. */
  readonly copy_from_user: HelperFunction
  /** Reads user memory of any task; sleepable programs. r1 `dst`: where it goes; r2 `size`: bytes; r3 `user_ptr`: address; r4 `tsk`: the task; r5 `flags`: 0. r0: 0 or a negative errno. */
  readonly copy_from_user_task: HelperFunction
  /** Compares texts. r1 `s1`: one of known length; r2 `s1_sz`: its bytes; r3 `s2`: a constant text. r0: below, at or above 0, as strncmp. */
  readonly strncmp: HelperFunction
  /** Reads a signed number from a text. r1 `buf`: the text; r2 `buf_len`: its bytes; r3 `flags`: base 8, 10, 16 or 0 to guess; r4 `res`: where 8 bytes go. r0: bytes read, or a negative errno. */
  readonly strtol: HelperFunction
  /** Reads an unsigned number from a text. r1 `buf`: the text; r2 `buf_len`: its bytes; r3 `flags`: base 8, 10, 16 or 0 to guess; r4 `res`: where 8 bytes go. r0: bytes read, or a negative errno. */
  readonly strtoul: HelperFunction
  /** Writes a formatted text. r1 `str`: where it goes; r2 `str_size`: bytes there; r3 `fmt`: a constant text in a map; r4 `data`: pointer to 64-bit arguments; r5 `data_len`: their bytes. r0: bytes needed with the NUL, or a negative errno. */
  readonly snprintf: HelperFunction
  /** Writes a value of a kernel type as text. r1 `str`: where it goes; r2 `str_size`: bytes there; r3 `ptr`: struct btf_ptr that says what; r4 `btf_ptr_size`: 16; r5 `flags`: BTF_F_*. r0: bytes needed, or a negative errno. */
  readonly snprintf_btf: HelperFunction

  /** Prints to trace_pipe. r1 `fmt`: pointer to the format; r2 `fmt_size`: its bytes with the NUL; r3 `...`: up to three arguments, in r3 to r5. r0: bytes printed, or a negative errno. */
  readonly trace_printk: HelperFunction
  /** Prints to trace_pipe, with more arguments. r1 `fmt`: pointer to the format; r2 `fmt_size`: its bytes; r3 `data`: pointer to 64-bit arguments; r4 `data_len`: their bytes. r0: bytes printed, or a negative errno. */
  readonly trace_vprintk: HelperFunction
  /** Nanoseconds since boot, without suspension. r0: them. */
  readonly ktime_get_ns: HelperFunction
  /** Nanoseconds since boot, with suspension. r0: them. */
  readonly ktime_get_boot_ns: HelperFunction
  /** Nanoseconds since boot as of the last tick: cheap. r0: them. */
  readonly ktime_get_coarse_ns: HelperFunction
  /** Nanoseconds of international atomic time. r0: them. */
  readonly ktime_get_tai_ns: HelperFunction
  /** The kernel's tick counter. r0: it. */
  readonly jiffies64: HelperFunction
  /** A random number of 32 bits, from BPF's own generator. r0: it. */
  readonly get_prandom_u32: HelperFunction
  /** The CPU that the program runs on. r0: its number. */
  readonly get_smp_processor_id: HelperFunction
  /** The NUMA node of this CPU. r0: its number. */
  readonly get_numa_node_id: HelperFunction

  /** The current task's ids. r0: tgid (the process) in the upper, pid (the thread) in the lower half. */
  readonly get_current_pid_tgid: HelperFunction
  /** The current task's user and group. r0: gid in the upper, uid in the lower half. */
  readonly get_current_uid_gid: HelperFunction
  /** The current task's name. r1 `buf`: where it goes; r2 `size_of_buf`: bytes there, up to 16. r0: 0 or a negative errno. */
  readonly get_current_comm: HelperFunction
  /** Address of the current task_struct, to be read with probe_read_kernel. r0: it. */
  readonly get_current_task: HelperFunction
  /** The current task_struct, to be read directly. r0: pointer that BTF describes. */
  readonly get_current_task_btf: HelperFunction
  /** The current task's ids in a pid namespace. r1 `dev`; r2 `ino`: device and inode of the namespace's file; r3 `nsdata`: where 8 bytes go; r4 `size`: 8. r0: 0 or a negative errno. */
  readonly get_ns_current_pid_tgid: HelperFunction
  /** Id of the current task's cgroup (version 2). r0: it. */
  readonly get_current_cgroup_id: HelperFunction
  /** Id of a cgroup above the current task's. r1 `ancestor_level`: 0 is the root. r0: it, 0 where there is none. */
  readonly get_current_ancestor_cgroup_id: HelperFunction
  /** Whether the current task is in a cgroup or below. r1 `map`: a cgroup_array; r2 `index`: its entry. r0: 1, 0 or a negative errno. */
  readonly current_task_under_cgroup: HelperFunction
  /** Saved user registers of a task. r1 `task`. r0: pointer to its pt_regs. */
  readonly task_pt_regs: HelperFunction
  /** Sends a signal to the current process. r1 `sig`: its number. r0: 0 or a negative errno. */
  readonly send_signal: HelperFunction
  /** Sends a signal to the current thread. r1 `sig`: its number. r0: 0 or a negative errno. */
  readonly send_signal_thread: HelperFunction
  /** Finds the memory area of an address and calls a subprogram with it. r1 `task`; r2 `addr`; r3 `callback_fn`: its address, given task, area and context; r4 `callback_ctx`: pointer into the stack; r5 `flags`: 0. r0: 0 or a negative errno. */
  readonly find_vma: HelperFunction

  /** Sends bytes to user space by a perf buffer. r1 `ctx`: the context; r2 `map`: a perf_event_array; r3 `flags`: index, or BPF_F_CURRENT_CPU; r4 `data`: pointer to them; r5 `size`. r0: 0 or a negative errno. */
  readonly perf_event_output: HelperFunction
  /** Reads a perf counter. r1 `map`: a perf_event_array; r2 `flags`: index, or BPF_F_CURRENT_CPU. r0: its value, or a negative errno that looks like one. */
  readonly perf_event_read: HelperFunction
  /** Reads a perf counter with its times. r1 `map`: a perf_event_array; r2 `flags`: index, or BPF_F_CURRENT_CPU; r3 `buf`: where 24 bytes go; r4 `buf_size`: 24. r0: 0 or a negative errno. */
  readonly perf_event_read_value: HelperFunction
  /** Reads the counter of the perf event that runs the program. r1 `ctx`: the context; r2 `buf`: where 24 bytes go; r3 `buf_size`: 24. r0: 0 or a negative errno. */
  readonly perf_prog_read_value: HelperFunction
  /** Id of a stack trace, kept in a map. r1 `ctx`: the context; r2 `map`: a stack_trace; r3 `flags`: frames to skip, and BPF_F_*. r0: the id, or a negative errno. */
  readonly get_stackid: HelperFunction
  /** Addresses of the stack. r1 `ctx`: the context; r2 `buf`: where they go; r3 `size`: bytes there; r4 `flags`: frames to skip, and BPF_F_*. r0: bytes written, or a negative errno. */
  readonly get_stack: HelperFunction
  /** Addresses of a task's stack. r1 `task`; r2 `buf`: where they go; r3 `size`: bytes there; r4 `flags`: frames to skip, and BPF_F_*. r0: bytes written, or a negative errno. */
  readonly get_task_stack: HelperFunction
  /** Branch records of the perf event that runs the program. r1 `ctx`: the context; r2 `buf`: where they go; r3 `size`: bytes there; r4 `flags`: 0 or BPF_F_GET_BRANCH_RECORDS_SIZE. r0: bytes, or a negative errno. */
  readonly read_branch_records: HelperFunction
  /** Last branches of this CPU. r1 `entries`: where they go; r2 `size`: bytes there; r3 `flags`: 0. r0: bytes written, or a negative errno. */
  readonly get_branch_snapshot: HelperFunction
  /** Makes the probed function return at once. r1 `regs`: the context; r2 `rc`: what it returns. r0: 0. */
  readonly override_return: HelperFunction
  /** Address of the traced function. r1 `ctx`: the context. r0: it, 0 where it is not known. */
  readonly get_func_ip: HelperFunction
  /** The number that user space gave with the attachment. r1 `ctx`: the context. r0: it. */
  readonly get_attach_cookie: HelperFunction
  /** An argument of the traced function. r1 `ctx`: the context; r2 `n`: which, from 0; r3 `value`: where 8 bytes go. r0: 0 or a negative errno. */
  readonly get_func_arg: HelperFunction
  /** What the traced function returned. r1 `ctx`: the context; r2 `value`: where 8 bytes go. r0: 0 or a negative errno. */
  readonly get_func_ret: HelperFunction
  /** How many arguments the traced function has. r1 `ctx`: the context. r0: their number. */
  readonly get_func_arg_cnt: HelperFunction
  /** What the programs before this one made the hook return. r0: it. */
  readonly get_retval: HelperFunction
  /** Sets what the hook returns. r1 `retval`. r0: 0 or a negative errno. */
  readonly set_retval: HelperFunction

  /** Copies bytes into a ring buffer. r1 `ringbuf`: the map; r2 `data`: pointer to them; r3 `size`; r4 `flags`: 0, BPF_RB_NO_WAKEUP or BPF_RB_FORCE_WAKEUP. r0: 0 or a negative errno. */
  readonly ringbuf_output: HelperFunction
  /** Takes room in a ring buffer, to be submitted or discarded. r1 `ringbuf`: the map; r2 `size`: a constant; r3 `flags`: 0. r0: pointer to it, 0 where there is none. */
  readonly ringbuf_reserve: HelperFunction
  /** Hands reserved room to user space. r1 `data`: the pointer; r2 `flags`: 0, BPF_RB_NO_WAKEUP or BPF_RB_FORCE_WAKEUP. r0: nothing. */
  readonly ringbuf_submit: HelperFunction
  /** Gives reserved room back. r1 `data`: the pointer; r2 `flags`: as of ringbuf_submit. r0: nothing. */
  readonly ringbuf_discard: HelperFunction
  /** A fact of a ring buffer at this moment. r1 `ringbuf`: the map; r2 `flags`: BPF_RB_AVAIL_DATA, BPF_RB_RING_SIZE, BPF_RB_CONS_POS or BPF_RB_PROD_POS. r0: bytes. */
  readonly ringbuf_query: HelperFunction
  /** Takes room of any size in a ring buffer. r1 `ringbuf`: the map; r2 `size`; r3 `flags`: 0; r4 `ptr`: the dynptr to make, to be submitted or discarded also where it failed. r0: 0 or a negative errno. */
  readonly ringbuf_reserve_dynptr: HelperFunction
  /** Hands the room of a dynptr to user space. r1 `ptr`; r2 `flags`: as of ringbuf_submit. r0: nothing. */
  readonly ringbuf_submit_dynptr: HelperFunction
  /** Gives the room of a dynptr back. r1 `ptr`; r2 `flags`: as of ringbuf_submit. r0: nothing. */
  readonly ringbuf_discard_dynptr: HelperFunction
  /** Calls a subprogram for each record that user space has sent. r1 `map`: a user_ringbuf; r2 `callback_fn`: its address, given a dynptr and context; r3 `ctx`: pointer into the stack; r4 `flags`: as of ringbuf_submit. r0: records, or a negative errno. */
  readonly user_ringbuf_drain: HelperFunction
  /** Makes a dynptr to memory of a map. r1 `data`: the memory; r2 `size`; r3 `flags`: 0; r4 `ptr`: the dynptr to make. r0: 0 or a negative errno. */
  readonly dynptr_from_mem: HelperFunction
  /** Reads from a dynptr. r1 `dst`: where it goes; r2 `len`: bytes; r3 `src`: the dynptr; r4 `offset`; r5 `flags`: 0. r0: 0 or a negative errno. */
  readonly dynptr_read: HelperFunction
  /** Writes to a dynptr. r1 `dst`: the dynptr; r2 `offset`; r3 `src`: pointer to the bytes; r4 `len`; r5 `flags`: 0, or those of skb_store_bytes for a packet. r0: 0 or a negative errno. */
  readonly dynptr_write: HelperFunction
  /** Direct access to a part of a dynptr. r1 `ptr`: the dynptr; r2 `offset`; r3 `len`: a constant. r0: pointer, 0 where it is not inside. */
  readonly dynptr_data: HelperFunction
  /** Exchanges a kernel pointer that a map value holds. r1 `dst`: its place; r2 `ptr`: the new one, or 0. r0: the old one, to be released, or 0. */
  readonly kptr_xchg: HelperFunction
  /** Prepares a timer in a map value. r1 `timer`: its place; r2 `map`: the map it is in; r3 `flags`: the clock, such as CLOCK_MONOTONIC. r0: 0 or a negative errno. */
  readonly timer_init: HelperFunction
  /** Says what a timer calls. r1 `timer`; r2 `callback_fn`: address of a subprogram, given map, key and value. r0: 0 or a negative errno. */
  readonly timer_set_callback: HelperFunction
  /** Starts a timer. r1 `timer`; r2 `nsecs`: from now; r3 `flags`: BPF_F_TIMER_*. r0: 0 or a negative errno. */
  readonly timer_start: HelperFunction
  /** Stops a timer and waits for its callback. r1 `timer`. r0: 1 where it was running, 0 where not, or a negative errno. */
  readonly timer_cancel: HelperFunction
  /** Takes the lock of a map value; nothing is called until it is given back. r1 `lock`: its place. r0: nothing. */
  readonly spin_lock: HelperFunction
  /** Gives a lock back. r1 `lock`: its place. r0: nothing. */
  readonly spin_unlock: HelperFunction
  /** A per-CPU kernel variable on one CPU. r1 `percpu_ptr`: its address by BTF; r2 `cpu`. r0: pointer, 0 for no such CPU. */
  readonly per_cpu_ptr: HelperFunction
  /** A per-CPU kernel variable on this CPU. r1 `percpu_ptr`: its address by BTF. r0: pointer. */
  readonly this_cpu_ptr: HelperFunction

  /** A task's own value in a map. r1 `map`: a task_storage; r2 `task`; r3 `value`: pointer to a first value, or 0; r4 `flags`: 0 or BPF_LOCAL_STORAGE_GET_F_CREATE. r0: pointer to it, or 0. */
  readonly task_storage_get: HelperFunction
  /** Removes a task's own value. r1 `map`: a task_storage; r2 `task`. r0: 0 or a negative errno. */
  readonly task_storage_delete: HelperFunction
  /** An inode's own value in a map. r1 `map`: an inode_storage; r2 `inode`; r3 `value`: pointer to a first value, or 0; r4 `flags`: 0 or BPF_LOCAL_STORAGE_GET_F_CREATE. r0: pointer to it, or 0. */
  readonly inode_storage_get: HelperFunction
  /** Removes an inode's own value. r1 `map`: an inode_storage; r2 `inode`. r0: 0 or a negative errno. */
  readonly inode_storage_delete: HelperFunction
  /** A cgroup's own value in a map. r1 `map`: a cgrp_storage; r2 `cgroup`; r3 `value`: pointer to a first value, or 0; r4 `flags`: 0 or BPF_LOCAL_STORAGE_GET_F_CREATE. r0: pointer to it, or 0. */
  readonly cgrp_storage_get: HelperFunction
  /** Removes a cgroup's own value. r1 `map`: a cgrp_storage; r2 `cgroup`. r0: 0 or a negative errno. */
  readonly cgrp_storage_delete: HelperFunction
  /** The storage of this cgroup attachment. r1 `map`: a cgroup_storage; r2 `flags`: 0. r0: pointer to it. */
  readonly get_local_storage: HelperFunction

  /** Path of a file as text. r1 `path`: its struct path; r2 `buf`: where it goes; r3 `sz`: bytes there. r0: bytes with the NUL, or a negative errno. */
  readonly d_path: HelperFunction
  /** The socket of a file. r1 `file`. r0: pointer to it, 0 for another kind of file. */
  readonly sock_from_file: HelperFunction
  /** Hash that IMA has of an inode. r1 `inode`; r2 `dst`: where it goes; r3 `size`: bytes there. r0: the algorithm, or a negative errno. */
  readonly ima_inode_hash: HelperFunction
  /** Hash that IMA makes of a file. r1 `file`; r2 `dst`: where it goes; r3 `size`: bytes there. r0: the algorithm, or a negative errno. */
  readonly ima_file_hash: HelperFunction
  /** Sets options of a program to be executed. r1 `bprm`; r2 `flags`: 0 or BPF_F_BPRM_SECUREEXEC. r0: 0 or a negative errno. */
  readonly bprm_opts_set: HelperFunction
  /** Prints into an iterator's output. r1 `m`: its seq_file; r2 `fmt`: pointer to the format; r3 `fmt_size`: its bytes; r4 `data`: pointer to 64-bit arguments; r5 `data_len`: their bytes. r0: 0 or a negative errno. */
  readonly seq_printf: HelperFunction
  /** Writes bytes into an iterator's output. r1 `m`: its seq_file; r2 `data`: pointer to them; r3 `len`. r0: 0 or a negative errno. */
  readonly seq_write: HelperFunction
  /** Prints a value of a kernel type into an iterator's output. r1 `m`: its seq_file; r2 `ptr`: struct btf_ptr that says what; r3 `ptr_size`: 16; r4 `flags`: BTF_F_*. r0: 0 or a negative errno. */
  readonly seq_printf_btf: HelperFunction
  /** The bpf system call, from a program of type syscall. r1 `cmd`; r2 `attr`: pointer to its attributes; r3 `attr_size`: their bytes. r0: what it returns. */
  readonly sys_bpf: HelperFunction
  /** Closes a descriptor, from a program of type syscall. r1 `fd`. r0: what it returns. */
  readonly sys_close: HelperFunction
  /** Finds a type of kernel BTF. r1 `name`: the text; r2 `name_sz`: its bytes with the NUL; r3 `kind`: a BTF kind; r4 `flags`: 0. r0: id with the module's descriptor above, or a negative errno. */
  readonly btf_find_by_name_kind: HelperFunction
  /** Address of a kernel symbol. r1 `name`: the text; r2 `name_sz`: its bytes with the NUL; r3 `flags`: 0; r4 `res`: where 8 bytes go. r0: 0 or a negative errno. */
  readonly kallsyms_lookup_name: HelperFunction
  /** The name of a sysctl being accessed. r1 `ctx`: the context; r2 `buf`: where it goes; r3 `buf_len`: bytes there; r4 `flags`: 0 or BPF_F_SYSCTL_BASE_NAME. r0: its length, or a negative errno. */
  readonly sysctl_get_name: HelperFunction
  /** The value of a sysctl. r1 `ctx`: the context; r2 `buf`: where it goes; r3 `buf_len`: bytes there. r0: its length, or a negative errno. */
  readonly sysctl_get_current_value: HelperFunction
  /** The value being written to a sysctl. r1 `ctx`: the context; r2 `buf`: where it goes; r3 `buf_len`: bytes there. r0: its length, or a negative errno. */
  readonly sysctl_get_new_value: HelperFunction
  /** Replaces the value being written to a sysctl. r1 `ctx`: the context; r2 `buf`: the text; r3 `buf_len`: its bytes. r0: 0 or a negative errno. */
  readonly sysctl_set_new_value: HelperFunction
  /** Reports that an infrared key is held. r1 `ctx`: the context. r0: 0. */
  readonly rc_repeat: HelperFunction
  /** Reports an infrared key. r1 `ctx`: the context; r2 `protocol`; r3 `scancode`; r4 `toggle`. r0: 0. */
  readonly rc_keydown: HelperFunction
  /** Reports an infrared pointer's move. r1 `ctx`: the context; r2 `rel_x`; r3 `rel_y`. r0: 0. */
  readonly rc_pointer_rel: HelperFunction
}
