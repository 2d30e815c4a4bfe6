/* SPDX-License-Identifier: MIT */
/* What the sources of one linked object agree on. */
#ifndef SHARED_H
#define SHARED_H

#include "../golden.h"

#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))
#define core __attribute__((preserve_access_index))

struct task_struct {
	int pid;
	int tgid;
} core;

struct record {
	u64 when;
	u32 pid;
};

struct shared_type {
	__uint(type, 1);
	__uint(max_entries, 32);
	__type(key, u32);
	__type(value, struct record);
};

#endif
