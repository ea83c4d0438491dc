// SPDX-License-Identifier: GPL-2.0-only
/*
 * Egress: context to frame, verdict to TC_ACT_SHOT or to "the next program decides"
 * (TC_ACT_UNSPEC, which is TCX_NEXT), so that other programs on the interface still run.
 */
#include <linux/pkt_cls.h>

#define FW_HOOK	      FW_EGRESS
#define FW_CONTEXT    __sk_buff
#define FW_LOAD_BYTES bpf_skb_load_bytes
#include "fw/filter.bpf.h"

#define FW_MAX_HEADERS 4096 /* bytes that are made linear, at most, to find the headers */

static __always_inline __u16 fw_stripped_vlan(const struct __sk_buff *ctx)
{
	return ctx->vlan_present ? ctx->vlan_tci & 0xfff : FW_NO_VLAN;
}

/*
 * Frames that are still to be split count as what leaves the interface. `gso_segs` is not set for
 * what a guest or a packet socket sent; then the size of the segments tells, one too many at most.
 */
static __always_inline void fw_weigh(const struct __sk_buff *ctx, struct fw_weight *weight)
{
	weight->packets = 1;
	weight->bytes = ctx->len;
	if (ctx->gso_segs > 1) {
		weight->packets = ctx->gso_segs;
		weight->bytes = ctx->wire_len;
	} else if (ctx->gso_size && ctx->len > ctx->gso_size) {
		weight->packets = (ctx->len + ctx->gso_size - 1) / ctx->gso_size;
		weight->bytes = ctx->wire_len;
	}
	if (ctx->vlan_present)
		weight->bytes += FW_VLAN_TAG * weight->packets;
}

/*
 * Fills in the packet; what fw_parse() says. A global function, which the verifier walks once and
 * on its own, although it is called twice. Its stack is not that of fw_decide() either: all frames
 * of a call chain together may have 512 bytes.
 */
__noinline __u32 fw_read(struct __sk_buff *ctx, struct fw_packet *packet)
{
	struct fw_frame frame = {
		.data = (const void *)(long)ctx->data,
		.data_end = (const void *)(long)ctx->data_end,
		.length = ctx->len,
		.interface = ctx->ifindex,
		.stripped_vlan = fw_stripped_vlan(ctx),
	};

	if (!packet)
		return FW_REASON_HEADER_NOT_LINEAR;
	if (fw_setup.layer3)
		frame.layer3 = FW_SWAP16((__u16)ctx->protocol);
	return fw_parse(&frame, packet);
}

/* Headers that cannot be read directly are made linear, once. */
static __always_inline __u32 fw_read_linear(struct __sk_buff *ctx, struct fw_packet *packet)
{
	__u32 malformed = fw_read(ctx, packet);

	if (malformed != FW_REASON_HEADER_NOT_LINEAR)
		return malformed;
	if (bpf_skb_pull_data(ctx, ctx->len < FW_MAX_HEADERS ? ctx->len : FW_MAX_HEADERS))
		return malformed;
	return fw_read(ctx, packet);
}

SEC("tc")
int fw_egress(struct __sk_buff *ctx)
{
	struct fw_packet packet = {};
	__u32 malformed = fw_read_linear(ctx, &packet);
	struct fw_weight weight;

	fw_weigh(ctx, &weight);
	if (FW_VERDICT_OF(fw_filter(ctx, &packet, malformed, &weight)) == FW_VERDICT_DROP)
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
