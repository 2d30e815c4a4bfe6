// SPDX-License-Identifier: MIT
/* The peer of bench/btf: parses a kernel's BTF and finds ten structs with libbpf, once cold, then warm; milliseconds. */
#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const names[] = {"task_struct", "sk_buff",	"file",	 "sock",      "inode",
				    "dentry",	   "mm_struct", "iphdr", "list_head", "net_device"};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const char *file = argc > 1 ? argv[1] : "/sys/kernel/btf/vmlinux";
	double cold = 0, warm[6];

	for (int i = 0; i < 10; i++) {
		double started = now();
		struct btf *btf = btf__parse_raw(file);

		if (!btf)
			return 1;
		for (int j = 0; j < 10; j++)
			if (btf__find_by_name_kind(btf, names[j], BTF_KIND_STRUCT) < 0)
				return 1;
		if (i == 0)
			cold = now() - started;
		else if (i > 3)
			warm[i - 4] = now() - started;
		btf__free(btf);
	}
	qsort(warm, 6, sizeof(*warm), by_value);
	printf("{\"cold\": %.3f, \"warm\": %.3f}\n", cold, warm[3]);
	return 0;
}
