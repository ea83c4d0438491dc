/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tickets (fw/ticket.h): whether a rejected packet gets one, and knowing it again. What may not be
 * answered and what is over the rate is dropped by whoever rejected it, and costs no more than
 * that.
 */
#ifndef FW_TICKET_BPF_H
#define FW_TICKET_BPF_H

#include "fw/maps.bpf.h"

#include "fw/answer.h"
#include "fw/limit.h"
#include "fw/ticket.h"

#define FW_RATE_SECOND 1000000000ULL

static __always_inline struct fw_answers *fw_answers_find(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&fw_answers, &first);
}

static __always_inline void fw_answered_add(__u32 hook, __u32 outcome, __u64 packets, __u64 bytes)
{
	__u32 index = FW_ANSWER_INDEX(hook, outcome);
	struct fw_counter *counter = bpf_map_lookup_elem(&fw_answer_count, &index);

	if (!counter)
		return;
	counter->packets += packets;
	counter->bytes += bytes;
}

/*
 * A burst is answered at once; burst and interval are such that no second sees more than `rate`.
 * The tickets of a burst wait in a queue together, so it leaves most of them free.
 */
static __always_inline int fw_rate_allows(__u64 *bucket, __u32 rate)
{
	__u64 fifth = rate / 5 > 1 ? rate / 5 : 1;
	__u64 burst = fifth < FW_TICKETS / 4 ? fifth : FW_TICKETS / 4;
	__u64 cost = FW_RATE_SECOND * FW_TICKS / (rate - burst + 1);

	return !fw_bucket_refuses(bucket, burst * cost, cost, bpf_ktime_get_boot_ns() * FW_TICKS);
}

/* A number for a ticket, which is then filled in; never 0. */
static __always_inline struct fw_ticket *fw_ticket_new(struct fw_answers *answers)
{
	__u32 place = __sync_fetch_and_add(&answers->cursor, 1) & (FW_TICKETS - 1);
	struct fw_ticket *ticket = &answers->tickets[place];

	ticket->number = FW_TICKET_VALID | (bpf_get_prandom_u32() & ~(FW_TICKETS - 1)) | place;
	return ticket;
}

/* The ticket of that number; NULL if it is none, or was taken by another packet since. */
static __always_inline struct fw_ticket *fw_ticket_find(struct fw_answers *answers, __u32 number)
{
	struct fw_ticket *ticket = &answers->tickets[number & (FW_TICKETS - 1)];

	return number & FW_TICKET_VALID && ticket->number == number ? ticket : NULL;
}

/*
 * The number of a ticket for a packet that a rule rejects; 0: it is not answered. A global function
 * for the sake of the verifier, as fw_decide().
 */
__noinline __u32 fw_ticket_issue(const struct fw_packet *packet, __u32 hook, __u32 rate,
				 __u64 bytes)
{
	struct fw_answers *answers = fw_answers_find();
	enum fw_answer_kind answer;
	struct fw_ticket *ticket;

	if (!packet || !answers)
		return 0;
	hook &= 1;
	answer = fw_answer_to(packet);
	if (answer == FW_ANSWER_NONE) {
		fw_answered_add(hook, FW_ANSWER_WITHHELD, 1, bytes);
		return 0;
	}
	if (!fw_rate_allows(&answers->bucket, rate)) {
		fw_answered_add(hook, FW_ANSWER_LIMITED, 1, bytes);
		return 0;
	}
	ticket = fw_ticket_new(answers);
	ticket->length = packet->length;
	ticket->transport = packet->transport - packet->network;
	ticket->hook = (__u8)hook;
	ticket->answer = (__u8)answer;
	return ticket->number;
}

#endif
