// SPDX-License-Identifier: MIT
/* A map as it was declared before BTF: refused, as by libbpf. */
#include "golden.h"

struct {
	u32 type, key_size, value_size, max_entries, map_flags;
} counts SEC("maps") = { 1, 4, 8, 16 };

SEC("socket")
int use(void *ctx)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&counts, &key) != 0;
}
