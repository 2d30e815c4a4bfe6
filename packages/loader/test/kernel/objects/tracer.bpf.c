#include "bpf-lite.h"

/* The three structures on the way to the namespace's level, with the members in an order no kernel has. */
struct pid_namespace {
  u32 level;
} CORE;
struct nsproxy {
  struct pid_namespace *pid_ns_for_children;
} CORE;
struct task_struct {
  struct nsproxy *nsproxy;
  s32 tgid;
} CORE;

struct stat {
  u64 calls;
  u32 level;
  s32 tgid;
  char comm[16];
};

struct {
  __uint(type, MAP_HASH);
  __uint(max_entries, 1024);
  __type(key, u32);
  __type(value, struct stat);
} stats SEC(".maps");

struct {
  __uint(type, MAP_ARRAY);
  __uint(max_entries, 4);
  __type(key, u32);
  __type(value, u64);
} totals SEC(".maps");

/* 0 counts every process. */
const volatile u32 only_tgid = 0;
u64 seen = 0;
u64 skipped = 0;
s32 step = 1;

static __noinline u32 namespace_level(struct task_struct *task) {
  struct nsproxy *proxy = 0;
  struct pid_namespace *ns = 0;
  u32 level = 0;

  probe_read_kernel(&proxy, sizeof(proxy), &task->nsproxy);
  probe_read_kernel(&ns, sizeof(ns), &proxy->pid_ns_for_children);
  probe_read_kernel(&level, sizeof(level), &ns->level);
  return level;
}

__noinline int add_total(u32 index) {
  u64 *total = map_lookup(&totals, &index);
  if (!total)
    return 0;
  __sync_fetch_and_add(total, step);
  return 1;
}

SEC("tracepoint/raw_syscalls/sys_enter")
int count_calls(void *ctx) {
  u32 tgid = current_pid_tgid() >> 32;
  if (only_tgid && tgid != only_tgid) {
    __sync_fetch_and_add(&skipped, 1);
    return 0;
  }
  __sync_fetch_and_add(&seen, 1);
  add_total(0);

  struct stat *stat = map_lookup(&stats, &tgid);
  if (stat) {
    __sync_fetch_and_add(&stat->calls, 1);
    return 0;
  }
  struct stat first = {.calls = 1};
  struct task_struct *task = current_task();
  first.level = namespace_level(task);
  probe_read_kernel(&first.tgid, sizeof(first.tgid), &task->tgid);
  current_comm(first.comm, sizeof(first.comm));
  map_update(&stats, &tgid, &first, 0);
  add_total(1);
  return 0;
}
