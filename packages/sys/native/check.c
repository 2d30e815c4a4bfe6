/* Only in the build with AddressSanitizer: is every buffer as long as what the kernel will read or write? */
#include "door.h"
#include <linux/bpf.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A node process may swallow an abort; this exit code is what the test looks for. */
static void fail(const char *what, size_t need, size_t have) {
  fprintf(stderr, "tsbpf check: %s: the kernel would touch %zu bytes of a buffer of %zu\n", what, need, have);
  fflush(stderr);
  _exit(99);
}

void check_span(const char *what, struct span span) {
  if (span.length == 0) return;
  volatile const uint8_t *bad = __asan_region_is_poisoned(span.data, span.length);
  if (bad != NULL) {
    (void)*bad; /* lets AddressSanitizer write its report */
    fail(what, span.length, (size_t)(bad - span.data));
  }
}

struct call {
  const uint8_t *attr;
  size_t size;
  const struct pointer *pointers;
  size_t count;
};

/* The buffer of the pointer field `at` of the attr must have `need` bytes. */
static void need(const struct call *call, const char *what, size_t at, uint64_t bytes) {
  for (size_t i = 0; i < call->count; i++) {
    const struct pointer *pointer = &call->pointers[i];
    if (pointer->parent != 0 || pointer->at != at) continue;
    if (bytes > pointer->span.length) fail(what, bytes, pointer->span.length);
    return;
  }
  uint64_t address = 0;
  if (at + 8 <= call->size) memcpy(&address, call->attr + at, 8);
  if (address != 0) fail("an address that came from JavaScript", 1, 0);
}

static void need_text(const struct call *call, const char *what, size_t at) {
  for (size_t i = 0; i < call->count; i++) {
    const struct pointer *pointer = &call->pointers[i];
    if (pointer->parent != 0 || pointer->at != at) continue;
    const struct span span = pointer->span;
    if (span.length == 0 || memchr(span.data, 0, span.length) == NULL) fail(what, span.length + 1, span.length);
  }
}

struct sizes {
  uint64_t key, value;
};

/* What the kernel copies for one element of the map (kernel/bpf/syscall.c, bpf_map_value_size). */
static struct sizes map_sizes(uint32_t fd) {
  struct bpf_map_info info = {0};
  union bpf_attr attr = {0};
  attr.info.bpf_fd = fd;
  attr.info.info_len = sizeof info;
  attr.info.info = (uintptr_t)&info;
  if (SYS3(bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr) < 0) return (struct sizes){0, 0};
  uint64_t value = info.value_size;
  switch (info.type) {
  case BPF_MAP_TYPE_PERCPU_HASH:
  case BPF_MAP_TYPE_LRU_PERCPU_HASH:
  case BPF_MAP_TYPE_PERCPU_ARRAY:
  case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
    value = (value + 7) / 8 * 8 * (uint64_t)sysconf(_SC_NPROCESSORS_CONF);
  }
  return (struct sizes){info.key_size, value};
}

#define AT(field) offsetof(union bpf_attr, field)
#define NEED(field, bytes) need(&call, #field, AT(field), bytes)

void check_bpf(uint32_t cmd, const uint8_t *bytes, size_t size, const struct pointer *pointers, size_t count) {
  const struct call call = {bytes, size, pointers, count};
  union bpf_attr attr = {0};
  memcpy(&attr, bytes, size < sizeof attr ? size : sizeof attr);
  for (size_t i = 0; i < count; i++) check_span("bpf", pointers[i].span);
  struct sizes sizes;
  switch (cmd) {
  case BPF_MAP_LOOKUP_ELEM:
  case BPF_MAP_UPDATE_ELEM:
  case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
    sizes = map_sizes(attr.map_fd);
    NEED(key, sizes.key);
    NEED(value, sizes.value);
    break;
  case BPF_MAP_DELETE_ELEM:
    NEED(key, map_sizes(attr.map_fd).key);
    break;
  case BPF_MAP_GET_NEXT_KEY:
    sizes = map_sizes(attr.map_fd);
    NEED(key, sizes.key);
    NEED(next_key, sizes.key);
    break;
  case BPF_MAP_LOOKUP_BATCH:
  case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
  case BPF_MAP_UPDATE_BATCH:
  case BPF_MAP_DELETE_BATCH:
    sizes = map_sizes(attr.batch.map_fd);
    NEED(batch.in_batch, sizes.key > 4 ? sizes.key : 4);
    NEED(batch.out_batch, sizes.key > 4 ? sizes.key : 4);
    NEED(batch.keys, sizes.key * attr.batch.count);
    NEED(batch.values, sizes.value * attr.batch.count);
    break;
  case BPF_PROG_LOAD:
    NEED(insns, 8ull * attr.insn_cnt);
    need_text(&call, "license", AT(license));
    NEED(log_buf, attr.log_size);
    NEED(func_info, (uint64_t)attr.func_info_rec_size * attr.func_info_cnt);
    NEED(line_info, (uint64_t)attr.line_info_rec_size * attr.line_info_cnt);
    NEED(core_relos, (uint64_t)attr.core_relo_rec_size * attr.core_relo_cnt);
    break;
  case BPF_BTF_LOAD:
    NEED(btf, attr.btf_size);
    NEED(btf_log_buf, attr.btf_log_size);
    break;
  case BPF_OBJ_GET_INFO_BY_FD:
    NEED(info.info, attr.info.info_len);
    break;
  case BPF_PROG_TEST_RUN:
    NEED(test.data_in, attr.test.data_size_in);
    NEED(test.data_out, attr.test.data_size_out);
    NEED(test.ctx_in, attr.test.ctx_size_in);
    NEED(test.ctx_out, attr.test.ctx_size_out);
    break;
  case BPF_OBJ_PIN:
  case BPF_OBJ_GET:
    need_text(&call, "pathname", AT(pathname));
    break;
  case BPF_RAW_TRACEPOINT_OPEN:
    need_text(&call, "raw_tracepoint.name", AT(raw_tracepoint.name));
    break;
  }
}
