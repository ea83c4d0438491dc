/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a rejected packet gets to the program that answers it, which stands at TC ingress of the same
 * interface: it is marked in place and goes there by itself (from XDP) or by a redirect (from TC
 * egress). The mark makes it a packet that no IP stack takes: the top bit of its version is set.
 * Four bytes of an address make room for a number that nobody outside can know; what they were,
 * and what else the answer needs, stays in the ticket of that number.
 */
#ifndef FW_TICKET_H
#define FW_TICKET_H

#include <linux/types.h>

#define FW_TICKETS	1024U /* packets on their way at a time; the next one takes the oldest's */
#define FW_TICKET_PLACE 16    /* in the IP header of both families, an address: our number */
#define FW_TICKET_MARK	0x80  /* in the first byte of the IP header */
#define FW_TICKET_VALID (1U << 31)
#define FW_TICKET_ANSWER                                                        \
	2 /* in place of a hook: of an answer that must not be judged at egress \
	   */

struct fw_ticket {
	__u32 number;	 /* its low bits are the place in the table; 0: free */
	__u32 replaced;	 /* the four bytes */
	__u32 length;	 /* of the IP packet */
	__u16 transport; /* offset of the transport header in it */
	__u8 hook;	 /* where it was rejected */
	__u8 answer;	 /* enum fw_answer_kind */
};

/* The only value of the map fw_answers. */
struct fw_answers {
	__u64 bucket;	     /* of the rate; fw/limit.h */
	__u64 cookie_bucket; /* of the rate of SYNs that rules with `syncookie` pass */
	__u32 cursor;
	__u32 pad;
	struct fw_ticket tickets[FW_TICKETS];
};

/* What became of rejected packets: fw_answer_count has a struct fw_counter for each, per hook. */
enum fw_answer_outcome {
	FW_ANSWER_SENT,
	FW_ANSWER_LIMITED,  /* over the rate */
	FW_ANSWER_WITHHELD, /* a broadcast, a fragment, an ICMP error, a reset, ... */
	FW_ANSWER_FAILED,   /* the kernel could not */
	FW_ANSWER_OUTCOMES,
};

/* Behind those of the last hook stand those of SYN cookies (fw/cookie.h). */
#define FW_ANSWER_INDEX(hook, outcome) ((hook)*FW_ANSWER_OUTCOMES + (outcome))

#endif
