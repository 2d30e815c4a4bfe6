// SPDX-License-Identifier: MIT
/* What GCC 12 can compile: two programs in a section, subprograms, maps, and data of each kind. */
#include "golden.h"

/* GCC folds no constant pointers to functions: helpers are declared by its own attribute. */
__attribute__((kernel_helper(1))) void *lookup(void *map, const void *key);
__attribute__((kernel_helper(2))) long update(void *map, const void *key, const void *value, u64 flags);

struct entry {
	u64 count;
	char name[8];
};

struct {
	__uint(type, 1);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, struct entry);
} entries SEC(".maps");

struct {
	__uint(type, 2);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 8);
	__uint(map_flags, 1 << 10);
} plain SEC(".maps");

const u32 limit = 5;
u64 total = 7;
u32 hits;
u32 apart SEC(".data.apart") = 3;

static noinline int in_file(u32 x)
{
	return x * 3 + hits;
}

noinline int global(u32 x)
{
	total += in_file(x);
	return total > limit;
}

SEC("tracepoint/raw_syscalls/sys_enter")
int on_enter(void *ctx)
{
	u32 key = apart;
	struct entry *entry = lookup(&entries, &key);

	if (entry)
		entry->count += global(key);
	return 0;
}

SEC("tracepoint/raw_syscalls/sys_enter")
int on_enter_too(void *ctx)
{
	u32 key = 1;
	u64 value = total;

	hits++;
	return update(&plain, &key, &value, 0) + in_file(key);
}

SEC("?xdp.frags")
int not_by_itself(void *ctx)
{
	return 2;
}

char LICENSE[] SEC("license") = "GPL";
