/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a packet to the record of the rule that decides it, by tables in an image. Pure: the image
 * is a base pointer, and every access is a load at base + (offset & mask).
 */
#ifndef FW_CLASSIFY_H
#define FW_CLASSIFY_H

#include "fw/fields.h"
#include "fw/groups.h"
#include "fw/image.h"
#include "fw/packet.h"
#include "fw/tree.h"

/* Records are numbered: ingress rules, ingress default, egress rules, egress default. */
struct fw_match_result {
	__u32 record;
	__u32 counted_count;
	__u32 counted[FW_MAX_COUNTED]; /* records of `count` rules that matched before */
};

/*
 * Word `index` of all rows, ANDed. Entries serve as they are: their kind is 0, and what is above is
 * the offset. The features are read each time: if the verifier knew them from the last time, it
 * would walk the search twice.
 */
static __always_inline __u64 fw_rows_word(struct fw_view view, const struct fw_instance *at,
					  const struct fw_rows *rows, __u32 index)
{
	__u32 features = *(const volatile __u32 *)&at->features;
	__u32 skip = sizeof(struct fw_row_head) + index * 8;
	__u64 bits = fw_view64(view, rows->source + skip) &
		     fw_view64(view, rows->destination + skip) &
		     fw_view64(view, rows->service + skip);

	if (features & FW_USES_MORE)
		bits &= fw_view64(view, (__u32)rows->network + skip) &
			fw_view64(view, (__u32)(rows->network >> 32) + skip) &
			fw_view64(view, (__u32)rows->link + skip) &
			fw_view64(view, (__u32)(rows->link >> 32) + skip);
	return bits;
}

/* The rows of an instance with up to FW_EXACT_WORDS words. */
struct fw_exact {
	const __u64 *source;
	const __u64 *destination;
	const __u64 *service;
};

static __always_inline const __u64 *fw_exact_row(struct fw_view view, __u32 offset)
{
	__u32 at = offset & (view.mask & ~((__u32)FW_EXACT_SIZE - 1));

	return (const void *)(view.base + at + sizeof(struct fw_row_head));
}

static __always_inline void fw_exact_init(struct fw_exact *exact, struct fw_view view,
					  const struct fw_rows *rows)
{
	exact->source = fw_exact_row(view, rows->source);
	exact->destination = fw_exact_row(view, rows->destination);
	exact->service = fw_exact_row(view, rows->service);
}

/* `more`, a constant: the rows of small fields are not all full. */
static __always_inline __u64 fw_exact_word(const struct fw_exact *exact, struct fw_view view,
					   const struct fw_rows *rows, const int index,
					   const int more)
{
	__u64 bits = exact->source[index] & exact->destination[index] & exact->service[index];

	if (more)
		bits &= fw_exact_row(view, (__u32)rows->network)[index] &
			fw_exact_row(view, (__u32)(rows->network >> 32))[index] &
			fw_exact_row(view, (__u32)rows->link)[index] &
			fw_exact_row(view, (__u32)(rows->link >> 32))[index];
	return bits;
}

/* The record of the first term that matches, few words: one after the other. */
static __always_inline __u32 fw_first_exact(struct fw_view view, const struct fw_instance *at,
					    const struct fw_rows *rows, const int more)
{
	__u32 words = at->words;
	struct fw_exact exact;

	fw_exact_init(&exact, view, rows);
#pragma GCC unroll 15
	for (int i = 0; i < FW_EXACT_WORDS; i++) {
		__u64 bits;

		if ((__u32)i >= words)
			break;
		bits = fw_exact_word(&exact, view, rows, i, more);
		if (bits)
			return fw_view32(view, at->terms + 4 * (i * 64 + fw_bit_place(bits)));
	}
	return at->default_record;
}

/* The same with many words: those that the summaries leave. */
static __always_inline __u32 fw_first_match(struct fw_view view, const struct fw_instance *at,
					    const struct fw_rows *rows)
{
	__u64 summary = fw_rows_word(view, at, rows, 0);

	for (int i = 0; i < FW_MAX_WORDS && summary; i++) {
		__u32 word = fw_lowest_bit(view, summary);
		__u64 bits = fw_rows_word(view, at, rows, 1 + word);

		if (bits)
			return fw_view32(view, at->terms + 4 * (word * 64 + fw_bit_place(bits)));
		summary &= summary - 1;
	}
	return at->default_record;
}

/* Where the walk over candidates stands. */
struct fw_search {
	struct fw_view view;
	const struct fw_instance *at;
	struct fw_rows rows;
	struct fw_probe probe;
	__u64 summary;
	__u64 bits;
	__u32 word; /* of the row: 1 is the first behind the summary */
	__u32 best;
};

/* Takes the next word. */
static __always_inline void fw_search_word(struct fw_search *search)
{
	struct fw_view view = search->view;
	/* 1, but not for the verifier, which walks less if it does not know. */
	__u32 first = *(const volatile __u32 *)&search->at->summary;

	search->word = first + fw_lowest_bit(view, search->summary);
	search->summary = (search->summary & (search->summary - 1)) + view.zero;
	search->bits = fw_rows_word(view, search->at, &search->rows, search->word);
}

/* One round: takes the next word, or tries the next candidate. 1: the search is over. */
static __always_inline int fw_search_step(struct fw_search *search)
{
	struct fw_view view = search->view;
	const struct fw_group *group;
	__u32 number;

	if (!search->bits) {
		if (!search->summary)
			return 1;
		fw_search_word(search);
		return 0;
	}
	number = search->word * 64 + fw_bit_place(search->bits);
	search->bits = (search->bits & (search->bits - 1)) + view.zero;
	group = fw_line(view, search->at->groups + number);
	if (group->best >= search->best)
		return 1;
	search->best = fw_group_probe(view, group, &search->probe, search->best, search->at->wide) +
		       view.zero;
	return 0;
}

/*
 * Which words have bits that the rows of both addresses and the service have in common. The first
 * ones are all looked at, side by side and without a branch; of those behind them the rows'
 * summaries tell, which leave words that have none.
 */
static __always_inline __u64 fw_search_summary(struct fw_view view, const struct fw_instance *at,
					       const struct fw_rows *rows)
{
	__u32 words = at->words;
	struct fw_exact exact;
	__u64 summary;

	fw_exact_init(&exact, view, rows);
	summary = fw_exact_word(&exact, view, rows, 0, 0) >> FW_GROUP_WORDS << FW_GROUP_WORDS;
#pragma GCC unroll 14
	for (int i = 0; i < FW_GROUP_WORDS; i++) {
		__u64 bits;

		if ((__u32)i >= words)
			break;
		bits = fw_exact_word(&exact, view, rows, 1 + i, 0);
		bits |= -bits;
		asm volatile("" : "+r"(bits));
		summary |= bits >> 63 << i;
	}
	return summary;
}

static __always_inline __u32 fw_best_match(struct fw_view view, const struct fw_instance *at,
					   const struct fw_rows *rows,
					   const struct fw_packet *packet)
{
	struct fw_search search = { .view = view, .at = at, .rows = *rows };
	__u64 summary, first;

	fw_probe_init(&search.probe, packet, at->wide);
	search.best = FW_RECORD_NONE + view.zero;
	/* The first word is looked at beside the summary. Where there is none, its place is
	 * another's. */
	summary = fw_search_summary(view, at, rows);
	search.word = *(const volatile __u32 *)&at->summary;
	first = -(summary & 1);
	asm volatile("" : "+r"(first));
	search.bits = (fw_rows_word(view, at, rows, search.word) & first) + view.zero;
	search.summary = (summary & ~1ULL) + view.zero;
	for (int i = 0; i < FW_SEARCH_ROUNDS; i++)
		if (fw_search_step(&search))
			break;
	return search.best == FW_RECORD_NONE ? at->default_record : search.best;
}

/*
 * The records of `count` rules before `record`. -1 if there are more than the compiler allows.
 * Numbers start from different zeros of the image: from one, the verifier would learn from a test
 * of one of them what all are.
 */
static __always_inline int fw_count_matches(struct fw_view view, const struct fw_instance *at,
					    const struct fw_rows *rows,
					    struct fw_match_result *ret_result)
{
	const __u32 *zeros = fw_image_header(view.base)->zeros;
	__u32 count = zeros[1], last = ~zeros[2];

	/* One write to an unknown place, so that all places look alike from the start. */
	ret_result->counted[count & (FW_MAX_COUNTED - 1)] = last;
	for (__u32 word = 0; word < FW_MAX_COUNTED_WORDS && word < at->counted_words; word++) {
		__u64 bits = fw_rows_word(view, at, rows, at->summary + at->words + word);

		for (int i = 0; i < FW_MAX_COUNTED && bits; i++) {
			__u32 number = word * 64 + fw_bit_place(bits);
			__u32 record = fw_view32(view, at->counted_terms + 4 * number);
			/* Neither behind the rule that decides nor another term of the last one. */
			__u32 before = ((__u64)record - ret_result->record) >> 63;

			ret_result->counted[count & (FW_MAX_COUNTED - 1)] = record;
			count += (before & ~fw_equal_mask(record, last)) + view.zero;
			last = record + view.zero;
			bits = (bits & (bits - 1)) + view.zero;
		}
	}
	if (count > FW_MAX_COUNTED)
		return -1;
	ret_result->counted_count = count;
	return 0;
}

/* What answers for packets of a hook and a family. */
static __always_inline const struct fw_instance *fw_instance(const __u8 *base, enum fw_hook hook,
							     __u32 family)
{
	__u32 number = (__u32)hook * 4 + (family & 3);

	return (const void *)(base + FW_INSTANCES + (number & 7) * FW_INSTANCE_SIZE);
}

/*
 * Finds what the rules of `hook` say about the packet. `base` is the image, in a block of
 * `size_mask` + 1 bytes (a power of two). The fields that the header's features ask for (state,
 * sets_row) are filled in before. 0; -1 if the image breaks a bound that the compiler keeps.
 */
static __always_inline int fw_classify(const __u8 *base, __u32 size_mask, enum fw_hook hook,
				       const struct fw_packet *packet,
				       struct fw_match_result *ret_result)
{
	struct fw_view view = { base, size_mask, fw_image_header(base)->zeros[0] };
	const struct fw_instance *at = fw_instance(base, hook, packet->family);
	struct fw_rows rows;

	if (at->is_empty) {
		ret_result->record = at->default_record;
		ret_result->counted_count = 0;
		return 0;
	}
	fw_rows_find(view, at, packet, &rows);
	if (!at->groups)
		ret_result->record = at->summary ? fw_first_match(view, at, &rows)
				     : rows.more ? fw_first_exact(view, at, &rows, 1)
						 : fw_first_exact(view, at, &rows, 0);
	else
		ret_result->record = fw_best_match(view, at, &rows, packet);
	ret_result->counted_count = 0;
	if (!at->counted_words)
		return 0;
	return fw_count_matches(view, at, &rows, ret_result);
}

/* Record `number` of a result. */
static __always_inline const struct fw_record *fw_record(const __u8 *base, __u32 size_mask,
							 __u32 number)
{
	__u32 offset = fw_image_header(base)->records + number * (__u32)sizeof(struct fw_record);

	return (const struct fw_record *)(base + (offset & (size_mask & ~7U)));
}

#endif
