#include "bpf-lite.h"

#define __arena __attribute__((address_space(1)))

/* Memory that programs and user space share, with variables in it. */
struct {
  __uint(type, 33);
  __uint(map_flags, 1 << 10);
  __uint(max_entries, 4);
} memory SEC(".maps");

u64 __arena total SEC(".addr_space.1") = 1000;
u32 __arena steps[3] SEC(".addr_space.1") = {1, 2, 3};

SEC("syscall")
int add(void *ctx) {
  total += steps[1];
  return steps[2];
}
