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
#include "fw/parse.h"

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

/*
 * Sends a rejected packet to the program that answers, at ingress of the same interface; drops what
 * is not to be answered. A global function because of the stack.
 */
__noinline int fw_refuse(struct __sk_buff *ctx, const struct fw_packet *packet, __u64 bytes)
{
	struct fw_answers *answers = fw_answers_find();
	struct fw_ticket *ticket;
	__u32 number, place;
	__u8 version;

	if (!packet || !answers)
		return TC_ACT_SHOT;
	number = fw_reject(packet, bytes);
	if (!number)
		return TC_ACT_SHOT;
	place = packet->network + FW_TICKET_PLACE;
	ticket = fw_ticket_find(answers, number);
	if (!ticket || bpf_skb_load_bytes(ctx, packet->network, &version, sizeof(version)) ||
	    bpf_skb_load_bytes(ctx, place, &ticket->replaced, sizeof(ticket->replaced)))
		return TC_ACT_SHOT;
	version ^= FW_TICKET_MARK;
	if (bpf_skb_store_bytes(ctx, packet->network, &version, sizeof(version), 0) ||
	    bpf_skb_store_bytes(ctx, place, &number, sizeof(number), 0))
		return TC_ACT_SHOT;
	/* The loopback's egress leads there by itself. After a redirect 127.0.0.1 is a martian. */
	if (ctx->ifindex == FW_LOOPBACK)
		return TC_ACT_UNSPEC;
	return (int)bpf_redirect(ctx->ifindex, BPF_F_INGRESS);
}

/* Answers of ours to what came in: they are not judged. The mark is not seen outside. */
static __always_inline int fw_is_our_answer(struct __sk_buff *ctx)
{
	struct fw_answers *answers;
	struct fw_ticket *ticket;

	if (!ctx->mark)
		return 0;
	answers = fw_answers_find();
	ticket = answers ? fw_ticket_find(answers, ctx->mark) : NULL;
	if (!ticket || ticket->hook != FW_TICKET_ANSWER)
		return 0;
	ticket->number = 0;
	ctx->mark = 0;
	return 1;
}

SEC("tc")
int fw_egress(struct __sk_buff *ctx)
{
	struct fw_packet packet = {};
	struct fw_weight weight;
	__u32 malformed, outcome;

	if (fw_is_our_answer(ctx))
		return TC_ACT_UNSPEC;
	malformed = fw_read_linear(ctx, &packet);
	fw_weigh(ctx, &weight);
	outcome = fw_filter(ctx, &packet, malformed, &weight);
	if (FW_VERDICT_OF(outcome) == FW_VERDICT_PASS)
		return TC_ACT_UNSPEC;
	return outcome & FW_DO_REJECT ? fw_refuse(ctx, &packet, weight.bytes) : TC_ACT_SHOT;
}

char _license[] SEC("license") = "GPL";
