#include "bpf-lite.h"

extern u32 LINUX_KERNEL_VERSION __attribute__((section(".kconfig")));

u32 version = 0;

SEC("tracepoint/raw_syscalls/sys_enter")
int reads_kconfig(void *ctx) {
  version = LINUX_KERNEL_VERSION;
  return 0;
}
