// Numbered records of 24 to 80 bytes for bench/maps/proof.mjs, run by BPF_PROG_TEST_RUN: number of its processor,
// processor, checksum, and the number again up to the size. Failed reserves are counted.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024 * 1024);
} ring SEC(".maps");

struct state {
	__u64 seq, dropped;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct state);
} state SEC(".maps");

struct context {
	struct state *state;
};

static long emit(__u32 i, struct context *ctx)
{
	struct state *s = ctx->state;

	if (!s)
		return 1;
	__u64 seq = s->seq++, cpu = bpf_get_smp_processor_id();
	__u64 words[10] = { seq, cpu, seq ^ cpu, seq, seq, seq, seq, seq, seq, seq };

	if (bpf_ringbuf_output(&ring, words, 24 + (seq & 7) * 8, 0))
		s->dropped++;
	return 0;
}

SEC("xdp")
int produce(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct state *s = bpf_map_lookup_elem(&state, &zero);

	struct context c = { s };

	bpf_loop(10000, emit, &c, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
