// SPDX-License-Identifier: GPL-2.0-only
/*
 * What filters are compared with: programs that only drop or pass. Scripts attach them by name with
 * ip and tc. tc_redirect sends what comes in out again, past the egress hook of another interface.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "flood.h"

SEC("xdp")
int xdp_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("tc")
int tc_redirect(struct __sk_buff *ctx)
{
	(void)ctx;
	return (int)bpf_redirect(FLOOD_IFINDEX, 0);
}

SEC("tc")
int tc_drop(struct __sk_buff *ctx)
{
	(void)ctx;
	return TC_ACT_SHOT;
}

char _license[] SEC("license") = "GPL";
