/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rate limits: token buckets in one word each, and the table of those that belong to an address.
 * Pure: the clock is an argument, so the same source runs in the kernel and against a model.
 *
 * A bucket is the generic cell rate algorithm (ITU-T I.371, virtual scheduling): its word is the
 * time at which it will be full again. A packet moves that time by what it costs, and is over the
 * limit if it would stand further ahead of now than a burst costs. There is no window whose edges
 * could double a burst, and what is over the limit writes nothing.
 *
 * Buckets of addresses stand in lines of four. A source that is new to its line takes the place of
 * the one that will be full first. So a flood of sources that send a packet each replaces those
 * that have their whole burst anyway, or each other, and not one that is at its limit; and who was
 * replaced starts again with a whole burst. docs/limits.md tells the error.
 */
#ifndef FW_LIMIT_H
#define FW_LIMIT_H

#include "fw/image.h"
#include "fw/packet.h"

#define FW_TICKS       16 /* of a nanosecond */
#define FW_LIMIT_TRIES 8  /* others may get ahead of a packet so often, then it is over */
#define FW_LINE_TRIES  2  /* likewise for a place in a line, then it is within */

/* The bucket of one address: `tag` says whose. 0: free. */
struct fw_way {
	__u64 tag;
	__u64 full; /* ticks of 1/16 ns since boot */
};

#define FW_LINE_WAYS 4

struct fw_limit_line {
	struct fw_way ways[FW_LINE_WAYS];
};

/* Line 0 of the table of addresses. */
struct fw_limit_head {
	__u64 seed[2]; /* random: nobody outside can tell who shares a line */
	__u64 mask;    /* lines behind this one - 1; they are a power of two */
	__u64 pad[5];
};

/* What a packet costs, in ticks; FW_COST_NEVER if it is larger than the burst. */
#define FW_COST_NEVER (~0ULL)

static __always_inline __u64 fw_limit_cost(const struct fw_limit *limit, __u64 packets, __u64 bytes)
{
	__u64 amount = limit->unit == FW_LIMIT_BITS ? bytes * 8 : packets;
	__u32 shift = limit->shift & 63;

	if (amount > limit->most)
		return FW_COST_NEVER;
	return (amount * limit->cost + ((1ULL << shift) >> 1)) >> shift;
}

/*
 * Takes `cost` ticks from the bucket; 1 if that is over the limit. A time further ahead than a
 * burst is of a limit that was wider, or of nobody: it counts as an empty bucket.
 */
static __always_inline int fw_bucket_refuses(__u64 *full, __u64 tolerance, __u64 cost, __u64 now)
{
	__u64 seen = *(volatile __u64 *)full;

	FW_ROLLED
	for (int i = 0; i < FW_LIMIT_TRIES; i++) {
		__u64 last = now + tolerance;
		__u64 start = seen > now ? seen : now;
		__u64 next = start + cost, was;

		if (next > last) {
			if (start <= last)
				return 1;
			next = last;
		}
		was = __sync_val_compare_and_swap(full, seen, next);
		if (was == seen)
			return start > last;
		seen = was;
	}
	return 1;
}

/* Whom a limit is for: IPv4 by address, IPv6 by /64, other frames by MAC address. */
static __always_inline __u64 fw_limit_address(const struct fw_packet *packet, __u32 per)
{
	const __u32 *address = per == FW_LIMIT_PER_SOURCE ? packet->source : packet->destination;

	if (packet->family == FW_INET)
		return 0xffffULL << 32 | address[0];
	if (packet->family == FW_INET6)
		return (__u64)address[0] << 32 | address[1];
	return 1ULL << 48 |
	       (per == FW_LIMIT_PER_SOURCE ? packet->source_mac : packet->destination_mac);
}

/* Each step can be undone, so two addresses never have one tag under one rule (but for 0). */
static __always_inline __u64 fw_limit_tag(const struct fw_limit_head *head, __u64 rule,
					  __u64 address)
{
	__u64 tag = (address ^ head->seed[0]) * 0x9e3779b97f4a7c15ULL;

	tag = ((tag ^ tag >> 32) + (rule ^ head->seed[1])) * 0xc2b2ae3d27d4eb4fULL;
	tag = (tag ^ tag >> 29) * 0xff51afd7ed558ccdULL;
	tag ^= tag >> 32;
	return tag ? tag : 1;
}

/* The number of the tag's line. */
static __always_inline __u32 fw_limit_line_of(const struct fw_limit_head *head, __u64 tag)
{
	return 1 + (__u32)(tag >> 20 & head->mask);
}

/* What a line says of a tag: its way, or the way to take; ways are numbered from 0. */
struct fw_way_search {
	__u32 way;
	__u32 is_found;
	__u64 tag; /* of the way to take, and */
	__u64 full;
};

static __always_inline void fw_way_find(const struct fw_limit_line *line, __u64 tag,
					struct fw_way_search *search)
{
	search->is_found = 0;
	search->full = ~0ULL;
	search->way = 0;
	search->tag = 0;
#pragma GCC unroll 4
	for (__u32 i = 0; i < FW_LINE_WAYS; i++) {
		const volatile struct fw_way *way = &line->ways[i];
		__u64 full = way->full, owner = way->tag;

		if (owner == tag) {
			search->way = i;
			search->is_found = 1;
			return;
		}
		if (full >= search->full)
			continue;
		search->way = i;
		search->tag = owner;
		search->full = full;
	}
}

/*
 * Takes `cost` ticks from the tag's bucket in its line; 1 if that is over the limit. Who is new
 * takes a way by its tag first: if somebody else is faster, it looks again. Then it fills the
 * bucket, but for its own cost, unless its next packet has done so on another CPU.
 */
static __always_inline int fw_line_refuses(struct fw_limit_line *line, __u64 tag, __u64 tolerance,
					   __u64 cost, __u64 now)
{
	struct fw_way_search search;
	struct fw_way *way;

	FW_ROLLED
	for (int i = 0; i < FW_LINE_TRIES; i++) {
		fw_way_find(line, tag, &search);
		way = &line->ways[search.way & (FW_LINE_WAYS - 1)];
		if (search.is_found)
			return fw_bucket_refuses(&way->full, tolerance, cost, now);
		if (__sync_val_compare_and_swap(&way->tag, search.tag, tag) != search.tag)
			continue;
		if (__sync_val_compare_and_swap(&way->full, search.full, now + cost) == search.full)
			return 0;
		return fw_bucket_refuses(&way->full, tolerance, cost, now);
	}
	return 0;
}

#endif
