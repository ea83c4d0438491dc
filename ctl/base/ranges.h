/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes struct address_ranges (sorted, disjoint, merged) out of ranges in any order. */
#ifndef FWCTL_BASE_RANGES_H
#define FWCTL_BASE_RANGES_H

#include "base/address.h"
#include "base/arena.h"

struct ranges_builder {
	struct range4 *inet;
	size_t inet_count;
	size_t inet_capacity;
	struct range6 *inet6;
	size_t inet6_count;
	size_t inet6_capacity;
};

/* `low` and `high` are of one family, low <= high. Ends the program if memory runs out. */
void ranges_add(struct ranges_builder *builder, const struct address *low,
		const struct address *high);
void ranges_add_all(struct ranges_builder *builder, const struct address_ranges *ranges);

/* Sorts, merges, moves the result into the arena and empties the builder. */
void ranges_finish(struct ranges_builder *builder, struct arena *arena,
		   struct address_ranges *ret_ranges);

/* The same, and returns how many of the ranges lay wholly in others, doubles but once included. */
size_t ranges_finish_counting(struct ranges_builder *builder, struct arena *arena,
			      struct address_ranges *ret_ranges);
void ranges_builder_free(struct ranges_builder *builder);

/* The shortest prefix length that makes exactly low-high, or -1 if they are not one prefix. */
int range_prefix_length(const struct address *low, const struct address *high);

#endif
