// SPDX-License-Identifier: MIT
/*
 * CO-RE oracle: prints what libbpf decides about every relocation of an object against any BTF.
 *
 *     libbpf-core OBJ BTF            all programs in one load, as a loader would
 *     libbpf-core --each OBJ BTF     one load per program, the others switched off
 *
 * libbpf stops at the first relocation that fails, so --each is what shows several failing programs of one object.
 * Each load prints "load NAME" (NAME is * for all) and then libbpf's own lines about CO-RE, untouched. Relocation comes
 * before anything is asked of the kernel about the programs, so the load itself may fail without harm.
 *
 * Build against the libbpf of a Linux source tree (needs libelf and zlib):
 *     make -C tools/lib/bpf OUTPUT=$OUT/ $OUT/libbpf.a
 *     cc -I<dir that holds bpf/libbpf.h> libbpf-core.c $OUT/libbpf.a -lelf -lz -o libbpf-core
 */
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const wanted[] = {
	"relo #", "CO-RE relocat", "relo at insn", "relo for [", "found target candidate", "relo ",
};

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[4096];

	(void)level;
	vsnprintf(line, sizeof(line), format, args);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		if (strstr(line, wanted[i])) {
			fputs(line, stdout);
			break;
		}
	}
	return 0;
}

static int load(const char *object, const char *btf, const char *only)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = btf);
	struct bpf_object *obj = bpf_object__open_file(object, &options);
	struct bpf_program *prog;

	if (!obj) {
		fprintf(stderr, "%s: cannot be opened by libbpf\n", object);
		return 1;
	}
	bpf_object__for_each_program(prog, obj) {
		/* Any known type will do: nothing is meant to reach the kernel. */
		if (bpf_program__type(prog) == BPF_PROG_TYPE_UNSPEC)
			bpf_program__set_type(prog, BPF_PROG_TYPE_SOCKET_FILTER);
		if (only)
			bpf_program__set_autoload(prog, strcmp(bpf_program__name(prog), only) == 0);
	}
	printf("load %s\n", only ? only : "*");
	bpf_object__load(obj);
	bpf_object__close(obj);
	return 0;
}

int main(int argc, char **argv)
{
	int each = argc == 4 && strcmp(argv[1], "--each") == 0;

	if (argc != 3 && !each) {
		fprintf(stderr, "usage: %s [--each] OBJ BTF\n", argv[0]);
		return 2;
	}
	const char *object = argv[1 + each], *btf = argv[2 + each];

	libbpf_set_print(print);
	printf("libbpf %s\n", libbpf_version_string());
	if (!each)
		return load(object, btf, NULL);

	struct bpf_object *names = bpf_object__open_file(object, NULL);
	struct bpf_program *prog;
	int err = !names;

	if (names)
		bpf_object__for_each_program(prog, names)
			err |= load(object, btf, bpf_program__name(prog));
	bpf_object__close(names);
	return err;
}
