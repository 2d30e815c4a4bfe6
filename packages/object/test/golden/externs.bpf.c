// SPDX-License-Identifier: MIT
/* What the kernel and its configuration supply. */
#include "golden.h"

#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))

enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };

extern u32 LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF_SYSCALL __kconfig weak;
extern enum libbpf_tristate CONFIG_VETH __kconfig weak;
extern u64 CONFIG_HZ __kconfig;
extern char CONFIG_DEFAULT_HOSTNAME[10] __kconfig weak;

extern const void bpf_prog_fops __ksym;
extern const int nr_cpu_ids_or_not __ksym weak;

struct task_struct;
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym weak;

u64 out;

SEC("syscall")
int use(void *ctx)
{
	struct task_struct *task;

	out = LINUX_KERNEL_VERSION + CONFIG_BPF_SYSCALL + CONFIG_VETH + CONFIG_HZ + CONFIG_DEFAULT_HOSTNAME[3];
	out += (u64)&bpf_prog_fops;
	if (&nr_cpu_ids_or_not)
		out++;
	task = bpf_task_from_pid(1);
	if (task && bpf_task_release)
		bpf_task_release(task);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
