// SPDX-License-Identifier: MIT
/* Global data: each kind of section, with the standard and with own names. */
#include "golden.h"

struct settings {
	u32 level;
	u64 limit;
	char name[8];
};

const volatile u32 chosen = 7;
const volatile struct settings settings = { .level = 1, .limit = 1ull << 40, .name = "golden" };
const volatile u64 apart SEC(".rodata.apart") = 0x1122334455667788;

u64 counter = 1;
weak u32 may_be_replaced = 5;
hidden u32 hidden_counter = 3;
u32 apart_data[4] SEC(".data.apart_by_a_long_name") = { 1, 2, 3, 4 };
hidden u32 only_hidden SEC(".data.hidden") = 9;
static volatile u32 in_file = 6;

u64 sums[8];
u32 hits;
u64 apart_bss SEC(".bss.apart");
static volatile u32 in_function_file;

/* Each is addressed by section and addend, as clang does for what is static. */
static const volatile u32 primes[] = { 2, 3, 5, 7, 11, 13, 17, 19 };

SEC("raw_tracepoint/sys_enter")
int use(void *ctx)
{
	static volatile u32 in_function = 4;
	u32 i = chosen & 7;

	counter += settings.limit + apart;
	may_be_replaced++;
	hidden_counter += in_file + in_function;
	apart_data[2] += only_hidden;
	sums[3] += primes[i] + primes[5];
	apart_bss = hits;
	in_function_file += settings.name[2];
	in_function++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
u32 VERSION SEC("version") = 0x060c00;
