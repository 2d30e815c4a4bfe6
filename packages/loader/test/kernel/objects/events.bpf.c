#include "bpf-lite.h"

#define MAP_PERF_EVENT_ARRAY 4
#define MAP_RINGBUF 27
#define CURRENT_CPU 0xffffffffULL

static long (*const ringbuf_output)(void *ring, void *data, u64 size, u64 flags) = (void *)130;
static long (*const perf_event_output)(void *ctx, void *map, u64 flags, void *data, u64 size) = (void *)25;
static long (*const trace_printk)(const char *format, u32 size, ...) = (void *)6;

struct event {
  u64 number;
  u32 tgid;
  char comm[16];
};

struct {
  __uint(type, MAP_RINGBUF);
  __uint(max_entries, 4096);
  __type(value, struct event);
} typed SEC(".maps");

struct {
  __uint(type, MAP_RINGBUF);
  __uint(max_entries, 4096);
} untyped SEC(".maps");

struct {
  __uint(type, MAP_PERF_EVENT_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
} samples SEC(".maps");

/* getpriority(2) of x86-64: hardly anybody calls it. */
const volatile u64 syscall = 140;
u64 count = 0;

SEC("raw_tracepoint/sys_enter")
int on_sys_enter(u64 *ctx) {
  struct event event = {};

  if (ctx[1] != syscall) return 0;
  event.number = count++;
  event.tgid = current_pid_tgid() >> 32;
  current_comm(event.comm, sizeof(event.comm));
  ringbuf_output(&typed, &event, sizeof(event), 0);
  ringbuf_output(&untyped, &event.tgid, sizeof(event.tgid), 0);
  perf_event_output(ctx, &samples, CURRENT_CPU, &event, sizeof(event));
  static const char format[] = "event %llu of %u";
  trace_printk(format, sizeof(format), event.number, event.tgid);
  return 0;
}
