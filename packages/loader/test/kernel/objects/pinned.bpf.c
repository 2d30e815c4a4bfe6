#include "bpf-lite.h"

#define __ulong(name, val) enum { ___unique_##name = val } name

/* Maps that are pinned by their names, and one that is not. */
struct {
  __uint(type, MAP_ARRAY);
  __uint(max_entries, 2);
  __uint(pinning, 1);
  __type(key, u32);
  __type(value, u64);
} shared_counts SEC(".maps");

struct {
  __uint(type, MAP_HASH);
  __uint(max_entries, 8);
  __uint(pinning, 1);
  __type(key, u32);
  __type(value, u32);
} shared_names SEC(".maps");

struct {
  __uint(type, MAP_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, u64);
} own SEC(".maps");

const volatile u64 step = 1;

SEC("socket")
int count(void *ctx) {
  u32 zero = 0;
  u64 *value = map_lookup(&shared_counts, &zero);
  if (value)
    *value += step;
  map_update(&shared_names, &zero, &zero, 0);
  value = map_lookup(&own, &zero);
  if (value)
    *value += 1;
  return 7;
}
