// SPDX-License-Identifier: MIT
/*
 * BTF oracle: what libbpf makes of BTF. Files are raw BTF, or objects with a .BTF section.
 *
 *     libbpf-btf parse [--base BASE] FILE               reads it
 *     libbpf-btf dedup [--base BASE] FILE OUT [EXT]     btf__dedup; EXT gets the .BTF.ext of an object
 *     libbpf-btf merge OUT FILE...                      btf__add_btf to an empty BTF, one after the other
 *     libbpf-btf distill BASE SPLIT NEWBASE NEWSPLIT    btf__distill_base
 *     libbpf-btf relocate DISTILLED SPLIT BASE OUT      btf__relocate
 *     libbpf-btf load FILE                              btf__load_into_kernel
 *     libbpf-btf sanitize OBJ OUT FEATURE...            the BTF with which an object is loaded into a kernel without them
 *
 * Prints "types N" and "microseconds N", the time of the step itself. OUT gets raw BTF. On failure prints libbpf's
 * warnings and "error ERRNO", and ends with 1.
 *
 * For sanitize there is no old kernel: the system call bpf() is answered here. It refuses BTF with what is missing
 * (func, func_global, datasec, qmark_datasec, float, decl_tag, type_tag, enum64), which libbpf finds out by its probes,
 * and keeps the BTF of the object, which is the first that it accepts and that libbpf did not make for a probe.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stdout, format, args) : 0;
}

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static int failed(void)
{
	printf("error %d\n", errno);
	return 1;
}

static void save(const char *path, const void *data, __u32 size)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file)) {
		perror(path);
		exit(2);
	}
}

static int done(const struct btf *btf, long start, const char *path)
{
	long end = now();
	__u32 size;
	const void *data = btf__raw_data(btf, &size);

	printf("types %u\nmicroseconds %ld\n", btf__type_cnt(btf), end - start);
	if (!data)
		return failed();
	if (path)
		save(path, data, size);
	return 0;
}

static struct btf *open_base(int *argc, char ***argv)
{
	struct btf *base;

	if (*argc < 3 || strcmp((*argv)[1], "--base") != 0)
		return NULL;
	base = btf__parse((*argv)[2], NULL);
	if (!base)
		exit(failed());
	*argc -= 2;
	*argv += 2;
	return base;
}

static int parse(int argc, char **argv)
{
	struct btf *base = open_base(&argc, &argv);
	long start = now();
	struct btf *btf = btf__parse_split(argv[1], base);

	return btf ? done(btf, start, NULL) : failed();
}

static int dedup(int argc, char **argv)
{
	struct btf *base = open_base(&argc, &argv);
	struct btf_ext *ext = NULL;
	struct btf *btf = base ? btf__parse_split(argv[1], base) : btf__parse_elf(argv[1], &ext);
	long start;

	if (!btf && !base)
		btf = btf__parse_raw(argv[1]);
	if (!btf)
		return failed();
	LIBBPF_OPTS(btf_dedup_opts, options, .btf_ext = ext);
	start = now();
	if (btf__dedup(btf, &options))
		return failed();
	if (ext && argc > 3) {
		__u32 size;
		const void *data = btf_ext__raw_data(ext, &size);

		save(argv[3], data, size);
	}
	return done(btf, start, argv[2]);
}

static int merge(int argc, char **argv)
{
	struct btf *all = btf__new_empty();
	struct btf *parts[argc];
	long start;

	for (int i = 2; i < argc; i++) {
		parts[i] = btf__parse(argv[i], NULL);
		if (!parts[i])
			return failed();
	}
	start = now();
	for (int i = 2; i < argc; i++) {
		if (btf__add_btf(all, parts[i]) < 0)
			return failed();
	}
	return done(all, start, argv[1]);
}

static int distill(char **argv)
{
	struct btf *base = btf__parse(argv[1], NULL);
	struct btf *split = base ? btf__parse_split(argv[2], base) : NULL;
	struct btf *new_base, *new_split;
	long start = now();
	__u32 size;

	if (!split || btf__distill_base(split, &new_base, &new_split))
		return failed();
	const void *data = btf__raw_data(new_base, &size);
	save(argv[3], data, size);
	return done(new_split, start, argv[4]);
}

static int relocate(char **argv)
{
	struct btf *distilled = btf__parse(argv[1], NULL);
	struct btf *split = distilled ? btf__parse_split(argv[2], distilled) : NULL;
	struct btf *base = btf__parse(argv[3], NULL);
	long start = now();

	if (!split || !base || btf__relocate(split, base))
		return failed();
	return done(split, start, argv[4]);
}

static int load(char **argv)
{
	struct btf *btf = btf__parse(argv[1], NULL);
	long start = now();

	if (!btf || btf__load_into_kernel(btf))
		return failed();
	return done(btf, start, NULL);
}

/* The kernel that is not there. */

static struct {
	bool answers;
	char **missing;
	const char *out;
	__u32 size;
} kernel;

static bool lacks(const char *feature)
{
	for (char **name = kernel.missing; *name; name++)
		if (strcmp(*name, feature) == 0)
			return true;
	return false;
}

static bool refuses(const struct btf *btf, const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_FUNC_PROTO:
		return lacks("func");
	case BTF_KIND_FUNC:
		return lacks("func") || (btf_vlen(t) == BTF_FUNC_GLOBAL && lacks("func_global"));
	case BTF_KIND_VAR:
		return lacks("datasec");
	case BTF_KIND_DATASEC:
		return lacks("datasec") ||
		       (btf__name_by_offset(btf, t->name_off)[0] == '?' && lacks("qmark_datasec"));
	case BTF_KIND_FLOAT:
		return lacks("float");
	case BTF_KIND_DECL_TAG:
		return lacks("decl_tag");
	case BTF_KIND_TYPE_TAG:
		return lacks("type_tag");
	case BTF_KIND_ENUM64:
		return lacks("enum64");
	default:
		return false;
	}
}

static long answer(int cmd, union bpf_attr *attr)
{
	if (cmd == BPF_BTF_LOAD) {
		const void *data = (const void *)(unsigned long)attr->btf;
		struct btf *btf = btf__new(data, attr->btf_size);
		bool refused = !btf;

		for (__u32 id = 1; btf && id < btf__type_cnt(btf); id++)
			refused = refused || refuses(btf, btf__type_by_id(btf, id));
		btf__free(btf);
		if (refused) {
			errno = EINVAL;
			return -1;
		}
		/* Those of the probes are small. */
		if (attr->btf_size > 300 && !kernel.size) {
			kernel.size = attr->btf_size;
			save(kernel.out, data, attr->btf_size);
		}
	} else if (cmd != BPF_PROG_LOAD && cmd != BPF_MAP_CREATE) {
		errno = EINVAL;
		return -1;
	}
	return open("/dev/null", O_RDONLY);
}

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long arg[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (kernel.answers && number == __NR_bpf)
		return answer(arg[0], (union bpf_attr *)arg[1]);
	if (!real)
		real = dlsym(RTLD_NEXT, "syscall");
	return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

static int sanitize(char **argv)
{
	struct bpf_object *object = bpf_object__open_file(argv[1], NULL);
	struct bpf_program *prog;

	if (!object)
		return failed();
	bpf_object__for_each_program(prog, object) {
		if (bpf_program__type(prog) == BPF_PROG_TYPE_UNSPEC)
			bpf_program__set_type(prog, BPF_PROG_TYPE_SOCKET_FILTER);
	}
	kernel.out = argv[2];
	kernel.missing = argv + 3;
	kernel.answers = true;
	libbpf_set_print(NULL);
	bpf_object__load(object);
	kernel.answers = false;
	printf("bytes %u\n", kernel.size);
	return kernel.size ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	libbpf_set_print(print);
	printf("libbpf %s\n", libbpf_version_string());
	argc--;
	argv++;
	if (strcmp(command, "parse") == 0 && argc >= 2)
		return parse(argc, argv);
	if (strcmp(command, "dedup") == 0 && argc >= 3)
		return dedup(argc, argv);
	if (strcmp(command, "merge") == 0 && argc >= 3)
		return merge(argc, argv);
	if (strcmp(command, "distill") == 0 && argc == 5)
		return distill(argv);
	if (strcmp(command, "relocate") == 0 && argc == 5)
		return relocate(argv);
	if (strcmp(command, "load") == 0 && argc == 2)
		return load(argv);
	if (strcmp(command, "sanitize") == 0 && argc >= 3)
		return sanitize(argv);
	fprintf(stderr, "usage: libbpf-btf parse|dedup|merge|distill|relocate|load|sanitize ...\n");
	return 2;
}
