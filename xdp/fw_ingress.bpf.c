// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ingress: context to frame, verdict to XDP_PASS or XDP_DROP (never XDP_ABORTED, which is for
 * faults and fires a tracepoint). Calls no helper that moves packet data: kernels from 6.12 on
 * refuse that behind libxdp's dispatcher. So what is to be answered is marked where it lies and
 * passed on to the program that answers (fw/ticket.h). Only a SYN's answer fits in its place, and
 * leaves by XDP_TX (fw/cookie.bpf.h).
 */
#define FW_HOOK	      FW_INGRESS
#define FW_CONTEXT    xdp_md
#define FW_LOAD_BYTES bpf_xdp_load_bytes
#include "fw/cookie.bpf.h"
#include "fw/filter.bpf.h"
#include "fw/parse.h"

/* A frame without a link-layer header is IP: its version is all there is to tell. */
static __always_inline __u16 fw_guess_layer3(const struct fw_frame *frame)
{
	const __u8 *at = frame->data;

	if (at + 1 > (const __u8 *)frame->data_end)
		return FW_ETHERTYPE_IPV4;
	return at[0] >> 4 == 6 ? FW_ETHERTYPE_IPV6 : FW_ETHERTYPE_IPV4;
}

/* The IP header, NULL if it cannot be reached. */
static __always_inline __u8 *fw_network_header(const struct xdp_md *ctx, __u32 network)
{
	__u8 *at = (__u8 *)(long)ctx->data + (network & 0xff);

	return at + FW_IPV4_HEADER > (__u8 *)(long)ctx->data_end ? NULL : at;
}

/* Linux looks through no other tags, so the program that answers would not find the packet. */
static __always_inline int fw_tags_are_known(const struct xdp_md *ctx)
{
	const __u8 *at = (const __u8 *)(long)ctx->data;

	return fw_setup.layer3 || (at + FW_ETHERNET_HEADER <= (const __u8 *)(long)ctx->data_end &&
				   fw_load16(at + 12) != FW_ETHERTYPE_QINQ_OLD);
}

/* Sends a rejected packet to the program that answers; drops what is not to be answered. */
static __always_inline int fw_refuse(struct xdp_md *ctx, const struct fw_packet *packet)
{
	struct fw_answers *answers = fw_answers_find();
	struct fw_ticket *ticket;
	__u32 number = 0;
	__u8 *at;

	if (fw_tags_are_known(ctx))
		number = fw_reject(packet, bpf_xdp_get_buff_len(ctx));
	if (!number || !answers)
		return XDP_DROP;
	ticket = fw_ticket_find(answers, number);
	at = fw_network_header(ctx, packet->network);
	if (!ticket || !at)
		return XDP_DROP;
	ticket->replaced = *(fw_raw32 *)(at + FW_TICKET_PLACE);
	*(fw_raw32 *)(at + FW_TICKET_PLACE) = number;
	at[0] ^= FW_TICKET_MARK;
	return XDP_PASS;
}

/*
 * In generic mode we also meet packets that egress has rejected and marked, on their way to the
 * program that answers.
 */
static __always_inline int fw_is_on_its_way(struct xdp_md *ctx, const struct fw_packet *packet)
{
	const __u8 *at = fw_network_header(ctx, packet->network);
	struct fw_answers *answers = fw_answers_find();
	struct fw_ticket *ticket;

	if (!at || !answers)
		return 0;
	ticket = fw_ticket_find(answers, *(const fw_raw32 *)(at + FW_TICKET_PLACE));
	return ticket && ticket->hook == FW_EGRESS;
}

/* What is seldom to be done: a global function, as the stack is short. */
__noinline int fw_do(struct xdp_md *ctx, const struct fw_packet *packet, __u32 outcome)
{
	const struct fw_weight weight = { .packets = 1, .bytes = bpf_xdp_get_buff_len(ctx) };

	if (!packet)
		return XDP_DROP;
	if (outcome & FW_DO_REJECT)
		return fw_refuse(ctx, packet);
	if (outcome & FW_DO_SYNCOOKIE)
		return fw_cookie(ctx, packet, outcome);
	if (fw_is_on_its_way(ctx, packet))
		return XDP_PASS;
	return fw_end(FW_REASON_OF(outcome), FW_VERDICT_OF(outcome), &weight) == FW_VERDICT_PASS
		       ? XDP_PASS
		       : XDP_DROP;
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
	__u32 outcome;

	if (fw_setup.layer3)
		frame.layer3 = fw_guess_layer3(&frame);
	malformed = fw_parse(&frame, &packet);
	weight.bytes = length;
	outcome = fw_filter(ctx, &packet, malformed, &weight);
	if (outcome & (FW_DO_REJECT | FW_DO_LOOK | FW_DO_SYNCOOKIE))
		return fw_do(ctx, &packet, outcome);
	return FW_VERDICT_OF(outcome) == FW_VERDICT_PASS ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
