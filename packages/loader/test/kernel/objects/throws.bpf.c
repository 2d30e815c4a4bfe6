#include "bpf-lite.h"

extern void bpf_throw(u64 cookie) __attribute__((section(".ksyms")));

/* Called when the program throws; nothing in it refers to it. */
__attribute__((used)) __noinline int on_exception(u64 cookie) { return (int)cookie + 100; }

__attribute__((btf_decl_tag("exception_callback:on_exception"))) SEC("tc")
int guarded(void *ctx) {
  volatile u64 five = 5;
  if (five == 5)
    bpf_throw(5);
  return 1;
}
