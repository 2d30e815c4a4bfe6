// SPDX-License-Identifier: MIT
/* Switches by tables of jumps (`.jumptables`), in a program that is not the first of its section and in a subprogram. */
#include "golden.h"

volatile u32 sink;

#define CASES \
	case 0: sink = 3; return 11; \
	case 1: return 23; \
	case 2: sink = 7; return 5; \
	case 3: return 99; \
	case 4: sink = 9; return 1234; \
	case 5: sink = 1; return 77; \
	case 6: return 8; \
	case 7: sink = 12; return 9

static noinline int choose(u32 x)
{
	switch (x) { CASES; }
	return sink;
}

SEC("syscall")
int before(u32 *ctx)
{
	return choose(*ctx) + choose(sink);
}

SEC("syscall")
int jumps(u32 *ctx)
{
	switch (*ctx) { CASES; }
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
