/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answers to packets that a rule rejects: which of them may be answered at all, and what the answer
 * says. Pure: no BPF helper is called. Who carries a packet to the program that answers, and the
 * answer to the sender, stands in fw/ticket.bpf.h and tc/fw_answer.bpf.c.
 *
 * The answer comes from the address that the packet was for: a TCP reset (RFC 9293, 3.10.7.1), else
 * "port unreachable" (RFC 792, RFC 4443) with as much of the packet as these allow.
 */
#ifndef FW_ANSWER_H
#define FW_ANSWER_H

#include "fw/packet.h"

enum fw_answer_kind {
	FW_ANSWER_NONE, /* answering would be wrong, or make things worse */
	FW_ANSWER_RESET,
	FW_ANSWER_UNREACHABLE,
};

#define FW_LOOPBACK 1 /* ifindex, in every network namespace */

/* Does the address name one host (RFC 1122, 3.2.2; RFC 4443, 2.4 e)? */
static __always_inline int fw_is_one_host(const __u32 address[4], __u32 family, __u32 interface)
{
	__u32 first = address[0] >> 24;

	if (family == FW_INET)
		return first != 0 && first < 224 && (first != 127 || interface == FW_LOOPBACK);
	if (first == 0xff)
		return 0;
	if (address[0] | address[1])
		return 1;
	if (address[2] == 0 && address[3] <= 1) /* :: and ::1 */
		return address[3] == 1 && interface == FW_LOOPBACK;
	return address[2] != 0xffff; /* an IPv4 address in disguise */
}

/* An ICMP message that asks or tells something: errors, and what routers say, are not answered. */
static __always_inline int fw_icmp_is_answered(const struct fw_packet *packet)
{
	const __u32 informational = 1U << 0 | 1U << 8 | 0x3fU << 13; /* echo; 13 to 18: queries */

	if (packet->family == FW_INET)
		return packet->icmp_type < 32 && informational >> (packet->icmp_type & 31) & 1;
	return packet->icmp_type >= 128 && packet->icmp_type != 137;
}

/* Bit 40 of a MAC address: a group's. */
#define FW_MAC_GROUP (1ULL << 40)

static __always_inline enum fw_answer_kind fw_answer_to(const struct fw_packet *packet)
{
	if (packet->family == FW_OTHER || packet->has & (FW_IS_FRAGMENT | FW_IS_FIRST_FRAGMENT))
		return FW_ANSWER_NONE;
	if ((packet->destination_mac | packet->source_mac) & FW_MAC_GROUP)
		return FW_ANSWER_NONE;
	if (!fw_is_one_host(packet->source, packet->family, packet->interface) ||
	    !fw_is_one_host(packet->destination, packet->family, packet->interface))
		return FW_ANSWER_NONE;
	if (packet->has & FW_HAS_FLAGS)
		return packet->tcp_flags & FW_TCP_RST ? FW_ANSWER_NONE : FW_ANSWER_RESET;
	if (packet->has & FW_HAS_ICMP && !fw_icmp_is_answered(packet))
		return FW_ANSWER_NONE;
	return FW_ANSWER_UNREACHABLE;
}

/* --- What the answer looks like ------------------------------------------------------------ */

#define FW_ANSWER_HOPS	 64
#define FW_ANSWER_INET	 576  /* bytes of an ICMP error, its IP header included */
#define FW_ANSWER_INET6	 1280 /* the same for ICMPv6 */
#define FW_ANSWER_MOST	 FW_ANSWER_INET6
#define FW_RESET_SEGMENT FW_TCP_HEADER

/* Bytes before the packet that an ICMP error quotes. */
#define FW_QUOTE_INET  (FW_IPV4_HEADER + 8)
#define FW_QUOTE_INET6 (FW_IPV6_HEADER + 8)

/*
 * The rejected packet's headers and the answer, behind which there may be four bytes of zeros; the
 * verifier wants room for more.
 */
struct fw_answer_room {
	__u8 header[FW_IPV6_HEADER]; /* IP header without options */
	__u8 segment[FW_TCP_HEADER];
	__u8 pad[4];
	__u8 answer[2048 + 64];
};

static __always_inline void fw_store16(__u8 *at, __u16 value)
{
	*(fw_raw16 *)at = FW_SWAP16(value);
}

static __always_inline void fw_store32(__u8 *at, __u32 value)
{
	*(fw_raw32 *)at = FW_SWAP32(value);
}

/* Sum of 32-bit words in memory order: its checksum is in memory order too (RFC 1071). */
static __always_inline __u64 fw_sum(const __u8 *at, const __u32 bytes)
{
	__u64 sum = 0;

#pragma GCC unroll 10
	for (__u32 i = 0; i < bytes; i += 4)
		sum += *(const fw_raw32 *)(at + i);
	return sum;
}

/*
 * The same, for what is longer and only known when it runs; behind `bytes` are zeros. clang must
 * not know that they are few enough: it would drop the loop's bound, which the verifier needs.
 */
static __always_inline __u64 fw_sum_long(const __u8 *at, __u32 bytes)
{
	__u64 sum = 0;

	asm volatile("" : "+r"(bytes));
	FW_ROLLED
	for (__u32 i = 0; i < FW_ANSWER_MOST / 4; i++) {
		if (i * 4 >= bytes)
			break;
		sum += *(const fw_raw32 *)(at + (__u64)i * 4);
	}
	return sum;
}

static __always_inline __u16 fw_checksum(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

static __always_inline void fw_copy(__u8 *to, const __u8 *from, const __u32 bytes)
{
#pragma GCC unroll 10
	for (__u32 i = 0; i < bytes; i += 4)
		*(fw_raw32 *)(to + i) = *(const fw_raw32 *)(from + i);
}

/*
 * The IP header of an answer with `payload` bytes of `protocol`, back to where the packet came
 * from. Returns the sum of the pseudo header.
 */
static __always_inline __u64 fw_answer_header(struct fw_answer_room *room, __u32 family,
					      __u32 protocol, __u32 payload)
{
	__u8 *to = room->answer;

	if (family == FW_INET) {
		fw_store32(to, 0x45000000 | (FW_IPV4_HEADER + payload));
		fw_store32(to + 4, 0x00004000); /* not to be fragmented */
		fw_store32(to + 8, FW_ANSWER_HOPS << 24 | protocol << 16);
		fw_copy(to + 12, room->header + 16, 4);
		fw_copy(to + 16, room->header + 12, 4);
		*(fw_raw16 *)(to + 10) = fw_checksum(fw_sum(to, FW_IPV4_HEADER));
		return fw_sum(to + 12, 8) + FW_SWAP32(protocol << 16 | payload);
	}
	fw_store32(to, 0x60000000);
	fw_store32(to + 4, payload << 16 | protocol << 8 | FW_ANSWER_HOPS);
	fw_copy(to + 8, room->header + 24, 16);
	fw_copy(to + 24, room->header + 8, 16);
	return fw_sum(to + 8, 32) + FW_SWAP32(payload) + FW_SWAP32(protocol);
}

/*
 * The reset to room->segment, which has `length` bytes from its TCP header on: in the sender's
 * window if it told where that is, else an acknowledgement of all that it sent. Returns the
 * answer's bytes.
 */
static __always_inline __u32 fw_answer_reset(struct fw_answer_room *room, __u32 family,
					     __u32 length)
{
	const __u32 header = family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER;
	__u64 sum = fw_answer_header(room, family, FW_PROTOCOL_TCP, FW_RESET_SEGMENT);
	const __u8 *segment = room->segment;
	__u8 *to = room->answer + header;
	__u32 flags = segment[13];
	__u32 occupied = length - (segment[12] >> 4) * 4U + (flags & FW_TCP_FIN) +
			 (flags & FW_TCP_SYN) / FW_TCP_SYN;

	fw_store32(to, fw_load32(segment) << 16 | fw_load32(segment) >> 16);
	if (flags & FW_TCP_ACK) {
		fw_copy(to + 4, segment + 8, 4);
		fw_store32(to + 8, 0);
		fw_store32(to + 12, 0x50000000 | FW_TCP_RST << 16);
	} else {
		fw_store32(to + 4, 0);
		fw_store32(to + 8, fw_load32(segment + 4) + occupied);
		fw_store32(to + 12, 0x50000000 | (FW_TCP_RST | FW_TCP_ACK) << 16);
	}
	fw_store32(to + 16, 0);
	*(fw_raw16 *)(to + 16) = fw_checksum(sum + fw_sum(to, FW_RESET_SEGMENT));
	return header + FW_RESET_SEGMENT;
}

/* Where the quoted packet begins in the answer, and how much of it there may be at most. */
static __always_inline __u32 fw_quote_offset(__u32 family)
{
	return family == FW_INET ? FW_QUOTE_INET : FW_QUOTE_INET6;
}

static __always_inline __u32 fw_quote_length(__u32 family, __u32 length)
{
	__u32 most = family == FW_INET ? FW_ANSWER_INET - FW_QUOTE_INET
				       : FW_ANSWER_INET6 - FW_QUOTE_INET6;

	return length < most ? length : most;
}

/* "Port unreachable", around the quote that is in its place with zeros behind. */
static __always_inline __u32 fw_answer_unreachable(struct fw_answer_room *room, __u32 family,
						   __u32 quoted)
{
	__u64 sum;
	__u8 *to;

	if (family == FW_INET) {
		fw_answer_header(room, family, FW_PROTOCOL_ICMP, 8 + quoted);
		to = room->answer + FW_IPV4_HEADER;
		fw_store32(to, 3 << 24 | 3 << 16);
		sum = 0;
	} else {
		sum = fw_answer_header(room, family, FW_PROTOCOL_ICMP6, 8 + quoted);
		to = room->answer + FW_IPV6_HEADER;
		fw_store32(to, 1 << 24 | 4 << 16);
	}
	fw_store32(to + 4, 0);
	*(fw_raw16 *)(to + 2) = fw_checksum(sum + fw_sum_long(to, 8 + quoted));
	return fw_quote_offset(family) + quoted;
}

#endif
