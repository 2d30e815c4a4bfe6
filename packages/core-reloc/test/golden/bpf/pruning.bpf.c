/*
 * Relocations of one local type that influence each other: which candidates are left depends on the order in which they
 * are decided, over programs, sections and subprograms. Against target-pruning.c nothing fails in libbpf's order, and
 * in any other order something does or comes out differently.
 */
#include "core.h"

struct alpha { int only_b; int shared; int only_a; } PAI;
struct beta { int shared; int only_a; } PAI;
struct gamma { int shared; int only_b; } PAI;
struct delta { int shared; int only_b; } PAI;

/* clang emits a static function after its first caller, so the order of sections is: second, first, .text */
SEC("raw_tp/second") u64 rules_out_alpha(void *ctx)
{
	return ((struct alpha *)ctx)->only_b;
}

NOINLINE int subprogram_uses_alpha(struct alpha *p, struct beta *q)
{
	return p->shared + q->shared;
}

SEC("raw_tp/first") u64 uses_alpha_and_beta(void *ctx)
{
	return ((struct alpha *)ctx)->shared + ((struct beta *)ctx)->only_a + ((struct alpha *)ctx)->only_a;
}

SEC("raw_tp/second") u64 calls(void *ctx)
{
	return subprogram_uses_alpha(ctx, ctx) + ((struct gamma *)ctx)->only_b;
}

SEC("?raw_tp/first") u64 not_loaded(void *ctx)
{
	return ((struct delta *)ctx)->only_b;
}

SEC("raw_tp/first") u64 uses_gamma(void *ctx)
{
	return ((struct gamma *)ctx)->shared;
}

char _license[] SEC("license") = "GPL";
