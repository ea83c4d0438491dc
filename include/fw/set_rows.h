/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the live sets that hold a packet's addresses to the row of the terms that this leaves
 * (struct fw_set_rows). Pure.
 */
#ifndef FW_SET_ROWS_H
#define FW_SET_ROWS_H

#include "fw/classify.h"

/* Is a packet in so many sets that its row must be made? One may be in a set on both sides. */
static __always_inline int fw_in_several_sets(const struct fw_packet *packet)
{
	__u64 all = packet->source_sets | packet->destination_sets;

	return (all & (all - 1)) || (packet->source_sets & packet->destination_sets);
}

/* What fw_packet.sets_row is for a packet in one set. */
static __always_inline __u32 fw_row_of_set(struct fw_view view, const struct fw_instance *at,
					   const struct fw_packet *packet)
{
	__u64 set = packet->source_sets | packet->destination_sets;
	__u32 number = fw_lowest_bit(view, set) + (packet->source_sets ? 0 : FW_MAX_LIVE_SETS);

	return fw_view32(view, at->set_rows + 4 * number);
}

/* The bits that sets turn on a side, in the word that begins `skip` bytes into a row. */
static __always_inline __u64 fw_bits_turned(struct fw_view view, __u32 turned, __u64 sets,
					    __u32 skip)
{
	__u64 bits = view.zero;

	FW_ROLLED
	for (int i = 0; i < FW_MAX_LIVE_SETS; i++) {
		if (!sets)
			break;
		bits |= fw_view64(view,
				  fw_view32(view, turned + 4 * fw_lowest_bit(view, sets)) + skip);
		sets &= sets - 1;
	}
	return bits;
}

/* A word of the row of a packet in several sets. */
static __always_inline __u64 fw_set_word(struct fw_view view, const struct fw_instance *at,
					 const struct fw_packet *packet, __u32 word)
{
	const __u32 turned = at->set_rows + __builtin_offsetof(struct fw_set_rows, turned);
	const __u32 none = at->set_rows + __builtin_offsetof(struct fw_set_rows, none);
	__u32 skip = sizeof(struct fw_row_head) + 8 * word;
	__u64 bits = fw_bits_turned(view, turned, packet->source_sets, skip);

	bits ^= fw_view64(view, fw_view32(view, none) + skip);
	return bits & (fw_view64(view, fw_view32(view, none + 4) + skip) ^
		       fw_bits_turned(view, turned + 4 * FW_MAX_LIVE_SETS, packet->destination_sets,
				      skip));
}

/* What fw_packet.sets_row is for a packet whose row stands at `row`. */
static __always_inline __u32 fw_row_made(const struct fw_instance *at, __u32 row)
{
	return row ^ at->full_row;
}

/* Fills in packet->sets_row by the sets, for who is alone with the image: not in a program. */
static inline void fw_find_sets_row(__u8 *base, __u32 size_mask, enum fw_hook hook,
				    struct fw_packet *packet)
{
	const struct fw_instance *at = fw_instance(base, hook, packet->family);
	struct fw_view view = { base, size_mask, fw_image_header(base)->zeros[0] };
	__u32 row = fw_image_header(base)->scratch;
	__u64 *words = (__u64 *)(base + (row & size_mask) + sizeof(struct fw_row_head));

	if (!(packet->source_sets | packet->destination_sets))
		return;
	if (!(at->features & FW_USES_SETS)) {
		packet->sets_row = 0;
		return;
	}
	if (!fw_in_several_sets(packet)) {
		packet->sets_row = fw_row_of_set(view, at, packet);
		return;
	}
	words[0] = 0;
	for (__u32 i = 0; i < at->words + at->counted_words; i++) {
		words[at->summary + i] = fw_set_word(view, at, packet, at->summary + i);
		if (at->summary && i < at->words && words[1 + i])
			words[0] |= 1ULL << i;
	}
	packet->sets_row = fw_row_made(at, row);
}

#endif
