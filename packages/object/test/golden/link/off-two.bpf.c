// SPDX-License-Identifier: MIT
/* A program that is not loaded unless asked for, and what the kernel may supply. */
#include "shared.h"

extern u64 CONFIG_HZ __kconfig weak;
extern const int no_such_symbol __ksym weak;
extern struct task_struct *bpf_task_from_pid(int pid) __ksym weak;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern u64 main_total;

static noinline int scale(u64 value)
{
	return value + 2;
}

SEC("?raw_tp/sys_enter")
int off_two(void *ctx)
{
	struct task_struct *task;

	if (&no_such_symbol)
		main_total += 2;
	task = bpf_task_from_pid(2);
	if (task)
		bpf_task_release(task);
	return scale(CONFIG_HZ);
}
