// SPDX-License-Identifier: MIT
/* Without a licence, and weaker than the others. */
#include "shared.h"

extern struct shared_type shared_map SEC(".maps");
extern int lib_count;

struct {
	__uint(type, 3);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps");

weak noinline int lib_add(int left, int right)
{
	return left - right;
}

weak noinline int extra_walk(int count)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u32 key = 1;
	int pid = 0;

	bpf_probe_read_kernel(&pid, sizeof(pid), &task->pid);
	if (bpf_map_lookup_elem(&shared_map, &key))
		lib_count += pid;
	return count + pid;
}

