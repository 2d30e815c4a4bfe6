// SPDX-License-Identifier: MIT
/* Every way to declare a map in `.maps`. */
#include "golden.h"

struct key {
	u32 pid;
	char comm[16];
};

struct value {
	u64 count;
	u64 last;
	u8 flags;
};

struct {
	__uint(type, 1); /* hash */
	__uint(max_entries, 10240);
	__type(key, struct key);
	__type(value, struct value);
} by_task SEC(".maps");

struct {
	__uint(type, 2); /* array */
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 40);
	__uint(map_flags, 1024); /* BPF_F_MMAPABLE */
} by_size SEC(".maps");

struct {
	__uint(type, 6); /* percpu_array */
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64[3]);
} per_cpu SEC(".maps");

/* A definition behind a typedef and a qualifier, with the size given twice. */
typedef struct {
	__uint(type, 9); /* lru_hash */
	__uint(max_entries, 100);
	__uint(key_size, 4);
	__type(key, u32);
	__type(value, u64);
	__uint(numa_node, 1);
	__uint(map_flags, 4); /* BPF_F_NUMA_NODE */
} lru_t;
volatile lru_t lru SEC(".maps");

struct {
	__uint(type, 27); /* ringbuf */
	__uint(max_entries, 262144);
} events SEC(".maps");

struct {
	__uint(type, 4); /* perf_event_array */
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf SEC(".maps");

struct {
	__uint(type, 30); /* bloom_filter */
	__uint(max_entries, 50);
	__uint(map_extra, 3);
	__type(value, u64);
} bloom SEC(".maps");

struct {
	__uint(type, 1);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, u64);
	__uint(pinning, 1); /* LIBBPF_PIN_BY_NAME */
} pinned_counters_with_a_long_name SEC(".maps");

struct {
	__uint(type, 29); /* task_storage */
	__uint(map_flags, 1); /* BPF_F_NO_PREALLOC */
	__type(key, int);
	__type(value, struct value);
} storage SEC(".maps");

struct inner {
	__uint(type, 2);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, struct value);
} inner_a SEC(".maps"), inner_b SEC(".maps");

struct {
	__uint(type, 12); /* array_of_maps */
	__uint(max_entries, 5);
	__type(key, u32);
	__array(values, struct inner);
} outer_array SEC(".maps") = { .values = { [1] = &inner_a, [3] = &inner_b, [4] = &inner_a } };

struct {
	__uint(type, 13); /* hash_of_maps */
	__uint(max_entries, 3);
	__type(key, u32);
	__array(values, struct {
		__uint(type, 1);
		__uint(max_entries, 7);
		__type(key, u64);
		__type(value, u64);
	});
} outer_hash SEC(".maps");

int on_tail(void *ctx);
int on_other_tail(void *ctx);

struct {
	__uint(type, 3); /* prog_array */
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, int(void *));
} tails SEC(".maps") = { .values = { [0] = on_tail, [2] = on_other_tail } };

SEC("socket")
int on_tail(void *ctx)
{
	u32 zero = 0;
	u64 *count = bpf_map_lookup_elem(&per_cpu, &zero);

	if (count)
		count[1]++;
	return 0;
}

SEC("socket")
int on_other_tail(void *ctx)
{
	struct key key = {};
	struct value value = { .count = 1 };

	bpf_map_update_elem(&by_task, &key, &value, 0);
	bpf_map_update_elem(&by_size, &key, &value, 0);
	return 0;
}

SEC("socket/entry")
int entry(void *ctx)
{
	u32 one = 1;

	bpf_tail_call(ctx, &tails, 2);
	return bpf_map_lookup_elem(&outer_array, &one) != 0;
}
