// SPDX-License-Identifier: MIT
/* Defines most of what main.bpf.c refers to, with statics of the same names. */
#include "shared.h"

extern int main_hook(int value);
extern u64 main_total;

struct shared_type shared_map SEC(".maps");

struct {
	__uint(type, 2);
	__uint(max_entries, 3);
	__type(key, u32);
	__type(value, struct record);
} both_map SEC(".maps");

int lib_count;
const volatile int lib_limit = 100;
u64 lib_table[4] = { 1, 2, 3, 4 };
int lib_secret hidden = 42;
u32 lib_own SEC(".data.mine") = 8;
static volatile u32 quiet = 19;
u32 either_value = 2;

static noinline int scale(int value)
{
	return value * (int)quiet + 2;
}

static noinline long each(void *map, u32 *key, struct record *value, void *ctx)
{
	return value->pid > (u32)lib_limit;
}

noinline int either(int value)
{
	return value + scale(value);
}

noinline int lib_add(int left, int right)
{
	return scale(left) + right + either((int)either_value);
}

hidden noinline int lib_hidden(int value)
{
	return value + lib_secret;
}

noinline int lib_task(int more)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	int tgid = 0;

	bpf_probe_read_kernel(&tgid, sizeof(tgid), &task->tgid);
	return tgid + more;
}

SEC("raw_tp/sys_exit")
int leave(void *ctx)
{
	bpf_for_each_map_elem(&shared_map, each, 0, 0);
	main_total += main_hook(scale(3));
	return 0;
}

char _license[] SEC("license") = "GPL";
