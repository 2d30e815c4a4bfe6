#include "bpf-lite.h"

struct sock;
struct rate_sample;
struct ack_sample;

struct tcp_sock {
  u32 snd_cwnd;
} CORE;

/* What is used of the kernel's struct, and a member that no kernel has. */
struct tcp_congestion_ops {
  u32 (*ssthresh)(struct sock *sk);
  void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
  void (*init)(struct sock *sk);
  u32 (*undo_cwnd)(struct sock *sk);
  void (*never_there)(struct sock *sk);
  u32 flags;
  char name[16];
};

u64 inits = 0, acks = 0;

SEC("struct_ops")
u32 on_ssthresh(u64 *ctx) { return 8; }

SEC("struct_ops")
void on_ack(u64 *ctx) { __sync_fetch_and_add(&acks, 1); }

SEC("struct_ops")
void on_init(u64 *ctx) { __sync_fetch_and_add(&inits, 1); }

SEC("struct_ops")
void on_init_twice(u64 *ctx) { __sync_fetch_and_add(&inits, 2); }

SEC("struct_ops")
u32 on_undo(u64 *ctx) {
  struct tcp_sock *tp = (struct tcp_sock *)ctx[0];
  return tp->snd_cwnd;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops tsbpf_linked = {
    .ssthresh = (void *)on_ssthresh,
    .cong_avoid = (void *)on_ack,
    .init = (void *)on_init,
    .undo_cwnd = (void *)on_undo,
    .name = "tsbpf_linked",
};

SEC(".struct_ops")
struct tcp_congestion_ops tsbpf_plain = {
    .ssthresh = (void *)on_ssthresh,
    .cong_avoid = (void *)on_ack,
    .init = (void *)on_init,
    .undo_cwnd = (void *)on_undo,
    .name = "tsbpf_plain",
};

SEC("?.struct_ops.link")
struct tcp_congestion_ops tsbpf_asked = {
    .ssthresh = (void *)on_ssthresh,
    .cong_avoid = (void *)on_ack,
    .init = (void *)on_init_twice,
    .undo_cwnd = (void *)on_undo,
    .name = "tsbpf_asked",
};
