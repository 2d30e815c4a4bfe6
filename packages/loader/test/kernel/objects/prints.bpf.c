#include "bpf-lite.h"

/* bpf_stream_printk of libbpf; the last argument is the verifier's. */
extern int bpf_stream_vprintk_impl(int stream, const char *format, const void *args, u32 size, void *aux)
    __attribute__((section(".ksyms")));

static const char to_stdout[] = "%d of %s\n";
static const char to_stderr[] = "oh\n";
static const char name[] = "many";

SEC("xdp") int prints(void *ctx) {
  u64 args[] = {7, (u64)name};

  int result = bpf_stream_vprintk_impl(1, to_stdout, args, sizeof(args), 0);

  bpf_stream_vprintk_impl(2, to_stderr, args, 0, 0);
  return result;
}
