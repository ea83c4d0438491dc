/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one parser, from a frame to the packet that rules speak of. Pure: no BPF helper is called, so
 * the same source runs in the kernel, under sanitizers, in fuzzers and in `fwctl explain`. Rules of
 * the house, trap numbers as in docs/packet-path.md:
 *
 *  - What a rule may ask about is read; nothing is verified that does not decide where a header
 *    is. Checksums are not: they may be left to the hardware (T19).
 *  - Lengths that contradict each other are malformed: a header has to lie inside its packet, and
 *    the packet inside its frame. Bytes behind the packet are padding (T4).
 *  - A header that the frame holds but that lies beyond data_end is FW_REASON_HEADER_NOT_LINEAR.
 *    The adapters make headers readable first, so this is never seen unless they could not (T9).
 *  - The current position is a pointer, never an offset that is added anew: the verifier follows a
 *    pointer through spills on every kernel, and its bounds are checked where it is read.
 *  - Loops are unrolled: clang may lay one out so that its body falls through into its head, which
 *    kernel 6.1 refuses ("back-edge from insn 62 to 63", clang 14; tests/prog/test_verifier.c).
 */
#ifndef FW_PARSE_H
#define FW_PARSE_H

#include "fw/packet.h"

/* Where the parser stands. */
struct fw_cursor {
	const __u8 *at;
	__u32 left;	      /* bytes from `at` to the end of the frame, of the packet behind IP */
	__u32 first_fragment; /* others follow: what is missing is split, not truncated */
};

/* `needed` bytes from the cursor cannot be read: are they not there, or not reachable? */
static __always_inline enum fw_reason fw_unreadable(const struct fw_cursor *cursor, __u32 needed,
						    enum fw_reason truncated)
{
	return cursor->left < needed ? truncated : FW_REASON_HEADER_NOT_LINEAR;
}

static __always_inline int fw_is_vlan(__u16 ethertype)
{
	return ethertype == FW_ETHERTYPE_VLAN || ethertype == FW_ETHERTYPE_QINQ ||
	       ethertype == FW_ETHERTYPE_QINQ_OLD;
}

/*
 * Looks through VLAN tags (T5). A tag that hardware took out is the outermost and counts like one
 * in the frame, so that both hooks see the same packet. VID 0 is only a priority: to the rules,
 * as to Linux, the next tag is then the outermost one.
 */
static __always_inline enum fw_reason
fw_parse_vlans(const struct fw_frame *frame, struct fw_cursor *cursor, struct fw_packet *packet)
{
	const __u8 *at = cursor->at;
	__u32 tags = frame->stripped_vlan != FW_NO_VLAN;

#pragma GCC unroll 3
	for (int i = 0; i <= FW_MAX_VLAN_TAGS; i++) {
		if (!fw_is_vlan(packet->ethertype))
			break;
		if (tags == FW_MAX_VLAN_TAGS)
			return FW_REASON_VLAN_TOO_MANY;
		if (at + FW_VLAN_TAG > (const __u8 *)frame->data_end)
			return fw_unreadable(cursor, FW_VLAN_TAG, FW_REASON_VLAN_TRUNCATED);
		if (packet->vlan == FW_NO_VLAN || packet->vlan == 0)
			packet->vlan = fw_load16(at) & 0xfff;
		packet->ethertype = fw_load16(at + 2);
		at += FW_VLAN_TAG;
		cursor->left -= FW_VLAN_TAG;
		tags++;
	}
	cursor->at = at;
	return FW_OK;
}

/* Link-layer header, VLAN tags, ethertype. */
static __always_inline enum fw_reason
fw_parse_link(const struct fw_frame *frame, struct fw_cursor *cursor, struct fw_packet *packet)
{
	const __u8 *at = cursor->at;
	enum fw_reason reason;

	packet->vlan = frame->stripped_vlan;
	if (frame->layer3) {
		packet->ethertype = frame->layer3;
	} else {
		if (at + FW_ETHERNET_HEADER > (const __u8 *)frame->data_end)
			return fw_unreadable(cursor, FW_ETHERNET_HEADER,
					     FW_REASON_ETHERNET_TRUNCATED);
		packet->destination_mac = fw_load64(at) >> 16;
		packet->source_mac = fw_load64(at + 6) >> 16;
		packet->ethertype = fw_load16(at + 12);
		packet->has = FW_HAS_MAC;
		cursor->at = at + FW_ETHERNET_HEADER;
		cursor->left -= FW_ETHERNET_HEADER;
	}
	if (packet->ethertype != FW_ETHERTYPE_IPV4) {
		reason = fw_parse_vlans(frame, cursor, packet);
		if (reason)
			return reason;
	}
	if (packet->vlan == 0)
		packet->vlan = FW_NO_VLAN;
	return FW_OK;
}

/*
 * A fragment after the first (T1): `offset` is that of the payload in bytes, `left` the bytes of
 * this fragment's payload. A TCP fragment at offset 8 could overwrite the flags of a first one
 * that was judged before (RFC 3128).
 */
static __always_inline enum fw_reason fw_parse_later_fragment(struct fw_packet *packet,
							      __u32 offset, __u32 left)
{
	if (offset == 8 && packet->protocol == FW_PROTOCOL_TCP)
		return packet->family == FW_INET ? FW_REASON_IPV4_TINY_FRAGMENT
						 : FW_REASON_IPV6_TINY_FRAGMENT;
	if (offset + left > 65535)
		return packet->family == FW_INET ? FW_REASON_IPV4_FRAGMENT_OVERFLOW
						 : FW_REASON_IPV6_FRAGMENT_OVERFLOW;
	packet->has |= FW_IS_FRAGMENT;
	return FW_OK;
}

/* Others follow. Without a branch: the verifier need not walk on for both cases. */
static __always_inline void fw_first_fragment(struct fw_packet *packet, __u32 more_follow)
{
	packet->has |= (__u8)(more_follow * FW_IS_FIRST_FRAGMENT);
}

/*
 * IPv4, RFC 791. A total length of 0 in a frame longer than 64 KiB is BIG TCP: segments that Linux
 * has merged or not yet split, whose length no header field can hold.
 */
static __always_inline enum fw_reason
fw_parse_inet(const struct fw_frame *frame, struct fw_cursor *cursor, struct fw_packet *packet)
{
	const __u8 *at = cursor->at;
	__u32 header_length, length, fragment;

	if (at + FW_IPV4_HEADER > (const __u8 *)frame->data_end)
		return fw_unreadable(cursor, FW_IPV4_HEADER, FW_REASON_IPV4_TRUNCATED);
	if (at[0] >> 4 != 4)
		return FW_REASON_IPV4_VERSION;
	header_length = (at[0] & 0xfU) * 4;
	if (header_length < FW_IPV4_HEADER)
		return FW_REASON_IPV4_HEADER_LENGTH;
	length = fw_load16(at + 2);
	if (length == 0) {
		/* Not left to the next test: kernel 6.1 walks on with a length known to be 0, and
		 * then header_length is both above 19 and at most 0 to it, and spoils `at`. */
		if (cursor->left <= 65535)
			return FW_REASON_IPV4_TOTAL_LENGTH;
		length = cursor->left;
	}
	if (length < header_length || length > cursor->left)
		return FW_REASON_IPV4_TOTAL_LENGTH;

	packet->family = FW_INET;
	packet->length = length;
	packet->dscp = at[1] >> 2;
	packet->ttl = at[8];
	packet->protocol = at[9];
	packet->source[0] = fw_load32(at + 12);
	packet->destination[0] = fw_load32(at + 16);

	cursor->left = length - header_length;
	cursor->at = at + header_length;
	fragment = fw_load16(at + 6);
	packet->fragment_id = fw_load16(at + 4);
	if (fragment & 0x1fff)
		return fw_parse_later_fragment(packet, (fragment & 0x1fff) * 8, cursor->left);
	cursor->first_fragment = fragment & 0x2000;
	fw_first_fragment(packet, fragment >> 13 & 1);
	return FW_OK;
}

/*
 * IPv6 extension headers that are walked (T3): hop-by-hop 0, routing 43, fragment 44, AH 51,
 * destination options 60, mobility 135, HIP 139, shim6 140 (RFC 7045). ESP, no-next and everything
 * else end the walk: they are the payload's protocol.
 */
#define FW_EXTENSIONS_LOW  (1ULL << 0 | 1ULL << 43 | 1ULL << 44 | 1ULL << 51 | 1ULL << 60)
#define FW_EXTENSIONS_HIGH (1ULL << (135 - 128) | 1ULL << (139 - 128) | 1ULL << (140 - 128))

static __always_inline int fw_is_extension(__u32 next)
{
	__u64 extensions = 0;

	if (next < 64)
		extensions = FW_EXTENSIONS_LOW;
	else if (next >= 128 && next < 192)
		extensions = FW_EXTENSIONS_HIGH;
	return (extensions >> (next & 63)) & 1;
}

/*
 * Bytes of the extension header at `at`: AH counts words of 4 less 2, a fragment header is 8 and
 * its second byte reserved, the others count words of 8 less 1 (RFC 8200, 4302). Without branches,
 * so that each turn of the walk leaves the verifier one state and not three; without a variable
 * shift, behind which it knows no bounds.
 */
static __always_inline __u32 fw_extension_length(const __u8 *at, __u32 next)
{
	__u32 ah = (1ULL << FW_PROTOCOL_AH >> (next & 63)) & 1;
	__u32 fragment = (1ULL << FW_PROTOCOL_FRAGMENT >> (next & 63)) & 1;
	__u32 more = at[1] * 4U & (fragment - 1);

	return 8 + more + (more & (ah - 1));
}

/* Ends at the first header that is no extension, or behind the header of a later fragment. */
static __always_inline enum fw_reason
fw_walk_extensions(const struct fw_frame *frame, struct fw_cursor *cursor, struct fw_packet *packet)
{
	const __u8 *at = cursor->at;
	__u32 next = packet->protocol, left = cursor->left;
	__u32 fragment, length;

#pragma GCC unroll 8
	for (int i = 0; i < FW_MAX_EXTENSIONS; i++) {
		if (!fw_is_extension(next))
			break;
		length = 8;
		if (left < 8)
			goto truncated;
		if (at + 8 > (const __u8 *)frame->data_end)
			return FW_REASON_HEADER_NOT_LINEAR;
		length = fw_extension_length(at, next);
		if (left < length)
			goto truncated;
		left -= length;
		if (next == FW_PROTOCOL_FRAGMENT) {
			fragment = fw_load16(at + 2);
			packet->protocol = at[0];
			packet->fragment_id = fw_load32(at + 4);
			if (fragment & 0xfff8)
				return fw_parse_later_fragment(packet, fragment & 0xfff8, left);
			cursor->first_fragment = fragment & 1;
			fw_first_fragment(packet, fragment & 1);
		}
		next = at[0];
		at += length;
	}
	if (fw_is_extension(next))
		return FW_REASON_IPV6_EXTENSION_LIMIT;
	packet->protocol = (__u8)next;
	cursor->at = at;
	cursor->left = left;
	return FW_OK;

truncated:
	return cursor->first_fragment ? FW_REASON_IPV6_TINY_FRAGMENT
				      : FW_REASON_IPV6_EXTENSION_TRUNCATED;
}

/*
 * IPv6, RFC 8200. A payload length of 0 in a frame longer than 64 KiB is BIG TCP or a jumbogram
 * (RFC 2675); in a shorter frame it says that there is no payload.
 */
static __always_inline enum fw_reason
fw_parse_inet6(const struct fw_frame *frame, struct fw_cursor *cursor, struct fw_packet *packet)
{
	const __u8 *at = cursor->at;
	__u32 length;

	if (at + FW_IPV6_HEADER > (const __u8 *)frame->data_end)
		return fw_unreadable(cursor, FW_IPV6_HEADER, FW_REASON_IPV6_TRUNCATED);
	if (at[0] >> 4 != 6)
		return FW_REASON_IPV6_VERSION;
	length = fw_load16(at + 4) + FW_IPV6_HEADER;
	if (length == FW_IPV6_HEADER && cursor->left > FW_IPV6_HEADER + 65535)
		length = cursor->left;
	if (length > cursor->left)
		return FW_REASON_IPV6_PAYLOAD_LENGTH;

	packet->family = FW_INET6;
	packet->length = length;
	packet->dscp = (fw_load16(at) >> 6) & 0x3f;
	packet->protocol = at[6];
	packet->ttl = at[7];
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		packet->source[i] = fw_load32(at + 8 + 4 * i);
		packet->destination[i] = fw_load32(at + 24 + 4 * i);
	}

	cursor->at = at + FW_IPV6_HEADER;
	cursor->left = length - FW_IPV6_HEADER;
	return fw_walk_extensions(frame, cursor, packet);
}

/* The packet ends within its transport header: `truncated`, or split over fragments (RFC 1858). */
static __always_inline enum fw_reason fw_short_transport(const struct fw_cursor *cursor,
							 const struct fw_packet *packet,
							 enum fw_reason truncated)
{
	if (!cursor->first_fragment)
		return truncated;
	return packet->family == FW_INET ? FW_REASON_IPV4_TINY_FRAGMENT
					 : FW_REASON_IPV6_TINY_FRAGMENT;
}

static __always_inline void fw_set_ports(struct fw_packet *packet, const __u8 *at)
{
	__u32 ports = fw_load32(at);

	packet->source_port = ports >> 16;
	packet->destination_port = ports & 0xffff;
	packet->has |= FW_HAS_PORTS;
}

/* RFC 9293. Options may run into the next fragment: rules do not ask about them. */
static __always_inline enum fw_reason
fw_parse_tcp(const struct fw_frame *frame, const struct fw_cursor *cursor, struct fw_packet *packet)
{
	const __u8 *at = cursor->at;
	__u32 header_length;

	if (cursor->left < FW_TCP_HEADER)
		return fw_short_transport(cursor, packet, FW_REASON_TCP_TRUNCATED);
	if (at + FW_TCP_HEADER > (const __u8 *)frame->data_end)
		return FW_REASON_HEADER_NOT_LINEAR;
	header_length = (at[12] >> 4) * 4U;
	if (header_length < FW_TCP_HEADER)
		return FW_REASON_TCP_HEADER_LENGTH;
	if (header_length > cursor->left && !cursor->first_fragment)
		return FW_REASON_TCP_HEADER_LENGTH;
	fw_set_ports(packet, at);
	packet->tcp_flags = at[13];
	packet->has |= FW_HAS_FLAGS;
	return FW_OK;
}

/*
 * RFC 768. A first fragment tells the length of the whole datagram, and a length of 0 is that of a
 * jumbogram (RFC 2675), which the field cannot hold.
 */
static __always_inline enum fw_reason
fw_parse_udp(const struct fw_frame *frame, const struct fw_cursor *cursor, struct fw_packet *packet)
{
	const __u8 *at = cursor->at;
	__u32 length;

	if (cursor->left < FW_UDP_HEADER)
		return fw_short_transport(cursor, packet, FW_REASON_UDP_TRUNCATED);
	if (at + FW_UDP_HEADER > (const __u8 *)frame->data_end)
		return FW_REASON_HEADER_NOT_LINEAR;
	length = fw_load16(at + 4);
	if (length - FW_UDP_HEADER > cursor->left - FW_UDP_HEADER && cursor->left <= 65535 &&
	    (length < FW_UDP_HEADER || !cursor->first_fragment))
		return FW_REASON_UDP_LENGTH;
	fw_set_ports(packet, at);
	return FW_OK;
}

/*
 * UDP-Lite (RFC 3828: its length field is a checksum coverage), SCTP (RFC 9260), DCCP (RFC 4340):
 * the ports stand where UDP has them.
 */
static __always_inline enum fw_reason fw_parse_ports(const struct fw_frame *frame,
						     const struct fw_cursor *cursor,
						     struct fw_packet *packet)
{
	__u32 needed = FW_PORTS_HEADER;
	enum fw_reason truncated = FW_REASON_SCTP_TRUNCATED;

	if (packet->protocol == FW_PROTOCOL_UDPLITE) {
		needed = FW_UDP_HEADER;
		truncated = FW_REASON_UDP_TRUNCATED;
	} else if (packet->protocol == FW_PROTOCOL_DCCP) {
		truncated = FW_REASON_DCCP_TRUNCATED;
	}
	if (cursor->left < needed)
		return fw_short_transport(cursor, packet, truncated);
	if (cursor->at + 4 > (const __u8 *)frame->data_end)
		return FW_REASON_HEADER_NOT_LINEAR;
	fw_set_ports(packet, cursor->at);
	return FW_OK;
}

/* RFC 792 and RFC 4443. */
static __always_inline enum fw_reason fw_parse_icmp(const struct fw_frame *frame,
						    const struct fw_cursor *cursor,
						    struct fw_packet *packet)
{
	const __u8 *at = cursor->at;

	if (packet->family == FW_INET && cursor->left < FW_ICMP_HEADER)
		return fw_short_transport(cursor, packet, FW_REASON_ICMP_TRUNCATED);
	if (cursor->left < FW_ICMP6_HEADER)
		return fw_short_transport(cursor, packet, FW_REASON_ICMP6_TRUNCATED);
	if (at + FW_ICMP6_HEADER > (const __u8 *)frame->data_end)
		return FW_REASON_HEADER_NOT_LINEAR;
	packet->icmp_type = at[0];
	packet->icmp_code = at[1];
	packet->has |= FW_HAS_ICMP;
	return FW_OK;
}

/* ICMP is that of its own family: ICMPv6 over IPv4 is a protocol without types. */
static __always_inline enum fw_reason fw_parse_transport(const struct fw_frame *frame,
							 const struct fw_cursor *cursor,
							 struct fw_packet *packet)
{
	__u8 icmp = packet->family == FW_INET ? FW_PROTOCOL_ICMP : FW_PROTOCOL_ICMP6;
	__u8 protocol = packet->protocol;

	if (protocol == FW_PROTOCOL_TCP)
		return fw_parse_tcp(frame, cursor, packet);
	if (protocol == FW_PROTOCOL_UDP)
		return fw_parse_udp(frame, cursor, packet);
	if (protocol == icmp)
		return fw_parse_icmp(frame, cursor, packet);
	if (protocol == FW_PROTOCOL_SCTP || protocol == FW_PROTOCOL_UDPLITE ||
	    protocol == FW_PROTOCOL_DCCP)
		return fw_parse_ports(frame, cursor, packet);
	return FW_OK;
}

/*
 * What rules may ask about the frame, or why it is malformed. `packet` is set wholly in either
 * case; of a malformed one it holds what was read until then, for the log.
 */
static __always_inline enum fw_reason fw_parse(const struct fw_frame *frame,
					       struct fw_packet *packet)
{
	struct fw_cursor cursor = {
		.at = frame->data,
		.left = frame->length,
	};
	enum fw_reason reason;

	__builtin_memset(packet, 0, sizeof(*packet));
	packet->interface = frame->interface;
	reason = fw_parse_link(frame, &cursor, packet);
	if (reason)
		return reason;
	packet->network = (__u8)(frame->length - cursor.left);
	if (packet->ethertype == FW_ETHERTYPE_IPV4)
		reason = fw_parse_inet(frame, &cursor, packet);
	else if (packet->ethertype == FW_ETHERTYPE_IPV6)
		reason = fw_parse_inet6(frame, &cursor, packet);
	else
		return FW_OK;
	if (reason || packet->has & FW_IS_FRAGMENT)
		return reason;
	packet->transport = (__u16)(packet->network + packet->length - cursor.left);
	return fw_parse_transport(frame, &cursor, packet);
}

#endif
