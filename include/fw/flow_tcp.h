/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How TCP segments change a flow: does a segment fit (windows as in van Rooij, "Real Stateful TCP
 * Packet Filtering in IP Filter", and in nf_conntrack_proto_tcp.c), and what does it leave behind.
 * Pure: the same source in the kernel and under sanitizers.
 *
 * A side is written by its own packets only, so there is no state word that both would change:
 * what the flow is at follows from the flags of both sides. Nothing but a side's own words is
 * remembered, and a packet that is seen twice (on both hooks of a router, or sent again) changes
 * nothing the second time.
 */
#ifndef FW_FLOW_TCP_H
#define FW_FLOW_TCP_H

#include "fw/flows.h"

#define FW_TCP_URG 0x20

#define FW_TCP_OPTIONS	 40
#define FW_TCP_SCALE_MAX 14
#define FW_NO_SCALE	 0xff

/* A segment may lag behind by so much, or by the largest window if that is more. */
#define FW_TCP_LAG 66000U

/* A segment whose first fragment was seen may have so much more. */
#define FW_TCP_SEGMENT_MOST 65535U

struct fw_segment {
	__u32 sequence;
	__u32 end; /* behind its last octet, SYN and FIN counted */
	__u32 acknowledgement;
	__u32 window; /* as it stands there, not scaled */
	__u8 flags;
	__u8 scale;	  /* of a SYN's option, or FW_NO_SCALE */
	__u8 is_fragment; /* FW_IS_FIRST_FRAGMENT or 0: `end` is behind what that one has */
	__u8 pad;
};

enum fw_fit {
	FW_FIT_NONE,  /* does not belong to the flow */
	FW_FIT_STALE, /* belongs to it, but changes nothing: too old, or to be challenged */
	FW_FIT_YES,
	FW_FIT_REOPEN, /* a new connection of the same name: the flow is over */
	/* Of fw_tcp_fit() only: */
	FW_FIT_ANEW,	 /* a SYN within the connection: stale, but remembered */
	FW_FIT_ANSWERED, /* answers that SYN: the connection was over, unseen */
};

/* a comes before b, modulo 2^32. */
static __always_inline int fw_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

static __always_inline __u32 fw_later_of(__u32 a, __u32 b)
{
	return fw_before(a, b) ? b : a;
}

static __always_inline __u32 fw_largest(__u32 a, __u32 b)
{
	return a < b ? b : a;
}

/*
 * Makes the verifier forget what it knows of a number, by one that it knows nothing of: else it
 * walks a loop once for each way to get at the number.
 */
static __always_inline __u32 fw_hide(__u32 value, __u32 unknown)
{
	value ^= unknown;
	asm volatile("" : "+r"(value));
	return value ^ unknown;
}

/*
 * The shift of the window scale option (RFC 7323) of a SYN with so many bytes of options, or
 * FW_NO_SCALE. Walks bytes, not options, so that each turn looks at a place known before.
 */
static __always_inline __u8 fw_tcp_scale(const __u8 options[FW_TCP_OPTIONS], __u32 length)
{
	__u32 next = 0;
	__u8 scale = FW_NO_SCALE;

	FW_ROLLED
	for (__u32 i = 0; i + 2 < FW_TCP_OPTIONS; i++) {
		__u32 is_scale;

		next = fw_hide(next, options[i]);
		if (i != next || i >= length || options[i] == 0)
			continue; /* within an option, or behind the last */
		next = i + 1;
		if (options[i] == 1)
			continue;
		is_scale = options[i] == 3 && options[i + 1] == 3 && i + 3 <= length;
		if (is_scale)
			scale = options[i + 2] > FW_TCP_SCALE_MAX ? FW_TCP_SCALE_MAX
								  : options[i + 2];
		/* A length below 2 ends the walk: no place is reached any more. */
		next = options[i + 1] < 2 ? FW_TCP_OPTIONS : i + options[i + 1];
	}
	return scale;
}

/* Flags that a segment of a connection can have together. PSH, ECE, CWR and AE say nothing. */
static __always_inline int fw_tcp_flags_are_sane(__u8 flags)
{
	switch (flags & (FW_TCP_FIN | FW_TCP_SYN | FW_TCP_RST | FW_TCP_ACK)) {
	case FW_TCP_SYN:
	case FW_TCP_SYN | FW_TCP_ACK:
	case FW_TCP_ACK:
	case FW_TCP_FIN | FW_TCP_ACK:
		return 1;
	case FW_TCP_RST:
	case FW_TCP_RST | FW_TCP_ACK:
		return !(flags & FW_TCP_URG);
	}
	return 0;
}

/* A segment that asks for a connection. */
static __always_inline int fw_tcp_opens(__u8 flags)
{
	return (flags & (FW_TCP_FIN | FW_TCP_SYN | FW_TCP_RST | FW_TCP_ACK)) == FW_TCP_SYN;
}

static __always_inline enum fw_flow_state fw_tcp_state(__u32 originator, __u32 responder)
{
	__u32 any = originator | responder, both = originator & responder;

	if (any & FW_SIDE_RESET)
		return FW_FLOW_CLOSED;
	if (both & FW_SIDE_FIN && both & FW_SIDE_FIN_ACKED)
		return FW_FLOW_TIME_WAIT;
	if (any & FW_SIDE_FIN)
		return FW_FLOW_CLOSING;
	if (both & FW_SIDE_ACKED)
		return FW_FLOW_ESTABLISHED;
	if (responder & FW_SIDE_SEEN || originator & FW_SIDE_LOOSE)
		return FW_FLOW_SYN_RECEIVED;
	return FW_FLOW_SYN_SENT;
}

/* What a side's window field is to be shifted by. SYNs themselves are never scaled. */
static __always_inline __u32 fw_tcp_shift(const struct fw_flow_side *sender,
					  const struct fw_flow_side *receiver)
{
	if (sender->flags & receiver->flags & FW_SIDE_SCALES)
		return FW_SIDE_SCALE(sender->flags);
	return 0;
}

/* How far the sender may send. Until it was acknowledged anything, what the SYN offered. */
static __always_inline __u32 fw_tcp_limit(const struct fw_flow_side *sender,
					  const struct fw_flow_side *receiver)
{
	if (receiver->flags & FW_SIDE_ACKED)
		return receiver->allowed;
	return sender->start + fw_largest(receiver->window, 65535);
}

/* Behind what the sender may have sent. */
static __always_inline __u32 fw_tcp_most(const struct fw_flow_side *sender)
{
	return sender->end + (sender->flags & FW_SIDE_FRAGMENTS ? FW_TCP_SEGMENT_MOST : 0);
}

/* Does the segment acknowledge the SYN that the receiver sent within the connection? */
static __always_inline __u32 fw_tcp_answers_anew(const struct fw_flow_side *receiver,
						 const struct fw_segment *segment)
{
	return receiver->flags & FW_SIDE_ANEW && segment->flags & FW_TCP_ACK &&
	       segment->acknowledgement == receiver->start;
}

/*
 * A SYN, alone or with ACK, that a side sends: the first one, the same again, one that answers or
 * crosses the other's; or one within a connection. That one its receiver will challenge (RFC 9293,
 * 3.10.7.4), or answer if it knows nothing of the connection any more: its end was not seen here.
 */
static __always_inline enum fw_fit fw_tcp_fit_syn(const struct fw_flow_side *sender,
						  const struct fw_flow_side *receiver,
						  const struct fw_segment *segment)
{
	enum fw_flow_state state = fw_tcp_state(sender->flags, receiver->flags);
	__u32 is_again = (sender->flags & (FW_SIDE_SYN | FW_SIDE_ANEW)) == FW_SIDE_SYN &&
			 segment->sequence + 1 == sender->start;
	__u32 is_open = sender->flags & receiver->flags & FW_SIDE_ACKED;

	if (fw_tcp_opens(segment->flags)) {
		if (state >= FW_FLOW_TIME_WAIT)
			return FW_FIT_REOPEN;
		if (is_again)
			return FW_FIT_YES;
		if (!(receiver->flags & FW_SIDE_SEEN)) /* gave up, and tries anew */
			return FW_FIT_REOPEN;
		if (!(sender->flags & FW_SIDE_SEEN) && !(receiver->flags & FW_SIDE_ACKED))
			return FW_FIT_YES; /* both open at the same time */
		return is_open ? FW_FIT_ANEW : FW_FIT_STALE;
	}
	if (is_open)
		return fw_tcp_answers_anew(receiver, segment) ? FW_FIT_ANSWERED : FW_FIT_STALE;
	/* Answers a SYN, which it has to acknowledge, and no more than what came with it. */
	if (!(receiver->flags & FW_SIDE_SYN) ||
	    fw_before(segment->acknowledgement, receiver->start) ||
	    fw_before(receiver->end, segment->acknowledgement))
		return FW_FIT_NONE;
	if (sender->flags & FW_SIDE_SYN && !is_again && receiver->flags & FW_SIDE_ACKED)
		return FW_FIT_STALE;
	return FW_FIT_YES;
}

/*
 * A reset closes the flow only if its number is exactly what the other side expects, or goes on
 * where its sender was (RFC 9293, 3.10.7.4; RFC 5961). Another one within the window is passed, for
 * its receiver to challenge; those beyond are not of this flow.
 */
static __always_inline enum fw_fit fw_tcp_fit_reset(const struct fw_flow_side *sender,
						    const struct fw_flow_side *receiver,
						    const struct fw_segment *segment)
{
	__u32 loose = (sender->flags | receiver->flags) & FW_SIDE_LOOSE;
	__u32 limit;

	if (!(sender->flags & FW_SIDE_SYN) && !loose) {
		/* Refuses a connection: it has to acknowledge the SYN. */
		if (!(segment->flags & FW_TCP_ACK) || !(receiver->flags & FW_SIDE_SYN) ||
		    fw_before(segment->acknowledgement, receiver->start) ||
		    fw_before(receiver->end, segment->acknowledgement))
			return FW_FIT_NONE;
		return FW_FIT_YES;
	}
	if (!(sender->flags & FW_SIDE_SEEN))
		return FW_FIT_STALE;
	if (segment->sequence == sender->end || fw_tcp_answers_anew(receiver, segment))
		return FW_FIT_YES;
	if (receiver->flags & FW_SIDE_ACKED && segment->sequence == receiver->acked)
		return FW_FIT_YES;
	limit = sender->end + FW_TCP_LAG;
	if (!loose) {
		/* Who opens may have got an answer to something else, which he resets with its
		 * number. */
		if (!(receiver->flags & FW_SIDE_SYN))
			return FW_FIT_STALE;
		limit = fw_tcp_limit(sender, receiver);
	}
	if (fw_before(limit, segment->sequence) ||
	    fw_before(segment->sequence, sender->end - fw_largest(receiver->window, FW_TCP_LAG)))
		return FW_FIT_NONE;
	return FW_FIT_STALE;
}

/*
 * A segment with ACK. It begins where the other side lets its sender send, acknowledges nothing
 * that was not sent, and lags behind by a window at most. Who has not acknowledged the other's SYN
 * yet must do just that: he saw it, which one who forges his address did not.
 */
static __always_inline enum fw_fit fw_tcp_fit_data(const struct fw_flow_side *sender,
						   const struct fw_flow_side *receiver,
						   const struct fw_segment *segment)
{
	__u32 ack = segment->acknowledgement;

	if ((sender->flags | receiver->flags) & FW_SIDE_LOOSE)
		return FW_FIT_YES;
	/* An answer of an older connection, which the opener will reset; not of who refused. */
	if (!(sender->flags & FW_SIDE_SYN))
		return sender->flags & FW_SIDE_RESET ? FW_FIT_NONE : FW_FIT_STALE;
	if (!(receiver->flags & FW_SIDE_SYN))
		return FW_FIT_NONE;
	if (fw_before(fw_tcp_limit(sender, receiver), segment->sequence) ||
	    fw_before(fw_tcp_most(receiver), ack))
		return FW_FIT_NONE;
	if (!(sender->flags & FW_SIDE_ACKED))
		return fw_before(ack, receiver->start) ? FW_FIT_NONE : FW_FIT_YES;
	if (fw_before(segment->end, sender->end - fw_largest(receiver->window, FW_TCP_LAG)) ||
	    fw_before(ack, receiver->end - fw_largest(sender->window, FW_TCP_LAG)))
		return FW_FIT_NONE;
	return FW_FIT_YES;
}

/* Does the segment of `sender` fit the flow? Changes nothing. */
static __always_inline enum fw_fit fw_tcp_fit(const struct fw_flow_side *sender,
					      const struct fw_flow_side *receiver,
					      const struct fw_segment *segment)
{
	if (!fw_tcp_flags_are_sane(segment->flags))
		return FW_FIT_NONE;
	if (segment->flags & FW_TCP_SYN)
		return fw_tcp_fit_syn(sender, receiver, segment);
	if (segment->flags & FW_TCP_RST)
		return fw_tcp_fit_reset(sender, receiver, segment);
	return fw_tcp_fit_data(sender, receiver, segment);
}

/* Flags are only added; the atomic keeps those of two packets of one direction on two CPUs. */
static __always_inline void fw_side_add(struct fw_flow_side *side, __u32 flags)
{
	if ((side->flags & flags) != flags)
		__sync_fetch_and_or(&side->flags, flags);
}

static __always_inline void fw_tcp_take_syn(struct fw_flow_side *sender,
					    const struct fw_segment *segment)
{
	__u32 flags = FW_SIDE_SYN;

	if (segment->scale != FW_NO_SCALE)
		flags |= FW_SIDE_SCALES | FW_SIDE_SCALE_FLAG(segment->scale);
	if (!(sender->flags & FW_SIDE_SYN) || sender->start != segment->sequence + 1) {
		sender->start = segment->sequence + 1;
		sender->end = segment->end;
	}
	sender->window = fw_largest(sender->window, segment->window);
	fw_side_add(sender, flags);
}

static __always_inline void fw_tcp_take_ack(struct fw_flow_side *sender,
					    const struct fw_flow_side *receiver,
					    const struct fw_segment *segment)
{
	__u32 shift = segment->flags & FW_TCP_SYN ? 0 : fw_tcp_shift(sender, receiver);
	__u32 window = segment->window << shift;
	__u32 allowed = segment->acknowledgement + window;
	__u32 flags = FW_SIDE_ACKED;

	if (!(sender->flags & FW_SIDE_ACKED)) {
		sender->acked = segment->acknowledgement;
		sender->allowed = allowed;
	}
	sender->acked = fw_later_of(sender->acked, segment->acknowledgement);
	sender->allowed = fw_later_of(sender->allowed, allowed);
	sender->window = fw_largest(sender->window, window);
	if (receiver->flags & FW_SIDE_FIN && !fw_before(segment->acknowledgement, receiver->end))
		flags |= FW_SIDE_FIN_ACKED;
	fw_side_add(sender, flags);
}

/* Takes in a segment that fits (FW_FIT_YES). Writes only the sender's side. */
static __always_inline void fw_tcp_take(struct fw_flow_side *sender,
					const struct fw_flow_side *receiver,
					const struct fw_segment *segment)
{
	__u32 flags = FW_SIDE_SEEN;

	if (segment->flags & FW_TCP_RST) {
		fw_side_add(sender, FW_SIDE_SEEN | FW_SIDE_RESET);
		return;
	}
	if (segment->flags & FW_TCP_SYN)
		fw_tcp_take_syn(sender, segment);
	else if (!(sender->flags & FW_SIDE_SEEN))
		sender->end = segment->end; /* picked up */
	sender->end = fw_later_of(sender->end, segment->end);
	if (segment->flags & FW_TCP_ACK)
		fw_tcp_take_ack(sender, receiver, segment);
	if (segment->flags & FW_TCP_FIN)
		flags |= FW_SIDE_FIN;
	/* A branch less for the verifier. */
	flags |= segment->is_fragment * (FW_SIDE_FRAGMENTS / FW_IS_FIRST_FRAGMENT);
	fw_side_add(sender, flags);
}

/*
 * A SYN within an established connection (FW_FIT_ANEW). As long as it is established nobody asks
 * for the number of the SYN that began it.
 */
static __always_inline void fw_tcp_remember(struct fw_flow_side *sender,
					    const struct fw_segment *segment)
{
	__u32 flags = FW_SIDE_ANEW;

	if (segment->scale != FW_NO_SCALE)
		flags |= FW_SIDE_ANEW_FLAGS(segment->scale);
	sender->start = segment->sequence + 1;
	if ((sender->flags & FW_SIDE_ANEW_ALL) == flags)
		return;
	__sync_fetch_and_and(&sender->flags, ~FW_SIDE_ANEW_ALL);
	__sync_fetch_and_or(&sender->flags, flags);
}

/*
 * The answer to that SYN (FW_FIT_ANSWERED): both sides are as behind the first SYN. The only time
 * that a packet writes the other's side; who opens sends nothing but his SYN.
 */
static __always_inline void fw_tcp_begin_anew(struct fw_flow_side *sender,
					      struct fw_flow_side *receiver)
{
	__u32 before = receiver->flags, flags = FW_SIDE_SEEN | FW_SIDE_SYN;

	if (before & FW_SIDE_ANEW_SCALES)
		flags |= FW_SIDE_SCALES | FW_SIDE_SCALE_FLAG(before >> 20 & 15);
	receiver->end = receiver->start;
	receiver->window = 65535; /* the most that a SYN can offer */
	receiver->flags = (before & (FW_SIDE_HOOKS | FW_SIDE_MOVED)) | flags;
	sender->window = 0;
	sender->flags &= FW_SIDE_HOOKS | FW_SIDE_MOVED;
}

/* As fw_tcp_fit(), but sees to what a SYN within the connection asks for. */
static __always_inline enum fw_fit fw_tcp_meet(struct fw_flow_side *sender,
					       struct fw_flow_side *receiver,
					       const struct fw_segment *segment)
{
	enum fw_fit fit = fw_tcp_fit(sender, receiver, segment);

	if (fit == FW_FIT_ANEW) {
		fw_tcp_remember(sender, segment);
		return FW_FIT_STALE;
	}
	if (fit == FW_FIT_ANSWERED) {
		fw_tcp_begin_anew(sender, receiver);
		return FW_FIT_YES;
	}
	return fit;
}

#endif
