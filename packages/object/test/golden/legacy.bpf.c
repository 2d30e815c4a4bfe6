// SPDX-License-Identifier: MIT
/* Maps as they were declared before BTF: libbpf 1.x refuses them. */
#include "golden.h"

struct bpf_map_def {
	u32 type, key_size, value_size, max_entries, map_flags;
};

struct bpf_map_def SEC("maps") counts = { 1, 4, 8, 16 };
struct bpf_map_def SEC("maps") flagged = { .type = 2, .key_size = 4, .value_size = 16, .max_entries = 3, .map_flags = 0x400 };

/* How BTF told the types of such a map's key and value. */
struct ____btf_map_counts {
	u32 key;
	u64 value;
};
struct ____btf_map_counts __attribute__((section(".maps.counts"), used)) ____btf_map_counts = {};

SEC("socket")
int use(void *ctx)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&counts, &key) != 0 || bpf_map_lookup_elem(&flagged, &key) != 0;
}
