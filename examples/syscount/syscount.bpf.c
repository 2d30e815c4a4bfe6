// SPDX-License-Identifier: MIT
/*
 * Counts system calls by process.
 *
 * One hash map, one tracepoint program, one constant that is set before the load, and one CO-RE read: nothing is
 * included, the kernel's types that are used are declared below as far as they are used.
 */
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int (*name)[value]
#define __type(name, type) type *name

/* Helpers, by their numbers in the kernel's list (include/uapi/linux/bpf.h). */
static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static u64 (*const bpf_get_current_pid_tgid)(void) = (void *)14;
static u64 (*const bpf_get_current_task)(void) = (void *)35;
static long (*const bpf_probe_read_kernel)(void *dst, u32 size, const void *src) = (void *)113;

enum { BPF_MAP_TYPE_HASH = 1 };
enum { BPF_NOEXIST = 1 };

/* Offsets here mean nothing: each access is recorded and relocated to the kernel that the program will run on. */
struct task_struct {
	int tgid;
	struct task_struct *real_parent;
} __attribute__((preserve_access_index));

/* Reads a member of a kernel structure whose place is known at load time only. */
#define READ(to, from) bpf_probe_read_kernel(&(to), sizeof(to), __builtin_preserve_access_index(&(from)))

/* Counts only the children of this process; 0 counts every process. */
const volatile u32 target_parent = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, u32);
	__type(value, u64);
} syscall_count SEC(".maps");

static u32 parent_of_current(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *parent = 0;
	u32 tgid = 0;

	READ(parent, task->real_parent);
	READ(tgid, parent->tgid);
	return tgid;
}

SEC("tracepoint/raw_syscalls/sys_enter")
int count_syscalls(__attribute__((unused)) void *ctx)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	u64 *count;

	if (target_parent && parent_of_current() != target_parent)
		return 0;

	count = bpf_map_lookup_elem(&syscall_count, &pid);
	if (!count) {
		u64 zero = 0;

		/* Another CPU may be first, so the new entry starts at zero and whoever finds it adds to it. */
		bpf_map_update_elem(&syscall_count, &pid, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&syscall_count, &pid);
		if (!count)
			return 0;
	}
	__sync_fetch_and_add(count, 1);
	return 0;
}

/* bpf_probe_read_kernel is for programs whose licence is compatible with the GPL. */
char LICENSE[] SEC("license") = "Dual MIT/GPL";
