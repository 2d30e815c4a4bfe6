#include "bpf-lite.h"

struct {
  __uint(type, MAP_HASH);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, u64);
} slots SEC(".maps");

/* The verifier refuses it: the result of the lookup may be NULL. */
SEC("tracepoint/raw_syscalls/sys_enter")
int forgets_null_check(void *ctx) {
  u32 key = 0;
  u64 *slot = map_lookup(&slots, &key);
  *slot = 1;
  return 0;
}
