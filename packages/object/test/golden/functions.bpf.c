// SPDX-License-Identifier: MIT
/* Programs, subprograms and callbacks: the diamond first -> a -> b, second -> c -> b, with data and CO-RE reads within. */
#include "golden.h"

struct {
	__uint(type, 2);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u64);
} slots SEC(".maps");

u64 total;
const volatile u64 step = 2;

struct task_struct {
	int tgid;
	struct task_struct *real_parent;
} __attribute__((preserve_access_index));

static noinline u32 parent_tgid(void)
{
	struct task_struct *task = (void *)bpf_get_current_task(), *parent = 0;
	u32 tgid = 0;

	bpf_probe_read_kernel(&parent, sizeof(parent), __builtin_preserve_access_index(&task->real_parent));
	bpf_probe_read_kernel(&tgid, sizeof(tgid), __builtin_preserve_access_index(&parent->tgid));
	return tgid;
}

static noinline u64 b(u64 x)
{
	total += x;
	return x + step;
}

static noinline u64 a(u64 x)
{
	return b(x * 3) + parent_tgid();
}

noinline u64 c(u64 x)
{
	return x > 100 ? b(x) - 7 : b(x + 1) * 2;
}

weak noinline u64 d(u64 x)
{
	return c(x) + bpf_ktime_get_ns();
}

hidden noinline u64 e(u64 x)
{
	return x ^ bpf_ktime_get_ns();
}

static long each(void *map, u32 *key, u64 *value, u64 *sum)
{
	*sum += b(*value);
	return 0;
}

long each_globally(u32 index, void *data)
{
	return e(index) == step;
}

SEC("xdp")
int first(void *ctx)
{
	return a((u64)ctx) > 5;
}

SEC("xdp")
int second(void *ctx)
{
	return d((u64)ctx) + c(7) > 5;
}

SEC("tp_btf/sched_switch")
int third(u64 *ctx)
{
	u64 sum = 0;

	bpf_for_each_map_elem(&slots, each, &sum, 0);
	bpf_loop(4, each_globally, 0, 0);
	total = sum + parent_tgid();
	return 0;
}

SEC("?tracepoint/syscalls/sys_enter_openat")
int not_by_itself(void *ctx)
{
	return (int)bpf_ktime_get_ns();
}

SEC("xdp.frags/devmap")
int with_fragments(void *ctx)
{
	return 2;
}

SEC("fentry.s/bprm_execve")
int may_sleep(u64 *ctx)
{
	return 0;
}

SEC("cgroup/connect4")
int on_connect(void *ctx)
{
	return 1;
}

SEC("syscall")
int called(void *ctx)
{
	return 0;
}

SEC("kprobe")
int anywhere(void *ctx)
{
	return 0;
}

SEC("uprobe.multi/libc.so*:mall*c")
int with_pattern(void *ctx)
{
	return 0;
}

SEC("my_own/section")
weak int unknown(void *ctx)
{
	return (int)e(1);
}

char LICENSE[] SEC("license") = "GPL";
