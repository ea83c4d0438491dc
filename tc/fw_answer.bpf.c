// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers what rules have rejected, at TC ingress: the one place where both hooks can bring a
 * packet, and where it may change its size. Attached only while rules reject. Of all other packets
 * it reads a byte or two.
 *
 * The packet becomes its answer. To what came in it leaves by the interface where it came from; to
 * what was going out it goes on up the stack, as if it had come from where the packet was going.
 */
#include <linux/pkt_cls.h>

#include "fw/maps.bpf.h"

#include "fw/answer.h"
#include "fw/ticket.bpf.h"

/* struct __sk_buff `pkt_type`; <linux/if_packet.h> */
#define FW_PACKET_HOST 0

/*
 * Taken out of the frame before the answer is written: more than lies before any checksum that is
 * still to be filled in, so that the kernel forgets about it (it is the rejected packet's).
 */
#define FW_ANSWER_CUT 512

#define FW_MACS 12 /* bytes of both MAC addresses */

/*
 * A length that is from 1 to 2048 anyway: kernel 6.1 does not know that any more where it counts
 * ("R4 unbounded memory access", "R3 min value", clang 14), and clang does not know that it does
 * not.
 */
static __always_inline __u64 fw_bounded(__u64 length)
{
	asm volatile("" : "+r"(length));
	return ((length - 1) & 2047) + 1;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_answer_room);
} fw_answer_room SEC(".maps");

/* What is known of a packet that is being answered. */
struct fw_answered {
	struct fw_ticket ticket;
	__u32 network; /* offset of the IP header */
	__u32 family;
	__u32 mend; /* the link-layer header is missing */
	__u32 tag;  /* the outer one of two: protocol << 16 | TCI; 0: none */
};

/*
 * Reads the packet into the room, with what the ticket kept in its place. The family is a constant:
 * the verifier must know where each byte goes.
 */
static __always_inline int fw_answer_read(struct __sk_buff *ctx, const struct fw_answered *answered,
					  struct fw_answer_room *room, const __u32 family)
{
	const struct fw_ticket *ticket = &answered->ticket;
	__u8 *to = room->answer + fw_quote_offset(family);
	__u64 length = fw_bounded(fw_quote_length(family, ticket->length));

	if (bpf_skb_load_bytes(ctx, answered->network, room->header,
			       family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER))
		return -1;
	room->header[0] ^= FW_TICKET_MARK;
	*(fw_raw32 *)(room->header + FW_TICKET_PLACE) = ticket->replaced;
	if (ticket->answer == FW_ANSWER_RESET)
		return (int)bpf_skb_load_bytes(ctx, answered->network + ticket->transport,
					       room->segment, FW_TCP_HEADER);
	if (bpf_skb_load_bytes(ctx, answered->network, to, (__u32)length))
		return -1;
	*(fw_raw32 *)(to + length) = 0;
	to[0] ^= FW_TICKET_MARK;
	*(fw_raw32 *)(to + FW_TICKET_PLACE) = ticket->replaced;
	return 0;
}

/* Bytes of the answer, which is in the room then; 0: none. */
static __always_inline __u32 fw_answer_make(struct __sk_buff *ctx,
					    const struct fw_answered *answered,
					    struct fw_answer_room *room, const __u32 family)
{
	const struct fw_ticket *ticket = &answered->ticket;

	if (fw_answer_read(ctx, answered, room, family))
		return 0;
	if (ticket->answer == FW_ANSWER_RESET)
		return fw_answer_reset(room, family, ticket->length - ticket->transport);
	return fw_answer_unreachable(room, family, fw_quote_length(family, ticket->length));
}

/* Puts the answer in the packet's place. */
static __always_inline int fw_answer_write(struct __sk_buff *ctx, __u32 network,
					   const struct fw_answer_room *room, __u32 length)
{
	__u8 macs[FW_MACS], swapped[FW_MACS];
	__u64 bytes;

	/* Of a packet of many segments this makes one packet. */
	if (bpf_skb_change_tail(ctx, network + FW_ANSWER_CUT + length, 0) ||
	    bpf_skb_adjust_room(ctx, -FW_ANSWER_CUT, BPF_ADJ_ROOM_MAC, 0))
		return -1;
	bytes = fw_bounded(length);
	if (bpf_skb_store_bytes(ctx, network, room->answer, (__u32)bytes, 0))
		return -1;
	if (fw_setup.layer3)
		return 0;
	if (bpf_skb_load_bytes(ctx, 0, macs, sizeof(macs)))
		return -1;
	__builtin_memcpy(swapped, macs + FW_MACS / 2, FW_MACS / 2);
	__builtin_memcpy(swapped + FW_MACS / 2, macs, FW_MACS / 2);
	return (int)bpf_skb_store_bytes(ctx, 0, swapped, sizeof(swapped), 0);
}

/* Where the answer goes. */
static __always_inline int fw_answer_deliver(struct __sk_buff *ctx, __u32 hook,
					     struct fw_answers *answers)
{
	struct fw_ticket *ticket;

	if (hook == FW_EGRESS) {
		bpf_skb_change_type(ctx, FW_PACKET_HOST);
		return TC_ACT_UNSPEC;
	}
	ticket = fw_ticket_new(answers);
	ticket->hook = FW_TICKET_ANSWER;
	ctx->mark = ticket->number;
	return (int)bpf_redirect(ctx->ifindex, 0);
}

/*
 * Kernels that copy a packet for generic XDP (6.9 and later) forget where its link-layer header
 * ends: it then lies before what we are given, and would not be sent. It is put there again.
 */
static __always_inline int fw_link_header_mend(struct __sk_buff *ctx)
{
	__u8 header[FW_ETHERNET_HEADER];

	if (bpf_skb_load_bytes_relative(ctx, 0, header, sizeof(header), BPF_HDR_START_MAC) ||
	    bpf_skb_change_head(ctx, sizeof(header), 0))
		return -1;
	return (int)bpf_skb_store_bytes(ctx, 0, header, sizeof(header), 0);
}

static __always_inline int fw_is_tagged(const struct __sk_buff *ctx)
{
	__u32 protocol = FW_SWAP16((__u16)ctx->protocol);

	return protocol == FW_ETHERTYPE_VLAN || protocol == FW_ETHERTYPE_QINQ;
}

/* The outer tag of two hides the inner one, and the kernel's helpers know only what is behind. */
static __always_inline int fw_tag_take(struct __sk_buff *ctx, struct fw_answered *answered)
{
	if (!fw_is_tagged(ctx))
		return 0;
	answered->tag = ctx->vlan_proto << 16 | (ctx->vlan_tci & 0xffff);
	answered->network = FW_ETHERNET_HEADER;
	return (int)bpf_skb_vlan_pop(ctx);
}

static __always_inline int fw_tag_put(struct __sk_buff *ctx, const struct fw_answered *answered)
{
	if (!answered->tag)
		return 0;
	return (int)bpf_skb_vlan_push(ctx, (__be16)(answered->tag >> 16), (__u16)answered->tag);
}

/* A packet with our number: from here on it is answered or dropped. */
static __always_inline int fw_answer_packet(struct __sk_buff *ctx, struct fw_answered *answered,
					    struct fw_answers *answers)
{
	__u32 first = 0, hook = answered->ticket.hook & 1, length;
	struct fw_answer_room *room = bpf_map_lookup_elem(&fw_answer_room, &first);

	if (!room || (answered->mend && fw_link_header_mend(ctx)) || fw_tag_take(ctx, answered))
		goto failed;
	length = answered->family == FW_INET ? fw_answer_make(ctx, answered, room, FW_INET)
					     : fw_answer_make(ctx, answered, room, FW_INET6);
	if (!length || fw_answer_write(ctx, answered->network, room, length) ||
	    fw_tag_put(ctx, answered))
		goto failed;
	fw_answered_add(hook, FW_ANSWER_SENT, 1, ctx->len);
	return fw_answer_deliver(ctx, hook, answers);
failed:
	fw_answered_add(hook, FW_ANSWER_FAILED, 1, ctx->len);
	return TC_ACT_SHOT;
}

/* The versions 4 and 6 with our mark. */
static __always_inline int fw_is_marked(__u8 first)
{
	return (first & 0xd0) == (FW_TICKET_MARK | 0x40);
}

/* Can the packet be marked? Reads one byte where it should be, and one where it may be too. */
static __always_inline int fw_may_be_marked(struct __sk_buff *ctx)
{
	__u32 protocol = FW_SWAP16((__u16)ctx->protocol);
	__u32 network = fw_setup.layer3 ? 0 : FW_ETHERNET_HEADER;
	const __u8 *data = (const __u8 *)(long)ctx->data;

	if (protocol != FW_ETHERTYPE_IPV4 && protocol != FW_ETHERTYPE_IPV6)
		return fw_is_tagged(ctx);
	if (data + network + 1 > (const __u8 *)(long)ctx->data_end)
		return 1;
	return fw_is_marked(data[network]) | fw_is_marked(data[0]);
}

/* Its ticket, taken, and where the IP header is; 0 if it has none. */
static __always_inline int fw_ticket_take(struct __sk_buff *ctx, struct fw_answered *answered,
					  struct fw_answers *answers)
{
	__u32 tag = fw_is_tagged(ctx) ? FW_VLAN_TAG : 0, number = 0;
	__u32 network = tag + (fw_setup.layer3 ? 0 : FW_ETHERNET_HEADER);
	__u8 header[FW_IPV4_HEADER];
	struct fw_ticket *ticket;

	if (bpf_skb_load_bytes_relative(ctx, tag, header, sizeof(header), BPF_HDR_START_NET) ||
	    !fw_is_marked(header[0]))
		return 0;
	ticket = fw_ticket_find(answers, *(const fw_raw32 *)(header + FW_TICKET_PLACE));
	if (!ticket || ticket->hook == FW_TICKET_ANSWER)
		return 0;
	answered->ticket = *ticket;
	answered->network = network;
	answered->family = (header[0] ^ FW_TICKET_MARK) >> 4 == 6 ? FW_INET6 : FW_INET;
	ticket->number = 0;
	bpf_skb_load_bytes(ctx, network + FW_TICKET_PLACE, &number, sizeof(number));
	answered->mend = number != answered->ticket.number;
	return 1;
}

SEC("tc")
int fw_answer(struct __sk_buff *ctx)
{
	struct fw_answered answered = {};
	struct fw_answers *answers;
	__u32 first = 0;

	if (!fw_may_be_marked(ctx))
		return TC_ACT_UNSPEC;
	answers = fw_answers_find();
	if (!answers || !bpf_map_lookup_elem(&fw_active, &first) ||
	    !fw_ticket_take(ctx, &answered, answers))
		return TC_ACT_UNSPEC;
	return fw_answer_packet(ctx, &answered, answers);
}

char _license[] SEC("license") = "GPL";
