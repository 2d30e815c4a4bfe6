// One record with the time of its submit, for bench/maps/wake.mjs.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");

SEC("xdp")
int produce(struct xdp_md *ctx)
{
	__u64 *now = bpf_ringbuf_reserve(&ring, sizeof(*now), 0);

	if (!now)
		return 0;
	*now = bpf_ktime_get_ns();
	bpf_ringbuf_submit(now, 0);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
