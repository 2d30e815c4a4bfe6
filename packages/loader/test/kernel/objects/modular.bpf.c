#include "bpf-lite.h"

/* Types and functions that only modules have: veth and nf_conntrack. */
struct veth_priv {
  u32 requested_headroom;
} CORE;

struct nf_conn;
struct __sk_buff {
  u32 len;
};
struct tuple {
  u32 addresses[2];
  u32 ports;
};
struct bpf_ct_opts {
  s32 netns_id, error;
  u8 l4proto, dir, reserved[2];
};

extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *ctx, struct tuple *tuple, u32 tuple_size,
                                         struct bpf_ct_opts *opts, u32 opts_size)
    __attribute__((section(".ksyms")));
extern void bpf_ct_release(struct nf_conn *ct) __attribute__((section(".ksyms")));

u32 headroom_at = 0, sent = 0;

SEC("fentry/veth_xmit")
int on_xmit(u64 *ctx) {
  headroom_at = __builtin_preserve_field_info(((struct veth_priv *)0)->requested_headroom, 0);
  __sync_fetch_and_add(&sent, 1);
  return 0;
}

SEC("tc")
int lookup(struct __sk_buff *ctx) {
  struct tuple tuple = {};
  struct bpf_ct_opts opts = {.netns_id = -1, .l4proto = 6};
  struct nf_conn *ct = bpf_skb_ct_lookup(ctx, &tuple, sizeof(tuple), &opts, sizeof(opts));
  if (ct) {
    bpf_ct_release(ct);
    return 1;
  }
  return opts.error ? 2 : 3;
}
