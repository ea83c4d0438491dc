/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which flow a packet belongs to, how long flows are kept, and which packet an ICMP error is about.
 * Pure: the same source in the kernel and under sanitizers. Helpers stand in fw/flow.bpf.h.
 */
#ifndef FW_FLOW_TRACK_H
#define FW_FLOW_TRACK_H

#include "fw/flow_tcp.h"
#include "fw/flows.h"
#include "fw/image.h"
#include "fw/parse.h"

/* The ICMP header of a query: type, code, checksum, identifier, sequence number. */
#define FW_ICMP_ID 4

/* Of the packet that an ICMP error carries so much is looked at. */
#define FW_INNER_MAX	    128
#define FW_INNER_EXTENSIONS 3

struct fw_flow_name {
	struct fw_flow_key key;
	__u8 is_upper; /* the source is the upper end */
	__u8 may_open; /* a flow can begin with it; of TCP only if it opens, or with pick-up */
	__u8 pad[2];
};

/*
 * The request that an ICMP query or its answer belongs to; 0: neither, such packets have no flow.
 * ret_answers: it is the answer.
 */
static __always_inline __u8 fw_icmp_query(__u8 family, __u8 type, __u32 *ret_answers)
{
	*ret_answers = 0;
	if (family == FW_INET6) {
		*ret_answers = type == 129;
		return type == 128 || type == 129 ? 128 : 0;
	}
	switch (type) {
	case 0: /* echo reply */
		*ret_answers = 1;
		return 8;
	case 14: /* timestamp, information and address mask replies */
	case 16:
	case 18:
		*ret_answers = 1;
		return type - 1;
	case 8:
	case 13:
	case 15:
	case 17:
		return type;
	}
	return 0;
}

static __always_inline int fw_icmp_is_error(__u8 family, __u8 type)
{
	if (family == FW_INET6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 11 || type == 12;
}

/* Is the address a above b? -1: they are the same. */
static __always_inline int fw_address_is_above(const __u32 a[4], const __u32 b[4])
{
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		if (a[i] != b[i])
			return a[i] > b[i];
	return -1;
}

static __always_inline void fw_flow_set_ends(struct fw_flow_key *key, const __u32 lower[4],
					     const __u32 upper[4])
{
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		key->lower[i] = lower[i];
		key->upper[i] = upper[i];
	}
}

/*
 * The name of the packet's flow. `id` is what stands at FW_ICMP_ID. False: it can have none, like
 * what is not IP, later fragments, and ICMP that is no query.
 */
static __always_inline int fw_flow_name(const struct fw_packet *packet, __u16 id,
					struct fw_flow_name *ret)
{
	struct fw_flow_key *key = &ret->key;
	__u32 answers = 0;
	int above;

	if (packet->family == FW_OTHER || packet->has & FW_IS_FRAGMENT)
		return 0;
	above = fw_address_is_above(packet->source, packet->destination);
	if (above < 0)
		above = packet->source_port > packet->destination_port;
	key->family = packet->family;
	key->protocol = packet->protocol;
	key->query = 0;
	key->from_upper = 0;
	if (above) {
		fw_flow_set_ends(key, packet->destination, packet->source);
		key->lower_port = packet->destination_port;
		key->upper_port = packet->source_port;
	} else {
		fw_flow_set_ends(key, packet->source, packet->destination);
		key->lower_port = packet->source_port;
		key->upper_port = packet->destination_port;
	}
	if (packet->has & FW_HAS_ICMP) {
		key->query = fw_icmp_query(packet->family, packet->icmp_type, &answers);
		key->from_upper = (__u8)(above ^ (int)answers);
		key->lower_port = id;
		key->upper_port = id;
	}
	ret->is_upper = (__u8)above;
	ret->may_open = !answers;
	if (packet->protocol == FW_PROTOCOL_TCP)
		ret->may_open = fw_tcp_opens(packet->tcp_flags) != 0;
	return !(packet->has & FW_HAS_ICMP) || key->query;
}

static __always_inline enum fw_flow_state fw_flow_state(const struct fw_flow_entry *entry,
							__u8 protocol)
{
	__u32 responder = entry->sides[FW_FLOW_RESPONDER].flags;

	if (protocol == FW_PROTOCOL_TCP)
		return fw_tcp_state(entry->sides[FW_FLOW_ORIGINATOR].flags, responder);
	return responder & FW_SIDE_SEEN ? FW_FLOW_REPLIED : FW_FLOW_UNREPLIED;
}

/* Which of the timeouts holds for a flow that is at this state. */
static __always_inline enum fw_timeout fw_flow_timeout(__u8 protocol, enum fw_flow_state state)
{
	__u32 replied = state == FW_FLOW_REPLIED;

	switch (protocol) {
	case FW_PROTOCOL_TCP:
		if (state <= FW_FLOW_SYN_RECEIVED)
			return FW_TIMEOUT_TCP_OPENING;
		if (state == FW_FLOW_ESTABLISHED)
			return FW_TIMEOUT_TCP_ESTABLISHED;
		return state == FW_FLOW_CLOSING ? FW_TIMEOUT_TCP_CLOSING : FW_TIMEOUT_TCP_CLOSED;
	case FW_PROTOCOL_UDP:
	case FW_PROTOCOL_UDPLITE:
		return replied ? FW_TIMEOUT_UDP_REPLIED : FW_TIMEOUT_UDP_UNREPLIED;
	case FW_PROTOCOL_ICMP:
	case FW_PROTOCOL_ICMP6:
		return replied ? FW_TIMEOUT_ICMP_REPLIED : FW_TIMEOUT_ICMP_UNREPLIED;
	}
	return replied ? FW_TIMEOUT_OTHER_REPLIED : FW_TIMEOUT_OTHER_UNREPLIED;
}

/*
 * Belongs the flow to the assured ones, now that the originator has sent a packet? He goes on after
 * an answer; of TCP he has acknowledged the other's SYN, so that he is where he says.
 */
static __always_inline int fw_flow_is_assured(const struct fw_flow_entry *entry, __u8 protocol)
{
	__u32 both = entry->sides[FW_FLOW_ORIGINATOR].flags & entry->sides[FW_FLOW_RESPONDER].flags;

	if (protocol == FW_PROTOCOL_TCP)
		return both & FW_SIDE_ACKED && !(both & FW_SIDE_RESET);
	return both & FW_SIDE_SEEN;
}

/*
 * What a side of a flow has seen since it was copied: another CPU may have had the old entry in its
 * hands. Of TCP only established flows are copied, so all numbers are known in both.
 */
static __always_inline void fw_side_catch_up(struct fw_flow_side *side,
					     const struct fw_flow_side *seen)
{
	side->end = fw_later_of(side->end, seen->end);
	side->acked = fw_later_of(side->acked, seen->acked);
	side->allowed = fw_later_of(side->allowed, seen->allowed);
	side->window = fw_largest(side->window, seen->window);
	fw_side_add(side, seen->flags);
}

/* --- The packet that an ICMP error carries ------------------------------------------------- */

/* What is behind IP: ports, or the identifier of a query. False: nothing that tells a flow. */
static __always_inline int fw_inner_transport(const __u8 *at, struct fw_packet *ret, __u16 *ret_id)
{
	__u8 icmp = ret->family == FW_INET ? FW_PROTOCOL_ICMP : FW_PROTOCOL_ICMP6;

	switch (ret->protocol) {
	case FW_PROTOCOL_TCP:
	case FW_PROTOCOL_UDP:
	case FW_PROTOCOL_UDPLITE:
	case FW_PROTOCOL_SCTP:
	case FW_PROTOCOL_DCCP:
		fw_set_ports(ret, at);
		return 1;
	}
	if (ret->protocol == icmp) {
		ret->icmp_type = at[0];
		ret->has |= FW_HAS_ICMP;
		*ret_id = fw_load16(at + FW_ICMP_ID);
	}
	return 1;
}

/* Offset of the transport header in the IPv4 packet; 0: not to be had. */
static __always_inline __u32 fw_inner_inet(const __u8 bytes[FW_INNER_MAX], struct fw_packet *ret)
{
	__u32 length = (bytes[0] & 0xfU) * 4;

	if (bytes[0] >> 4 != 4 || length < FW_IPV4_HEADER || fw_load16(bytes + 6) & 0x1fff)
		return 0;
	ret->protocol = bytes[9];
	ret->source[0] = fw_load32(bytes + 12);
	ret->destination[0] = fw_load32(bytes + 16);
	return length;
}

static __always_inline __u32 fw_inner_inet6(const __u8 bytes[FW_INNER_MAX], struct fw_packet *ret)
{
	__u32 offset = FW_IPV6_HEADER, next = bytes[6];

	if (bytes[0] >> 4 != 6)
		return 0;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		ret->source[i] = fw_load32(bytes + 8 + 4 * i);
		ret->destination[i] = fw_load32(bytes + 24 + 4 * i);
	}
#pragma GCC unroll 3
	for (int i = 0; i < FW_INNER_EXTENSIONS; i++) {
		const __u8 *at = bytes + (offset & (FW_INNER_MAX - 1));

		if (!fw_is_extension(next))
			break;
		if (offset > FW_INNER_MAX - 8)
			return 0;
		if (next == FW_PROTOCOL_FRAGMENT && fw_load16(at + 2) & 0xfff8)
			return 0;
		offset += fw_extension_length(at, next);
		next = at[0];
	}
	ret->protocol = (__u8)next;
	return fw_is_extension(next) ? 0 : offset;
}

/*
 * The packet of which the first `length` bytes stand in `bytes`: family, addresses, protocol and
 * ports in *ret, which was cleared; the sequence number if it is TCP. False: its flow cannot be
 * told.
 */
static __always_inline int fw_inner_parse(const __u8 bytes[FW_INNER_MAX], __u32 length,
					  struct fw_packet *ret, __u16 *ret_id, __u32 *ret_sequence)
{
	__u32 offset;

	if (length < (ret->family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER))
		return 0;
	offset = ret->family == FW_INET ? fw_inner_inet(bytes, ret) : fw_inner_inet6(bytes, ret);
	if (!offset || offset > FW_INNER_MAX - 8 || offset + 8 > length)
		return 0;
	*ret_sequence = fw_load32(bytes + offset + 4);
	return fw_inner_transport(bytes + offset, ret, ret_id);
}

/*
 * May the flow's sender have sent a packet with this sequence number? Who cannot see the flow has
 * to guess it (RFC 5927).
 */
static __always_inline int fw_inner_fits(const struct fw_flow_side *sender,
					 const struct fw_flow_side *receiver, __u8 protocol,
					 __u32 sequence)
{
	if (!(sender->flags & FW_SIDE_SEEN))
		return 0;
	if (protocol != FW_PROTOCOL_TCP || sender->flags & FW_SIDE_LOOSE)
		return 1;
	return !fw_before(sender->end, sequence) &&
	       !fw_before(sequence, sender->end - fw_largest(receiver->window, FW_TCP_LAG) - 1);
}

#endif
