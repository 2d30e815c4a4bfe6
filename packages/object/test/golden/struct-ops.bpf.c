// SPDX-License-Identifier: MIT
/* A kernel interface made of programs: parsed as maps of type struct_ops. */
#include "golden.h"

struct ops {
	int (*init)(void);
	void (*release)(void *);
	u32 flags;
};

SEC("struct_ops/init")
int on_init(void)
{
	return 0;
}

SEC("struct_ops.s/release")
void on_release(void *ctx)
{
}

SEC(".struct_ops")
struct ops plain = { .init = on_init, .flags = 3 };

SEC(".struct_ops.link")
struct ops linked = { .init = on_init, .release = on_release };

SEC("?.struct_ops.link")
struct ops on_request = { .release = on_release, .flags = 0x01020304 };

char LICENSE[] SEC("license") = "GPL";
