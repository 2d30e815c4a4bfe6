// SPDX-License-Identifier: MIT
/* A program that is not loaded unless asked for, and what the kernel may supply. */
#include "shared.h"

extern u32 LINUX_KERNEL_VERSION __kconfig;
extern u64 CONFIG_HZ __kconfig weak;
extern const int no_such_symbol __ksym weak;
extern u64 main_total;

static noinline int scale(u64 value)
{
	return value + 1;
}

SEC("?raw_tp/sys_enter")
int off_one(void *ctx)
{
	if (&no_such_symbol)
		main_total += 1;
	return scale(LINUX_KERNEL_VERSION + CONFIG_HZ);
}
