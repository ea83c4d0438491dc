// SPDX-License-Identifier: GPL-2.0-only
/* Programs of others: each lets everything pass and counts it. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} others SEC(".maps");

static __always_inline void count(void)
{
	__u32 zero = 0;
	__u64 *seen = bpf_map_lookup_elem(&others, &zero);

	if (seen)
		__sync_fetch_and_add(seen, 1);
}

SEC("xdp")
int other(struct xdp_md *ctx)
{
	(void)ctx;
	count();
	return XDP_PASS;
}

SEC("tc")
int other_tc(struct __sk_buff *skb)
{
	(void)skb;
	count();
	return 0;
}

char _license[] SEC("license") = "GPL";
