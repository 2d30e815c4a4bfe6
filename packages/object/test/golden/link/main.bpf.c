// SPDX-License-Identifier: MIT
/* Refers to what lib.bpf.c and extra.bpf.c define, and defines some of what they refer to. */
#include "shared.h"

extern int lib_add(int left, int right);
extern int lib_task(int more) weak;
extern int lib_hidden(int value);
extern int extra_walk(int count);

extern int lib_count;
extern const int lib_limit;
extern u64 lib_table[4];
extern int lib_secret;
extern struct shared_type shared_map SEC(".maps");

struct {
	__uint(type, 2);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} main_map SEC(".maps");

struct {
	__uint(type, 2);
	__uint(max_entries, 3);
	__type(key, u32);
	__type(value, struct record);
} both_map SEC(".maps") weak;

u64 main_total = 5;
int main_seen;
const volatile u32 main_step = 3;
u32 main_own SEC(".data.mine") = 7;
static volatile u32 quiet = 9;
u32 either_value weak = 1;

static noinline int scale(int value)
{
	return value * (int)quiet + 1;
}

weak noinline int either(int value)
{
	return value + 1;
}

noinline int main_hook(int value)
{
	main_seen += value;
	return main_seen;
}

SEC("raw_tp/sys_enter")
int enter(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct record *record;
	u32 key = 0;
	u64 *slot;
	int pid = 0;

	record = bpf_map_lookup_elem(&shared_map, &key);
	if (record)
		record->pid = 1;
	slot = bpf_map_lookup_elem(&main_map, &key);
	if (slot)
		*slot += lib_table[2] + either_value;
	if (!bpf_map_lookup_elem(&both_map, &key))
		lib_count++;
	main_total += lib_add(lib_count, lib_limit) + lib_hidden(lib_secret) + main_step + main_own;
	bpf_probe_read_kernel(&pid, sizeof(pid), &task->pid);
	main_total += lib_task(pid);
	return scale(either(1)) + extra_walk(2);
}

char LICENSE[] SEC("license") = "GPL";
