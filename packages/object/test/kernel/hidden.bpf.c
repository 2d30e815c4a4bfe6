// SPDX-License-Identifier: MIT
/* Subprograms of every binding and visibility; see libbpf.test.ts. */
#define SEC(name) __attribute__((section(name), used))
#define hidden __attribute__((visibility("hidden")))
#define noinline __attribute__((noinline))

static unsigned long long (*ktime)(void) = (void *)5;

noinline int visible(int x) { return x ^ (int)ktime(); }
hidden noinline int hidden_one(int x) { return x + (int)ktime(); }
__attribute__((weak)) hidden noinline int hidden_weak(int x) { return x - (int)ktime(); }
__attribute__((weak)) noinline int weak_one(int x) { return x * (int)ktime(); }
static noinline int static_one(int x) { return x | (int)ktime(); }

SEC("raw_tp/sys_enter") int first(void *ctx)
{
	return visible(1) + hidden_one(2) + hidden_weak(3) + weak_one(4) + static_one(5);
}

/* An entry point stays global. */
hidden SEC("raw_tp/sys_exit") int second(void *ctx)
{
	return hidden_one(7) + static_one(8);
}

SEC("license") char _license[] = "GPL";
