/*
 * One of everything that inspect and disasm show: several programs in one section, static and global subprograms, a
 * callback, loops, data sections, map flags and pinning, and externs of each kind.
 */
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int (*name)[value]
#define __type(name, type) type *name
#define __noinline __attribute__((noinline))
#define __weak __attribute__((weak))

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const bpf_loop)(u32 n, void *callback, void *ctx, u64 flags) = (void *)181;

struct pair {
	u64 numbers[2];
};

struct flow {
	u32 address;
	u32 port;
};

struct {
	__uint(type, 2);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
	__uint(pinning, 1);
} slots SEC(".maps");

struct {
	__uint(type, 1);
	__uint(max_entries, 64);
	__uint(map_flags, 1);
	__type(key, struct flow);
	__type(value, struct pair);
} flows SEC(".maps");

struct {
	__uint(type, 27);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, 6);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 24);
} per_cpu SEC(".maps");

const volatile int level = 3;
static volatile u64 hits = 5;
u64 total;
char text[16] SEC(".data.text") = "some text";

extern int CONFIG_HZ __attribute__((section(".kconfig"))) __weak;
extern const int runqueues __attribute__((section(".ksyms")));
extern int bpf_kernel_function(int) __attribute__((section(".ksyms"))) __weak;

struct task_struct {
	int pid;
	struct task_struct *real_parent;
} __attribute__((preserve_access_index));

static int each(u32 i, void *ctx)
{
	total += i + (u64)ctx;
	return 0;
}

static __noinline int local(int x)
{
	u64 *slot = bpf_map_lookup_elem(&slots, &x);

	if (slot) {
		__sync_fetch_and_add(slot, 1);
		hits++;
	}
	for (int i = 0; i < x; i++) {
		total += (u64)(i * (x ^ i)) >> level;
		if (total == 77)
			return 3;
	}
	return x + 1;
}

__noinline int global(int x)
{
	return local(x) * 7;
}

SEC("xdp")
int first(void *ctx)
{
	bpf_loop(3, each, 0, 0);
	return global(*(int *)ctx) + local(1);
}

SEC("xdp")
int second(void *ctx)
{
	struct flow flow = { .address = *(u32 *)ctx };
	struct pair pair = { { 0x123456789abcdefULL, text[1] } };

	bpf_map_update_elem(&flows, &flow, &pair, 0);
	return global(5) ? bpf_kernel_function(CONFIG_HZ) : runqueues;
}

SEC("?kprobe/do_nothing")
int probe(void *ctx)
{
	return total;
}

SEC("fentry.s/bpf_test")
int entry(u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];

	return task->real_parent->pid;
}

SEC("lsm/file_open")
int guard(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
