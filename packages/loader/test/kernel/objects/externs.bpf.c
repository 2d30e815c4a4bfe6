#include "bpf-lite.h"

#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))
#define __weak __attribute__((weak))

enum libbpf_tristate { TRI_NO, TRI_YES, TRI_MODULE };

extern u32 LINUX_KERNEL_VERSION __kconfig;
extern u32 CONFIG_HZ __kconfig;
extern _Bool CONFIG_BPF_SYSCALL __kconfig;
extern enum libbpf_tristate CONFIG_NET __kconfig;
extern char CONFIG_CC_VERSION_TEXT[32] __kconfig;
extern u64 CONFIG_NO_SUCH_OPTION __kconfig __weak;
extern _Bool LINUX_HAS_BPF_COOKIE __kconfig;

struct task_struct;

/* A symbol by its address only, and a variable that no kernel has. */
extern const void _stext __ksym;
extern const int no_such_variable __ksym __weak;

/* A function, and one that no kernel has. */
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void no_such_kfunc(void) __ksym __weak;

u32 version = 0, hz = 0, net = 0;
u64 missing_option = 1;
_Bool bpf_syscall = 0, cookies = 0;
char compiler[8] = "";
u64 text_address = 0;
u32 has_missing_variable = 1, has_missing_kfunc = 1, locked = 0;

SEC("tp_btf/sys_enter")
int reads_externs(void *ctx) {
  version = LINUX_KERNEL_VERSION;
  hz = CONFIG_HZ;
  net = CONFIG_NET;
  bpf_syscall = CONFIG_BPF_SYSCALL;
  cookies = LINUX_HAS_BPF_COOKIE;
  missing_option = CONFIG_NO_SUCH_OPTION;
  for (int i = 0; i < 7; i++) compiler[i] = CONFIG_CC_VERSION_TEXT[i];
  text_address = (u64)&_stext;
  has_missing_variable = &no_such_variable != 0;
  has_missing_kfunc = no_such_kfunc != 0;
  bpf_rcu_read_lock();
  locked = 1;
  bpf_rcu_read_unlock();
  if (no_such_kfunc) no_such_kfunc();
  return 0;
}

