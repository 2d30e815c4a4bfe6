// SPDX-License-Identifier: MIT
/* A callback for exceptions, named by a declaration tag: appended though nothing calls it. */
#include "golden.h"

noinline int shared(u64 x)
{
	return x == 4;
}

__attribute__((used)) int on_exception(u64 cookie)
{
	return shared(cookie) + 1;
}

__attribute__((used)) static noinline int never(u64 x)
{
	return x == 9;
}

__attribute__((btf_decl_tag("exception_callback:on_exception"))) SEC("tc")
int guarded(void *ctx)
{
	return shared((u64)ctx);
}

SEC("tc")
int unguarded(void *ctx)
{
	return 3;
}

char LICENSE[] SEC("license") = "GPL";
