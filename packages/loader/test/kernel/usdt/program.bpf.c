#include <linux/bpf.h>
#include <linux/ptrace.h>
typedef _Bool bool;
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

struct event {
  long args[6];
  long errors[6];
  long cookie;
  int count;
  int which;
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
  __type(value, struct event);
} events SEC(".maps");

static __always_inline int tell(struct pt_regs *ctx, int which) {
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

  if (!event) return 0;
  event->which = which;
  event->count = bpf_usdt_arg_cnt(ctx);
  event->cookie = bpf_usdt_cookie(ctx);
  for (int i = 0; i < 6; i++) event->errors[i] = bpf_usdt_arg(ctx, i, &event->args[i]);
  bpf_ringbuf_submit(event, 0);
  return 0;
}

SEC("usdt")
int first(struct pt_regs *ctx) {
  return tell(ctx, 1);
}

SEC("usdt/own:probe")
int second(struct pt_regs *ctx) {
  return tell(ctx, 2);
}

char _license[] SEC("license") = "GPL";
