/* Sections, symbols and relocations of many sorts, with no header but this. */
#define SEC(name) __attribute__((section(name), used))

typedef unsigned int u32;
typedef unsigned long long u64;

struct {
	int (*type)[1];
	int (*max_entries)[4];
	u32 *key;
	u64 *value;
} counts SEC(".maps");

const volatile int limit = 7;
u64 total = 3;
static u64 calls;
u32 empty[16];
__attribute__((visibility("hidden"))) int hidden = 1;
__attribute__((weak)) int weak_value = 2;
extern int tunable __attribute__((weak));

static void *(*lookup)(void *map, const void *key) = (void *)1;

__attribute__((noinline)) static u64 local(u64 *value)
{
	calls++;
	return *value + limit;
}

__attribute__((noinline)) u64 shared(u32 key)
{
	u64 *value = lookup(&counts, &key);

	return value ? local(value) : 0;
}

SEC("tracepoint/raw_syscalls/sys_enter") int on_enter(void *ctx)
{
	total += shared(empty[1]) + hidden;
	return weak_value;
}

SEC("xdp") __attribute__((weak)) int drop(void *ctx)
{
	return &tunable ? 1 : (int)total;
}

char LICENSE[] SEC("license") = "GPL";
