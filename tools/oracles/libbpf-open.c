// SPDX-License-Identifier: MIT
/*
 * Object oracle: prints as JSON what libbpf makes of an object, without asking the kernel for anything.
 *
 *     libbpf-open OBJ
 *
 * "programs" and "maps" are libbpf's view of the opened object. "linked" holds, for each program that is loaded by
 * itself, its instructions after subprograms were appended and references resolved, as libbpf prepares them for a
 * generated loader: there a map's reference is its index in "maps", not a descriptor, and CO-RE relocations are not
 * yet applied. "appended" is the order in which libbpf's log says that subprograms were appended.
 * An object that libbpf refuses prints {"libbpf", "error", "reason"} (the last warning), and the exit is 0.
 *
 * Build: node tools/oracles/build.mjs
 */
#include <bpf/libbpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char reason[4096];
static char appended[1 << 16];

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[4096], prog[256], sub[256];
	unsigned long count;

	vsnprintf(line, sizeof(line), format, args);
	if (level == LIBBPF_WARN)
		strcpy(reason, line);
	if (sscanf(line, "libbpf: prog '%255[^']': added %lu insns from sub-prog '%255[^']'", prog, &count, sub) == 3 ||
	    sscanf(line, "prog '%255[^']': added %lu insns from sub-prog '%255[^']'", prog, &count, sub) == 3) {
		size_t used = strlen(appended);

		snprintf(appended + used, sizeof(appended) - used, "%s{\"program\":\"%s\",\"name\":\"%s\",\"insns\":%lu}",
			 used ? "," : "", prog, sub, count);
	}
	return 0;
}

static void text(const char *value)
{
	if (!value) {
		printf("null");
		return;
	}
	putchar('"');
	for (const unsigned char *p = (const void *)value; *p; p++) {
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 32)
			printf("\\u%04x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}

static void hex(const void *data, size_t size)
{
	const unsigned char *bytes = data;

	putchar('"');
	for (size_t i = 0; bytes && i < size; i++)
		printf("%02x", bytes[i]);
	putchar('"');
}

static void map_fields(const struct bpf_map *map)
{
	printf("\"type\":\"%s\",\"keySize\":%u,\"valueSize\":%u,\"maxEntries\":%u,\"flags\":%u,\"extra\":\"%llu\",\"numaNode\":%u,"
	       "\"keyType\":%u,\"valueType\":%u",
	       libbpf_bpf_map_type_str(bpf_map__type(map)), bpf_map__key_size(map), bpf_map__value_size(map),
	       bpf_map__max_entries(map), bpf_map__map_flags(map), (unsigned long long)bpf_map__map_extra(map),
	       bpf_map__numa_node(map), bpf_map__btf_key_type_id(map), bpf_map__btf_value_type_id(map));
}

/* Where libbpf puts a program into a struct_ops map there is its handle; the other bytes are the object's. */
static void operations(struct bpf_object *obj, const void *initial, size_t size)
{
	const char *separator = "";
	char *plain = malloc(size);

	memcpy(plain, initial, size);
	printf(",\"operations\":[");
	for (size_t at = 0; at + sizeof(void *) <= size; at += sizeof(void *)) {
		struct bpf_program *prog;
		void *held;

		memcpy(&held, plain + at, sizeof(held));
		bpf_object__for_each_program(prog, obj) {
			if (held != prog)
				continue;
			printf("%s{\"offset\":%zu,\"program\":", separator, at);
			text(bpf_program__name(prog));
			printf("}");
			separator = ",";
			memset(plain + at, 0, sizeof(held));
		}
	}
	printf("],\"initial\":");
	hex(plain, size);
	free(plain);
}

static void print_map(struct bpf_object *obj, const struct bpf_map *map, const char *separator)
{
	const struct bpf_map *inner = bpf_map__inner_map((struct bpf_map *)map);
	size_t size = 0;
	const void *initial = bpf_map__initial_value((struct bpf_map *)map, &size);

	printf("%s\n  {\"name\":", separator);
	text(bpf_map__name(map));
	printf(",");
	map_fields(map);
	printf(",\"pinPath\":");
	text(bpf_map__pin_path(map));
	printf(",\"internal\":%s,\"autocreate\":%s", bpf_map__is_internal(map) ? "true" : "false",
	       bpf_map__autocreate(map) ? "true" : "false");
	if (inner) {
		printf(",\"inner\":{");
		map_fields(inner);
		printf("}");
	}
	if ((bpf_map__is_internal(map) && bpf_map__type(map) == BPF_MAP_TYPE_ARRAY) ||
	    (bpf_map__type(map) == BPF_MAP_TYPE_ARENA && initial)) {
		printf(",\"initial\":");
		hex(initial, size);
	}
	if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
		operations(obj, initial, size);
	printf("}");
}

int main(int argc, char **argv)
{
	struct bpf_object *obj;
	struct bpf_program *prog;
	struct bpf_map *map;
	const char *separator = "";
	int no_loader = 0;
	LIBBPF_OPTS(gen_loader_opts, loader);

	if (argc != 2) {
		fprintf(stderr, "usage: %s OBJ\n", argv[0]);
		return 2;
	}
	libbpf_set_print(print);
	obj = bpf_object__open_file(argv[1], NULL);
	printf("{\"libbpf\":\"%s\"", libbpf_version_string());
	if (!obj) {
		size_t end = strlen(reason);

		printf(",\"error\":%d,\"reason\":", errno);
		if (end && reason[end - 1] == '\n')
			reason[end - 1] = 0;
		text(strncmp(reason, "libbpf: ", 8) == 0 ? reason + 8 : reason);
		printf("}\n");
		return 0;
	}
	printf(",\n\"programs\":[");
	bpf_object__for_each_program(prog, obj) {
		enum bpf_attach_type attach = bpf_program__expected_attach_type(prog);

		printf("%s\n  {\"name\":", separator);
		text(bpf_program__name(prog));
		printf(",\"section\":");
		text(bpf_program__section_name(prog));
		printf(",\"type\":\"%s\",\"attachType\":\"%s\",\"attachTypeValue\":%d,\"insns\":%zu,\"autoload\":%s}",
		       libbpf_bpf_prog_type_str(bpf_program__type(prog)), libbpf_bpf_attach_type_str(attach), attach,
		       bpf_program__insn_cnt(prog), bpf_program__autoload(prog) ? "true" : "false");
		separator = ",";
	}
	printf("],\n\"maps\":[");
	separator = "";
	bpf_object__for_each_map(map, obj) {
		print_map(obj, map, separator);
		separator = ",";
		no_loader |= bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS || bpf_map__type(map) == BPF_MAP_TYPE_ARENA;
	}
	printf("],\n\"linked\":[");

	/* A type of its own is enough for every program: the loader that is generated is never run. */
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_type(prog, BPF_PROG_TYPE_SOCKET_FILTER);
	int err = -ENOTSUP;

	/* A generated loader cannot hold struct_ops and arenas: libbpf crashes. */
	if (!no_loader)
		err = bpf_object__gen_loader(obj, &loader) ?: bpf_object__load(obj);

	separator = "";
	if (!err) {
		bpf_object__for_each_program(prog, obj) {
			if (!bpf_program__autoload(prog))
				continue;
			printf("%s\n  {\"name\":", separator);
			text(bpf_program__name(prog));
			printf(",\"insns\":");
			hex(bpf_program__insns(prog), bpf_program__insn_cnt(prog) * 8);
			printf("}");
			separator = ",";
		}
	}
	printf("],\n\"appended\":[%s],\n\"linkError\":%d}\n", appended, err);
	bpf_object__close(obj);
	return 0;
}
