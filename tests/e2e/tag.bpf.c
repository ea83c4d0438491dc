// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VLAN interface does, for kernels without one: puts tag 5 beside the frame. Where the map
 * says another interface, the frame is handed to that.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define TAG_ETHERTYPE 0x0081 /* 802.1Q in network order */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} tag_target SEC(".maps");

SEC("tc")
int tag(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u32 *target = bpf_map_lookup_elem(&tag_target, &zero);

	bpf_skb_vlan_push(skb, TAG_ETHERTYPE, 5);
	return target && *target ? bpf_redirect(*target, 0) : 0;
}

char _license[] SEC("license") = "GPL";
