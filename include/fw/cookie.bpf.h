/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYN cookies at ingress, for rules with `syncookie`: which SYNs are answered here, and which flows
 * begin with the acknowledgement of a cookie. The cookie is that of the listener which the SYN is
 * for, and the kernel gives it only when it would answer with one itself; so the listener accepts
 * the acknowledgement, and nothing has to be kept. docs/adr/0007-syncookies.md says why so.
 */
#ifndef FW_COOKIE_BPF_H
#define FW_COOKIE_BPF_H

#include "fw/filter.bpf.h"
#include "fw/ticket.bpf.h"

#include "fw/cookie.h"

#define FW_AF_INET  2
#define FW_AF_INET6 10

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_cookie_room);
} fw_cookie_room SEC(".maps");

static __always_inline void fw_cookie_count(__u32 outcome, __u64 bytes)
{
	fw_answered_add(FW_HOOKS, outcome, 1, bytes);
}

/* May the host have it as it is? Jiffies will do for a clock: the burst is that of 200 ms. */
static __always_inline int fw_cookie_rate_allows(struct fw_answers *answers, __u32 rate)
{
	__u64 now = (bpf_jiffies64() - fw_setup.first_jiffy) * fw_setup.jiffy;
	__u64 cost;

	if (!rate)
		return 0;
	cost = FW_RATE_SECOND * FW_TICKS / rate;
	return !fw_bucket_refuses(&answers->cookie_bucket, (rate / 5 + 1) * cost, cost, now);
}

static __always_inline int fw_is_linear(const struct xdp_md *ctx)
{
	return bpf_xdp_get_buff_len((struct xdp_md *)(long)ctx) == ctx->data_end - ctx->data;
}

/* Is the frame for this machine? Bridges and sniffers see others, too. */
static __always_inline int fw_mac_is_own(const struct fw_packet *packet)
{
	const struct fw_own_mac key = {
		.mac = packet->destination_mac,
		.interface = packet->interface,
	};

	return fw_setup.layer3 || bpf_map_lookup_elem(&fw_own_macs, &key);
}

/*
 * Would the host forward it? Then a listener on any address is not the one that it is for. A host
 * that forwards nothing has only itself to give it to (but ipvlan's containers, docs/flows.md).
 */
static __always_inline int fw_is_for_host(struct xdp_md *ctx, const struct fw_cookie_room *room,
					  const struct fw_packet *packet)
{
	const __u8 *header = room->answer.header;
	struct bpf_fib_lookup route = {
		.family = packet->family == FW_INET ? FW_AF_INET : FW_AF_INET6,
		.l4_protocol = FW_PROTOCOL_TCP,
		.ifindex = packet->interface,
	};
	long answer;

	if (packet->family == FW_INET) {
		route.ipv4_src = *(const fw_raw32 *)(header + 12);
		route.ipv4_dst = *(const fw_raw32 *)(header + 16);
	} else {
		__builtin_memcpy(route.ipv6_src, header + 8, 16);
		__builtin_memcpy(route.ipv6_dst, header + 24, 16);
	}
	answer = bpf_fib_lookup(ctx, &route, sizeof(route), 0);
	return answer == BPF_FIB_LKUP_RET_NOT_FWDED || answer == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

/* The headers, into the room. Bytes of the TCP header, 0 if they cannot be had. */
static __always_inline __u32 fw_cookie_read(struct xdp_md *ctx, const struct fw_packet *packet,
					    struct fw_cookie_room *room)
{
	__u32 at = packet->transport & FW_TRANSPORT_MASK, header;

	if (bpf_xdp_load_bytes(ctx, packet->network & FW_TRANSPORT_MASK, room->answer.header,
			       packet->family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER) ||
	    bpf_xdp_load_bytes(ctx, at, room->segment, FW_TCP_HEADER))
		return 0;
	header = (room->segment[12] >> 4) * 4U;
	if (header < FW_TCP_HEADER ||
	    bpf_xdp_load_bytes(ctx, at, room->segment, fw_flow_bounded(header, 64)))
		return 0;
	return header;
}

/* The cookie in the lower half, the other's MSS above it; below 0: the host has to answer. */
static __always_inline __s64 fw_cookie_get(struct xdp_md *ctx, struct fw_cookie_room *room,
					   __u32 header, const __u32 family)
{
	__u8 *network = room->answer.header;
	struct bpf_sock_tuple ends = {};
	struct bpf_sock *sock;
	__s64 cookie;

	if (family == FW_INET) {
		__builtin_memcpy(&ends.ipv4.saddr, network + 12, 8);
		__builtin_memcpy(&ends.ipv4.sport, room->segment, 4);
	} else {
		__builtin_memcpy(ends.ipv6.saddr, network + 8, 32);
		__builtin_memcpy(&ends.ipv6.sport, room->segment, 4);
	}
	sock = bpf_skc_lookup_tcp(ctx, &ends,
				  family == FW_INET ? sizeof(ends.ipv4) : sizeof(ends.ipv6),
				  (__u64)BPF_F_CURRENT_NETNS, 0);
	if (!sock)
		return -1;
	cookie = bpf_tcp_gen_syncookie(sock, network,
				       family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER,
				       (struct tcphdr *)room->segment, fw_flow_bounded(header, 64));
	bpf_sk_release(sock);
	return cookie;
}

/* What a packet to us may hold: the interface says, and what the other said for himself. */
static __always_inline __u32 fw_cookie_mss(struct xdp_md *ctx, __u32 others, const __u32 family)
{
	__u32 headers = FW_TCP_HEADER + (family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER);
	__u32 mtu = 0;

	bpf_check_mtu(ctx, 0, &mtu, 0, 0);
	if (mtu <= headers)
		return others;
	return others < mtu - headers ? others : mtu - headers;
}

/* Puts the answer in the SYN's place. What lies behind it is the SYN's, and no longer IP. */
static __always_inline int fw_cookie_write(struct xdp_md *ctx, const struct fw_packet *packet,
					   const struct fw_cookie_room *room, __u32 length)
{
	fw_raw16 *at = (fw_raw16 *)(long)ctx->data;

	if (!fw_setup.layer3) {
		if ((const __u8 *)at + FW_ETHERNET_HEADER > (const __u8 *)(long)ctx->data_end)
			return -1;
#pragma GCC unroll 3
		for (int i = 0; i < 3; i++) {
			__u16 swapped = at[i];

			at[i] = at[i + 3];
			at[i + 3] = swapped;
		}
	}
	return (int)bpf_xdp_store_bytes(ctx, packet->network & FW_TRANSPORT_MASK,
					(void *)(long)room->answer.answer,
					fw_flow_bounded(length, 128));
}

/* Makes the answer and puts it there. True: it is to be sent. */
static __always_inline int fw_cookie_make(struct xdp_md *ctx, const struct fw_packet *packet,
					  struct fw_cookie_room *room, const __u32 family)
{
	__u32 header = fw_cookie_read(ctx, packet, room);
	__u32 frame = bpf_xdp_get_buff_len(ctx) - (packet->network & FW_TRANSPORT_MASK);
	__u32 network = family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER;
	__s64 cookie;
	__u32 mss;

	if (!header || !fw_is_for_host(ctx, room, packet))
		return 0;
	cookie = fw_cookie_get(ctx, room, header, family);
	if (cookie < 0)
		return 0;
	mss = fw_cookie_mss(ctx, (__u32)(cookie >> 32) & 0xffff, family);
	header = fw_cookie_header(header, frame - network);
	return !fw_cookie_write(ctx, packet, room,
				fw_cookie_answer(room, family, (__u32)cookie, mss, header));
}

/* A SYN of a rule with `syncookie`; true: the frame is its answer now. */
__noinline int fw_cookie_syn(struct xdp_md *ctx, const struct fw_packet *packet, __u32 rate)
{
	struct fw_answers *answers = fw_answers_find();
	__u32 first = 0;
	struct fw_cookie_room *room = bpf_map_lookup_elem(&fw_cookie_room, &first);
	__u64 bytes = bpf_xdp_get_buff_len(ctx);
	int made = 0;

	if (!fw_setup.has_cookies || !packet || !answers || !room)
		return 0;
	if (fw_cookie_rate_allows(answers, rate)) {
		fw_cookie_count(FW_COOKIE_PASSED, bytes);
		return 0;
	}
	if (fw_answer_to(packet) == FW_ANSWER_RESET && fw_mac_is_own(packet) && fw_is_linear(ctx))
		made = packet->family == FW_INET ? fw_cookie_make(ctx, packet, room, FW_INET)
						 : fw_cookie_make(ctx, packet, room, FW_INET6);
	fw_cookie_count(made ? FW_COOKIE_SENT : FW_COOKIE_DECLINED, bytes);
	return made;
}

/* Does the packet acknowledge a cookie of this host? */
static __always_inline int fw_cookie_is_right(struct xdp_md *ctx, const struct fw_packet *packet)
{
	__u32 first = 0;
	struct fw_cookie_room *room = bpf_map_lookup_elem(&fw_cookie_room, &first);

	if (!room || !fw_cookie_read(ctx, packet, room))
		return 0;
	if (packet->family == FW_INET)
		return !bpf_tcp_raw_check_syncookie_ipv4((struct iphdr *)room->answer.header,
							 (struct tcphdr *)room->segment);
	return !bpf_tcp_raw_check_syncookie_ipv6((struct ipv6hdr *)room->answer.header,
						 (struct tcphdr *)room->segment);
}

/*
 * Records the flow of a connection whose handshake was made here: the SYN and its answer, and then
 * the packet that acknowledges it. It goes to the assured ones, as its sender is where he says. A
 * half-open one of the same name is of a SYN that was passed, and gives way.
 */
static __always_inline void fw_cookie_keep(const struct fw_packet *packet, __u64 active,
					   __u64 bytes)
{
	struct fw_flow_scratch *scratch = fw_flow_scratch_get();
	const struct fw_state_options *options = fw_flow_options(active);
	struct fw_segment answer = { .flags = FW_TCP_SYN | FW_TCP_ACK, .scale = FW_NO_SCALE };
	struct fw_segment last;
	struct fw_flow_entry *entry;

	if (!scratch || !options)
		return;
	last = scratch->segment;
	answer.sequence = last.acknowledgement - 1;
	answer.end = last.acknowledgement;
	answer.acknowledgement = last.sequence;
	answer.window = FW_COOKIE_WINDOW;
	scratch->segment.flags = FW_TCP_SYN;
	scratch->segment.sequence = last.sequence - 1;
	scratch->segment.end = last.sequence;
	scratch->name.may_open = 1;
	scratch->may_keep = 1;
	scratch->is_over |= 1U << FW_FLOWS_HALF_OPEN;
	fw_keep_flow(packet, active, 1, bytes);
	entry = fw_flow_find(FW_FLOWS_HALF_OPEN, &scratch->name.key);
	if (!entry)
		return;
	fw_flow_take(entry, FW_FLOW_RESPONDER, FW_PROTOCOL_TCP, &answer);
	scratch->segment = last;
	fw_flow_join(entry, scratch, options, fw_flow_now(scratch));
	fw_flow_assure(&scratch->name.key);
}

/* The flow of that name is alive and its handshake complete: no cookie has to do with it. */
static __always_inline int fw_cookie_has_flow(const struct fw_flow_scratch *scratch)
{
	return !(scratch->is_over & 1U << FW_FLOWS_ASSURED) &&
	       fw_flow_find(FW_FLOWS_ASSURED, &scratch->name.key);
}

/* An acknowledgement that belongs to no flow; true: it does now. */
__noinline int fw_cookie_ack(struct xdp_md *ctx, const struct fw_packet *packet, __u64 active)
{
	const struct fw_flow_scratch *scratch = fw_flow_scratch_get();
	__u64 bytes = bpf_xdp_get_buff_len(ctx);

	/* What is not linear need not have been read for the flows. */
	if (!fw_setup.has_cookies || !packet || !scratch || !fw_is_linear(ctx) ||
	    packet->has & (FW_IS_FRAGMENT | FW_IS_FIRST_FRAGMENT) || fw_cookie_has_flow(scratch))
		return 0;
	if (!fw_cookie_is_right(ctx, packet)) {
		fw_cookie_count(FW_COOKIE_WRONG, bytes);
		return 0;
	}
	fw_cookie_count(FW_COOKIE_RIGHT, bytes);
	fw_cookie_keep(packet, active, bytes);
	return 1;
}

/* A packet that a rule with `syncookie` passes; its flow is not recorded yet. */
static __always_inline int fw_cookie(struct xdp_md *ctx, const struct fw_packet *packet,
				     __u32 outcome)
{
	__u32 first = 0, flags = packet->tcp_flags;
	const struct fw_pending *pending = bpf_map_lookup_elem(&fw_pending, &first);

	if (!pending)
		return XDP_PASS;
	if (fw_tcp_opens((__u8)flags) && fw_cookie_syn(ctx, packet, pending->syncookie_after))
		return XDP_TX;
	if (!(outcome & FW_DO_KEEP_STATE))
		return XDP_PASS;
	if (packet->state != FW_STATE_NEW ||
	    (flags & (FW_TCP_SYN | FW_TCP_RST | FW_TCP_ACK)) != FW_TCP_ACK ||
	    !fw_cookie_ack(ctx, packet, pending->active))
		fw_keep_flow(packet, pending->active, 1, bpf_xdp_get_buff_len(ctx));
	return XDP_PASS;
}

#endif
