// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ingress: context to frame, verdict to XDP_PASS or XDP_DROP (never XDP_ABORTED, which is for
 * faults and fires a tracepoint). Calls no helper that moves packet data: kernels from 6.12 on
 * refuse that behind libxdp's dispatcher.
 */
#define FW_HOOK	      FW_INGRESS
#define FW_CONTEXT    xdp_md
#define FW_LOAD_BYTES bpf_xdp_load_bytes
#include "fw/filter.bpf.h"

/* A frame without a link-layer header is IP: its version is all there is to tell. */
static __always_inline __u16 fw_guess_layer3(const struct fw_frame *frame)
{
	const __u8 *at = frame->data;

	if (at + 1 > (const __u8 *)frame->data_end)
		return FW_ETHERTYPE_IPV4;
	return at[0] >> 4 == 6 ? FW_ETHERTYPE_IPV6 : FW_ETHERTYPE_IPV4;
}

SEC("xdp.frags")
int fw_ingress(struct xdp_md *ctx)
{
	struct fw_frame frame = {
		.data = (const void *)(long)ctx->data,
		.data_end = (const void *)(long)ctx->data_end,
		.length = (__u32)bpf_xdp_get_buff_len(ctx),
		.interface = ctx->ingress_ifindex,
		.stripped_vlan = FW_NO_VLAN,
	};
	/* On the stack, where it costs less than a register that is spilled: beside fw_decide()
	 * there is room for 160 bytes. */
	volatile __u32 length = frame.length;
	struct fw_weight weight = { .packets = 1 };
	struct fw_packet packet;
	enum fw_reason malformed;

	if (fw_setup.layer3)
		frame.layer3 = fw_guess_layer3(&frame);
	malformed = fw_parse(&frame, &packet);
	weight.bytes = length;
	if (FW_VERDICT_OF(fw_filter(ctx, &packet, malformed, &weight)) == FW_VERDICT_DROP)
		return XDP_DROP;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
