#include "bpf-lite.h"

struct __sk_buff {
  u32 len;
};

SEC("freplace/answer")
int other_answer(struct __sk_buff *ctx) { return 42; }

/* Its section says less than nothing; options say what it is. */
SEC("fexit/answer")
int watch(u64 *ctx) { return 0; }
