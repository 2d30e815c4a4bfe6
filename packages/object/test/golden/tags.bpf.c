// SPDX-License-Identifier: MIT
/* Declaration tags: of arguments, of functions, of variables and of members. */
#include "golden.h"

#define tag(text) __attribute__((btf_decl_tag(text)))

struct point {
	u32 x;
	u32 y tag("member:y");
};

tag("of a variable") struct point where;

noinline int with_context(void *ctx tag("arg:ctx"), u64 nonnull tag("arg:nonnull") tag("second"))
{
	return ctx != 0 && nonnull > 3;
}

SEC("tc")
int entry(void *ctx)
{
	return with_context(ctx, where.x) + where.y;
}

char LICENSE[] SEC("license") = "GPL";
