// SPDX-License-Identifier: MIT
/* Memory that programs and user space share, with variables in it. */
#include "golden.h"

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, 33);
	__uint(map_flags, 1 << 10);
	__uint(max_entries, 4);
	__ulong(map_extra, 1ull << 44);
} memory SEC(".maps");

u64 __arena first SEC(".addr_space.1") = 0x1122334455667788;
u32 __arena second[3] SEC(".addr_space.1") = { 1, 2, 3 };

SEC("syscall")
int use(void *ctx)
{
	bpf_map_lookup_elem(&memory, ctx);
	second[1] += first;
	return second[2];
}

char LICENSE[] SEC("license") = "GPL";
