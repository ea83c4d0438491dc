/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A frame as it lies in memory (struct fw_frame), the packet that rules speak of (struct
 * fw_packet), and the one parser between them. Pure: no BPF helper is called, so the same source
 * runs in the kernel, under sanitizers, in fuzzers and in `fwctl explain`.
 */
#ifndef FW_PACKET_H
#define FW_PACKET_H

#include <linux/types.h>

#include "fw/reason.h"

enum fw_family {
	FW_OTHER, /* anything that is not IP: ARP, LLDP, ... */
	FW_INET,
	FW_INET6,
	FW_FAMILIES,
};

#define FW_NO_VLAN 0xffff

/* What the packet carries that a rule may ask about (struct fw_packet `has`). */
#define FW_HAS_PORTS	     (1 << 0) /* source_port and destination_port: TCP, UDP, SCTP, ... */
#define FW_HAS_FLAGS	     (1 << 1) /* tcp_flags */
#define FW_HAS_ICMP	     (1 << 2) /* icmp_type and icmp_code, of ICMP over IPv4 or ICMPv6 over IPv6 */
#define FW_HAS_MAC	     (1 << 3) /* source_mac and destination_mac: a link-layer header */
#define FW_IS_FRAGMENT	     (1 << 4) /* a fragment after the first: no ports, flags or ICMP type */
#define FW_IS_FIRST_FRAGMENT (1 << 5) /* others follow */

/* How the packet stands to recorded flows; a bit each, so that `state a, b` is one test. */
#define FW_STATE_NEW	     (1 << 0)
#define FW_STATE_ESTABLISHED (1 << 1)
#define FW_STATE_RELATED     (1 << 2)

/* Where a frame lies and what the hook knows of it besides its bytes. */
struct fw_frame {
	const void *data;     /* first byte of the link-layer header (or of IP if `layer3`) */
	const void *data_end; /* one past the last byte that may be read directly */
	__u32 length;	      /* bytes of the whole frame, also those beyond data_end */
	__u32 interface;      /* ifindex */
	__u16 stripped_vlan;  /* host order VID of a tag that hardware removed, or FW_NO_VLAN */
	__u16 layer3;	      /* host order ethertype if there is no link-layer header, else 0 */
};

/* Addresses, ports and lengths are in host order; unset fields are 0. */
struct fw_packet {
	__u32 source[4]; /* most significant word first; IPv4 stands in word 0 */
	__u32 destination[4];
	__u64 source_mac; /* 48 bits */
	__u64 destination_mac;
	__u64 source_sets; /* bit n: the address is in live set n */
	__u64 destination_sets;
	__u32 interface; /* ifindex */
	__u32 length;	 /* of the network packet: IPv4 total length, IPv6 payload length + 40 */
	__u16 source_port;
	__u16 destination_port;
	__u16 ethertype; /* behind all VLAN tags; the 802.3 length field of LLC frames is below 1536
			  */
	__u16 vlan;	 /* VID of the outermost tag; FW_NO_VLAN also for priority tags (VID 0) */
	__u8 family;	 /* enum fw_family */
	__u8 protocol;	 /* of the payload behind all extension headers */
	__u8 has;	 /* FW_HAS_*, FW_IS_FRAGMENT */
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 ttl; /* or hop limit */
	__u8 dscp;
	__u8 state;	   /* one of FW_STATE_* */
	__u8 network;	   /* offset of the IP header in the frame */
	__u16 transport;   /* offset of what is behind all extension headers */
	__u32 fragment_id; /* of fragments; IPv4 has one in every packet */
};

/*
 * The parser. Rules of the house, trap numbers as in docs/packet-path.md:
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

#define FW_ETHERNET_HEADER 14
#define FW_VLAN_TAG	   4
#define FW_MAX_VLAN_TAGS   2
#define FW_IPV4_HEADER	   20
#define FW_IPV6_HEADER	   40
#define FW_MAX_EXTENSIONS  8
#define FW_TCP_HEADER	   20
#define FW_UDP_HEADER	   8
#define FW_PORTS_HEADER	   12 /* SCTP common header, smallest DCCP header */
#define FW_ICMP_HEADER	   8
#define FW_ICMP6_HEADER	   4

#define FW_TCP_FIN 0x01
#define FW_TCP_SYN 0x02
#define FW_TCP_RST 0x04
#define FW_TCP_ACK 0x10

#define FW_ETHERTYPE_IPV4 0x0800
#define FW_ETHERTYPE_IPV6 0x86dd
#define FW_ETHERTYPE_ARP  0x0806

/* Tags: 802.1Q, 802.1ad, and the type that was used for QinQ before that. */
#define FW_ETHERTYPE_VLAN     0x8100
#define FW_ETHERTYPE_QINQ     0x88a8
#define FW_ETHERTYPE_QINQ_OLD 0x9100

#define FW_PROTOCOL_ICMP     1
#define FW_PROTOCOL_TCP	     6
#define FW_PROTOCOL_UDP	     17
#define FW_PROTOCOL_DCCP     33
#define FW_PROTOCOL_FRAGMENT 44
#define FW_PROTOCOL_AH	     51
#define FW_PROTOCOL_ICMP6    58
#define FW_PROTOCOL_SCTP     132
#define FW_PROTOCOL_UDPLITE  136

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#ifdef __clang__
#define FW_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define FW_ROLLED
#endif

/* Words in a frame stand at any address. x86-64 and arm64, and their BPF, read them there. */
typedef __u16 __attribute__((may_alias)) fw_raw16;
typedef __u32 __attribute__((may_alias)) fw_raw32;
typedef __u64 __attribute__((may_alias)) fw_raw64;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FW_SWAP16(value) __builtin_bswap16(value)
#define FW_SWAP32(value) __builtin_bswap32(value)
#define FW_SWAP64(value) __builtin_bswap64(value)
#else
#define FW_SWAP16(value) (value)
#define FW_SWAP32(value) (value)
#define FW_SWAP64(value) (value)
#endif

/* Network order at `at` to host order. */
static __always_inline __u16 fw_load16(const __u8 *at)
{
	return FW_SWAP16(*(const fw_raw16 *)at);
}

static __always_inline __u32 fw_load32(const __u8 *at)
{
	return FW_SWAP32(*(const fw_raw32 *)at);
}

static __always_inline __u64 fw_load64(const __u8 *at)
{
	return FW_SWAP64(*(const fw_raw64 *)at);
}

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
