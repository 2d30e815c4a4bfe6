#include "bpf-lite.h"

u64 classic = 0;
u64 raw = 0;
u64 typed = 0;
u64 cookie = 0;
const volatile u32 only_tgid = 0;

static __always_inline int ours(void) { return only_tgid && (current_pid_tgid() >> 32) == only_tgid; }

SEC("tp/raw_syscalls/sys_enter")
int on_classic(void *ctx) {
  if (!ours())
    return 0;
  __sync_fetch_and_add(&classic, 1);
  cookie = attach_cookie(ctx);
  return 0;
}

SEC("raw_tp/sys_enter")
int on_raw(void *ctx) {
  if (ours())
    __sync_fetch_and_add(&raw, 1);
  return 0;
}

SEC("tp_btf/sys_enter")
int on_typed(u64 *ctx) {
  if (ours())
    __sync_fetch_and_add(&typed, 1);
  return 0;
}

SEC("?tracepoint/raw_syscalls/sys_exit")
int not_by_itself(void *ctx) {
  return 0;
}
