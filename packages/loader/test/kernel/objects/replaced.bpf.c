#include "bpf-lite.h"

struct __sk_buff {
  u32 len;
};

/* A function that another program may replace: global, so that it is verified by itself. */
__noinline int answer(struct __sk_buff *ctx) {
  volatile int value = 1;
  return value;
}

SEC("socket")
int ask(struct __sk_buff *ctx) { return answer(ctx); }
