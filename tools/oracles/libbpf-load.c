// SPDX-License-Identifier: MIT
/*
 * Speed of libbpf, the peer of bench/loader/load.mjs: open an object and load it, the first in the process, then again
 * ten times. `user` is the time without that in bpf(2), which is intercepted.
 *
 *     libbpf-load OBJ      prints {"cold", "cold user", "again", "again user"}, milliseconds; medians of `again`
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double in_bpf;

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
	register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (number == SYS_bpf)
		in_bpf += now() - started;
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

struct sample {
	double all, user;
};

static struct sample once(const char *file)
{
	struct sample s;
	double started = now();
	struct bpf_object *obj = bpf_object__open_file(file, NULL);

	in_bpf = 0;
	if (!obj || bpf_object__load(obj)) {
		fprintf(stderr, "libbpf-load: %s is not loaded\n", file);
		exit(1);
	}
	s.all = now() - started;
	s.user = s.all - in_bpf;
	bpf_object__close(obj);
	return s;
}

static int order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	enum { rounds = 10 };
	double all[rounds], user[rounds];

	if (argc != 2) {
		fprintf(stderr, "usage: %s OBJ\n", argv[0]);
		return 2;
	}
	libbpf_set_print(NULL);
	struct sample cold = once(argv[1]);

	for (int i = 0; i < rounds; i++) {
		struct sample s = once(argv[1]);

		all[i] = s.all;
		user[i] = s.user;
	}
	qsort(all, rounds, sizeof(*all), order);
	qsort(user, rounds, sizeof(*user), order);
	printf("{\"cold\": %.3f, \"cold user\": %.3f, \"again\": %.3f, \"again user\": %.3f}\n", cold.all, cold.user,
	       all[rounds / 2], user[rounds / 2]);
	return 0;
}
