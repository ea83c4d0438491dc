/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYN cookies: what XDP answers to a SYN for which the host must keep nothing, and what it counts.
 * Pure: the cookie itself is the kernel's (fw/cookie.bpf.h), so that the host's listener knows it
 * again.
 */
#ifndef FW_COOKIE_H
#define FW_COOKIE_H

#include "fw/answer.h"

/*
 * What became of the packets of rules with `syncookie`: they are counted behind those of rules that
 * reject (fw/ticket.h). The first three are SYNs.
 */
enum fw_cookie_outcome {
	FW_COOKIE_PASSED,   /* within `option syncookie-after`: the host answers */
	FW_COOKIE_DECLINED, /* above it, and the host has to answer all the same */
	FW_COOKIE_SENT,	    /* answered here */
	FW_COOKIE_RIGHT,    /* an acknowledgement of a cookie: its flow is recorded */
	FW_COOKIE_WRONG,    /* one of no cookie, and of no flow */
	FW_COOKIE_OUTCOMES,
};

/* A MAC address that an interface has: what is sent to another one is not for this host. */
struct fw_own_mac {
	__u64 mac; /* as in struct fw_packet */
	__u32 interface;
	__u32 pad;
};

#define FW_OWN_MACS 4096

/*
 * The window of the answer, which is never scaled: ten segments, as much as anyone sends before he
 * has heard of the host itself.
 */
#define FW_COOKIE_WINDOW 14600

#define FW_COOKIE_HEADER (FW_TCP_HEADER + 4) /* with the one option that it has */
#define FW_SYN_MOST	 60		     /* bytes of a TCP header */

/* The SYN's headers and the answer. The verifier wants room for more. */
struct fw_cookie_room {
	__u8 segment[64]; /* TCP header with its options */
	struct fw_answer_room answer;
};

/*
 * The answer to the SYN in the room, with `header` bytes of TCP header: those behind the option end
 * the options. Below FW_COOKIE_HEADER it has none. Returns its bytes.
 *
 * No other option: what timestamps, window scale and SACK would need can only be kept in a
 * timestamp whose secret offset the kernel does not tell (docs/adr/0007-syncookies.md).
 */
static __always_inline __u32 fw_cookie_answer(struct fw_cookie_room *room, const __u32 family,
					      __u32 cookie, __u32 mss, __u32 header)
{
	const __u32 network = family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER;
	__u64 sum = fw_answer_header(&room->answer, family, FW_PROTOCOL_TCP, header);
	const __u8 *syn = room->segment;
	__u8 *to = room->answer.answer + network;

	fw_store32(to, fw_load32(syn) << 16 | fw_load32(syn) >> 16);
	fw_store32(to + 4, cookie);
	fw_store32(to + 8, fw_load32(syn + 4) + 1);
	fw_store32(to + 12, header << 26 | (FW_TCP_SYN | FW_TCP_ACK) << 16 | FW_COOKIE_WINDOW);
#pragma GCC unroll 11
	for (__u32 i = 16; i < FW_SYN_MOST; i += 4)
		fw_store32(to + i, 0);
	if (header >= FW_COOKIE_HEADER)
		fw_store32(to + FW_TCP_HEADER, 2 << 24 | 4 << 16 | mss);
	*(fw_raw16 *)(to + 16) = fw_checksum(sum + fw_sum(to, FW_COOKIE_HEADER));
	return network + header;
}

/* How long the answer's TCP header is, to a SYN with `header` bytes of it: it must fit in `room`.
 */
static __always_inline __u32 fw_cookie_header(__u32 header, __u32 room)
{
	if (header < FW_COOKIE_HEADER)
		header = FW_COOKIE_HEADER;
	return header > room ? FW_TCP_HEADER : header;
}

#endif
