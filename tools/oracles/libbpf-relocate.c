// SPDX-License-Identifier: MIT
/*
 * Speed of the CO-RE oracle, the peer of bench/core-reloc/relocate.mjs: open an object, open the kernel's BTF, relocate; the first in the process, then
 * again. libbpf relocates only as a part of loading, so bpf(2) is intercepted: the time in it does not count, and the
 * first program that would be loaded, by its name, ends the measurement.
 *
 *     libbpf-relocate OBJ      prints {"cold", "again"}, milliseconds
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double in_kernel, ended;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

long syscall(long number, ...)
{
	long a[6], result;
	va_list args;
	double started = now();

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf && a[0] == BPF_PROG_LOAD) {
		union bpf_attr *attr = (void *)a[1];

		if (strncmp(attr->prog_name, "relocated", 9) == 0) {
			if (ended == 0)
				ended = started;
			errno = EPERM;
			return -1;
		}
	}
	register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	in_kernel += now() - started;
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

static double once(const char *file)
{
	double started = now();
	struct bpf_object *obj = bpf_object__open_file(file, NULL);

	in_kernel = ended = 0;
	if (!obj)
		return -1;
	bpf_object__load(obj);
	bpf_object__close(obj);
	return ended == 0 ? -1 : ended - started - in_kernel;
}

int main(int argc, char **argv)
{
	libbpf_set_print(NULL);
	double cold = once(argv[1]), again = once(argv[1]);

	printf("{\"cold\": %.3f, \"again\": %.3f}\n", cold, again);
	return cold < 0 || again < 0;
}
