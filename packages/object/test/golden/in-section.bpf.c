// SPDX-License-Identifier: MIT
/* A static function in a program's own section: called without a relocation. libbpf refuses such an object. */
#include "golden.h"

u64 total;

static noinline SEC("xdp") u64 helper(u64 x)
{
	total += x;
	return x * 3;
}

static noinline SEC("xdp") u64 outer_helper(u64 x)
{
	return helper(x) + helper(x + 1);
}

SEC("xdp")
int entry(void *ctx)
{
	return outer_helper((u64)ctx) > 3;
}

SEC("tc")
int from_elsewhere(void *ctx)
{
	return helper(5) > 3;
}

char LICENSE[] SEC("license") = "GPL";
