// SPDX-License-Identifier: MIT
/* What bench/loader/load.mjs loads: 31 CO-RE relocations on 6 structs of the kernel, two maps, constants and a counter. */
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))
#define ADD(from, member)                                                                                              \
	do {                                                                                                           \
		char byte = 0;                                                                                         \
		probe_read_kernel(&byte, 1, &(from)->member);                                                          \
		sum += byte;                                                                                           \
	} while (0)
#define FOLLOW(type, member)                                                                                           \
	struct type *member = 0;                                                                                       \
	probe_read_kernel(&member, sizeof(member), &task->member)

struct nsproxy { void *uts_ns, *ipc_ns, *mnt_ns, *net_ns; } CORE;
struct cred { unsigned securebits; void *security, *user, *user_ns, *group_info; } CORE;
struct mm_struct { unsigned long total_vm, stack_vm, start_code, end_code, start_stack; } CORE;
struct signal_struct { int nr_threads; unsigned long nvcsw, nivcsw, min_flt, maj_flt; } CORE;
struct sched_entity { unsigned long long exec_start, sum_exec_runtime, vruntime; } CORE;
struct task_struct {
	int pid, tgid, prio, flags;
	struct mm_struct *mm;
	struct cred *cred;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct sched_entity se;
} CORE;

static long (*const map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const map_update_elem)(void *map, const void *key, const void *value, unsigned long long flags) = (void *)2;
static long (*const probe_read_kernel)(void *to, unsigned size, const void *from) = (void *)113;
static long (*const ringbuf_output)(void *ring, void *data, unsigned long long size, unsigned long long flags) = (void *)130;

struct {
	int (*type)[27];
	int (*max_entries)[262144];
} events SEC(".maps");

struct {
	int (*type)[1];
	int (*max_entries)[10240];
	int *key;
	unsigned long long *value;
} counts SEC(".maps");

const volatile int only_pid = 0;
unsigned long long total;

SEC("raw_tp/sched_switch") int on_switch(unsigned long long *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[2];
	unsigned long long sum = 0;
	int key = 0;

	FOLLOW(mm_struct, mm);
	FOLLOW(cred, cred);
	FOLLOW(nsproxy, nsproxy);
	FOLLOW(signal_struct, signal);
	ADD(task, pid);
	ADD(task, tgid);
	ADD(task, prio);
	ADD(task, flags);
	ADD(task, se.exec_start);
	ADD(task, se.sum_exec_runtime);
	ADD(task, se.vruntime);
	ADD(mm, total_vm);
	ADD(mm, stack_vm);
	ADD(mm, start_code);
	ADD(mm, end_code);
	ADD(mm, start_stack);
	ADD(cred, securebits);
	ADD(cred, security);
	ADD(cred, user);
	ADD(cred, user_ns);
	ADD(cred, group_info);
	ADD(nsproxy, net_ns);
	ADD(nsproxy, uts_ns);
	ADD(nsproxy, ipc_ns);
	ADD(nsproxy, mnt_ns);
	ADD(signal, nr_threads);
	ADD(signal, nvcsw);
	ADD(signal, nivcsw);
	ADD(signal, min_flt);
	ADD(signal, maj_flt);
	if (only_pid != 0 && only_pid != (int)sum)
		return 0;
	__sync_fetch_and_add(&total, 1);
	if (!map_lookup_elem(&counts, &key))
		map_update_elem(&counts, &key, &sum, 0);
	ringbuf_output(&events, &sum, sizeof(sum), 0);
	return __builtin_preserve_field_info(task->signal, 2) == 0;
}

char LICENSE[] SEC("license") = "GPL";
