#include "bpf-lite.h"

#define MAP_RINGBUF 27

static long (*const ringbuf_output)(void *ring, void *data, u64 size, u64 flags) = (void *)130;

struct event {
  u64 number;
  u32 tgid;
  char comm[16];
};

/* Brings the type into the BTF: clang leaves out what only local variables have. */
const struct event *event_type;

struct {
  __uint(type, MAP_RINGBUF);
  __uint(max_entries, 4096);
} events SEC(".maps");

const volatile u32 only_tgid = 0;
u64 count = 0;

SEC("tp_btf/sys_enter")
int on_sys_enter(void *ctx) {
  struct event event = {};
  u32 tgid = current_pid_tgid() >> 32;

  if (tgid != only_tgid) return 0;
  event.number = count++;
  event.tgid = tgid;
  current_comm(event.comm, sizeof(event.comm));
  ringbuf_output(&events, &event, sizeof(event), 0);
  return 0;
}
