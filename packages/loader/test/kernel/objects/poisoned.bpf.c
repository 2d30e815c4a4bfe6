#include "bpf-lite.h"

struct task_struct {
  u64 member_that_no_kernel_has;
} CORE;

u64 out = 0;

/* The relocation cannot be resolved, and nothing guards it. */
SEC("tracepoint/raw_syscalls/sys_enter")
int reads_missing_member(void *ctx) {
  struct task_struct *task = current_task();
  u64 value = 0;
  probe_read_kernel(&value, sizeof(value), &task->member_that_no_kernel_has);
  out = value;
  return 0;
}
