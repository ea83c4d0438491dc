/* SPDX-License-Identifier: GPL-2.0-only */
/* The second step, of packets that meet a rule that does more than decide: limits, and counting. */
#ifndef FW_FINISH_BPF_H
#define FW_FINISH_BPF_H

#include "fw/decide.bpf.h"
#include "fw/limits.bpf.h"
#include "fw/ticket.bpf.h"

/* What a record asks for besides its verdict: FW_DO_*. */
static __always_inline __u32 fw_record_work(const struct fw_record *record)
{
	__u32 flags = record->flags;

	return (flags & FW_RECORD_KEEP_STATE ? FW_DO_KEEP_STATE : 0) |
	       (flags & FW_RECORD_SYNCOOKIE ? FW_DO_SYNCOOKIE : 0) |
	       (flags & FW_RECORD_REJECT ? FW_DO_REJECT : 0);
}

static __always_inline const struct fw_limit *fw_limit_at(const struct fw_view *image, __u32 number)
{
	return fw_line(*image, fw_image_header(image->base)->limits + number);
}

/*
 * 1 if the packet is over limit `number`. A global function: each rule that goes on may have one,
 * and the verifier shall walk this once.
 */
__noinline int fw_over_limit(const struct fw_packet *packet, __u64 packets, __u64 bytes, __u64 word,
			     __u32 number)
{
	volatile __u64 kept = word;
	struct fw_view image = {};

	if (!packet)
		return 0;
	fw_find_image(kept, &image);
	if (!image.base)
		return 0;
	return fw_limit_refuses(fw_limit_at(&image, number), packet, packets, bytes);
}

/* What fw_finish() works with. */
struct fw_finish {
	const struct fw_packet *packet;
	struct fw_weight weight;
	__u64 active;
	struct fw_view image;
	struct fw_view counters;
	__u32 region;
};

static __always_inline int fw_is_over(const struct fw_finish *finish,
				      const struct fw_record *record)
{
	return record->limit && fw_over_limit(finish->packet, finish->weight.packets,
					      finish->weight.bytes, finish->active, record->limit);
}

/* Counts under the rule: what is over its limit stands apart. */
static __always_inline void fw_count_record(const struct fw_finish *finish,
					    const struct fw_record *record, int over)
{
	__u32 index = record->counter;

	if (over)
		index = fw_limit_at(&finish->image, record->limit)->counter;
	fw_count_at(&finish->counters, finish->region, index, &finish->weight);
}

/*
 * Counts the rules that go on, in their order: the first that drops what is over its limit ends
 * that. Its record, or 0.
 */
static __always_inline const struct fw_record *fw_go_on(const struct fw_finish *finish,
							const struct fw_match_result *result)
{
	FW_ROLLED
	for (__u32 i = 0; i < FW_MAX_COUNTED; i++) {
		const struct fw_record *record;
		int over;

		if (i >= result->counted_count)
			break;
		record = fw_record(finish->image.base, finish->image.mask, result->counted[i]);
		over = fw_is_over(finish, record);
		if (record->action == FW_COUNT)
			fw_count_record(finish, record, over);
		else if (over)
			return record;
	}
	return 0;
}

/* For those who answer, behind fw_finish(). */
static __always_inline void fw_keep_options(const struct fw_finish *finish,
					    struct fw_pending *pending)
{
	const struct fw_view *image = &finish->image;
	__u32 offset = fw_image_header(image->base)->options & (image->mask & ~(FW_LINE - 1U));
	const struct fw_state_options *options = (const void *)(image->base + offset);

	pending->reject_rate = options->reject_rate;
	pending->syncookie_after = options->syncookie_after;
	pending->active = finish->active;
}

/* The number of a ticket for the packet that fw_finish() had last; 0: it is dropped unanswered. */
static __always_inline __u32 fw_reject(const struct fw_packet *packet, __u64 bytes)
{
	__u32 first = 0;
	struct fw_pending *pending = bpf_map_lookup_elem(&fw_pending, &first);

	if (!pending)
		return 0;
	return fw_ticket_issue(packet, FW_HOOK, pending->reject_rate, bytes);
}

/* What fw_finish() found out so far of a packet. */
struct fw_outcome {
	const struct fw_record *record; /* that decides */
	int over;
};

/* Judges and counts what fw_decide() left open; the verdict, and FW_DO_*. */
static __always_inline int fw_settle(const struct fw_finish *finish, struct fw_pending *pending,
				     struct fw_outcome outcome, __u32 counted)
{
	int drops;

	if (counted) {
		const struct fw_record *stopped = fw_go_on(finish, &pending->result);

		outcome.over = stopped ? 1 : fw_is_over(finish, outcome.record);
		if (stopped)
			outcome.record = stopped;
	}
	drops = outcome.record->action != FW_PASS;
	fw_count_record(finish, outcome.record, outcome.over);
	pending->counter = outcome.record->counter;
	if (outcome.record->flags & (FW_RECORD_REJECT | FW_RECORD_SYNCOOKIE))
		fw_keep_options(finish, pending);
	if (outcome.over && !drops)
		return FW_VERDICT_DROP;
	return (drops ? FW_VERDICT_DROP : FW_VERDICT_PASS) | fw_record_work(outcome.record);
}

/*
 * The second step of packets that fw_decide() left pending: part of fw_complete(), as a call more
 * costs a limited packet 6 ns. If no rule went on, the limit is asked here, before the verifier
 * tells the ways to the counters apart.
 */
static __always_inline int fw_finish(const struct fw_packet *packet, __u64 packets, __u64 bytes,
				     __u64 word)
{
	volatile __u64 kept = word;
	struct fw_finish finish = {
		.packet = packet,
		.weight = { .packets = packets, .bytes = bytes },
		.active = kept,
	};
	__u32 first = 0, counted;
	struct fw_pending *pending = bpf_map_lookup_elem(&fw_pending, &first);
	int fail = finish.active & FW_ACTIVE_FAIL_DROP ? FW_VERDICT_DROP : FW_VERDICT_PASS;
	struct fw_outcome outcome = {};

	if (!packet || !pending)
		return FW_VERDICT_DROP;
	fw_find_image(finish.active, &finish.image);
	if (!finish.image.base)
		return fw_end(FW_REASON_NO_IMAGE, fail, &finish.weight);
	counted = pending->result.counted_count;
	outcome.record = fw_record(finish.image.base, finish.image.mask, pending->result.record);
	if (!counted && outcome.record->limit)
		outcome.over = fw_limit_refuses(fw_limit_at(&finish.image, outcome.record->limit),
						packet, packets, bytes);
	fw_find_counters(finish.active, &finish.counters);
	if (!finish.counters.base)
		return fw_end(FW_REASON_NO_IMAGE, fail, &finish.weight);
	finish.region = bpf_get_smp_processor_id() << fw_counter_shift(finish.active);
	return fw_settle(&finish, pending, outcome, counted);
}

#endif
