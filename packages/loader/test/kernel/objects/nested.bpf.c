#include "bpf-lite.h"

struct inner {
  __uint(type, MAP_ARRAY);
  __uint(max_entries, 2);
  __type(key, u32);
  __type(value, u64);
};

struct inner first SEC(".maps");
struct inner second SEC(".maps");

struct {
  __uint(type, MAP_ARRAY_OF_MAPS);
  __uint(max_entries, 4);
  __type(key, u32);
  __array(values, struct inner);
} outer SEC(".maps") = {.values = {[0] = &first, [2] = &second}};

struct {
  __uint(type, MAP_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, u64);
} per_cpu SEC(".maps");

const volatile u32 only_tgid = 0;

int after_tail_call(void *ctx);

struct {
  __uint(type, MAP_PROG_ARRAY);
  __uint(max_entries, 2);
  __uint(key_size, sizeof(u32));
  __array(values, int(void *));
} jumps SEC(".maps") = {.values = {[1] = (void *)&after_tail_call}};

SEC("tracepoint/raw_syscalls/sys_enter")
int before_tail_call(void *ctx) {
  if (only_tgid && (current_pid_tgid() >> 32) == only_tgid)
    tail_call(ctx, &jumps, 1);
  return 0;
}

SEC("tracepoint/raw_syscalls/sys_enter")
int after_tail_call(void *ctx) {
  u32 slot = 2, zero = 0;
  void *map = map_lookup(&outer, &slot);
  if (!map)
    return 0;
  u64 *value = map_lookup(map, &zero);
  if (value)
    __sync_fetch_and_add(value, 1);
  u64 *own = map_lookup(&per_cpu, &zero);
  if (own)
    *own += 1;
  return 0;
}
