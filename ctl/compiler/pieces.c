/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/pieces.h"

#include <string.h>

#include "base/memory.h"
#include "base/ranges.h"

#define ALTERNATIVES_MAX 8 /* pieces that one list may be cut into */

struct alternative {
	uint8_t kind;
	uint32_t detail;
	struct address low; /* of addresses */
	uint16_t range[2];  /* of ports; of protocols: [0] */
};

struct alternatives {
	struct alternative items[ALTERNATIVES_MAX];
	size_t count;
};

static void one(struct alternatives *list, enum part_kind kind, uint32_t detail)
{
	list->items[0] = (struct alternative){ .kind = kind, .detail = detail };
	list->items[0].range[1] = UINT16_MAX;
	list->count = 1;
}

/* Bounds of range n of one family. */
static void range_bounds(const struct address_ranges *ranges, enum fw_family family, size_t n,
			 struct address *ret_low, struct address *ret_high)
{
	*ret_low = (struct address){ .family = family };
	*ret_high = *ret_low;
	if (family == FW_INET) {
		ret_low->word[0] = ranges->inet[n].low;
		ret_high->word[0] = ranges->inet[n].high;
	} else {
		memcpy(ret_low->word, ranges->inet6[n].low, sizeof(ret_low->word));
		memcpy(ret_high->word, ranges->inet6[n].high, sizeof(ret_high->word));
	}
}

static void address_alternatives(const struct terms *terms, enum axis axis, uint32_t predicate,
				 struct alternatives *list)
{
	const struct match *match = terms->predicates[axis].items[predicate].match;
	const struct address_ranges *ranges;
	size_t count;

	one(list, predicate ? PART_SHARED : PART_ANY, predicate);
	if (!predicate || match->negated)
		return;
	ranges = &match->addresses.ranges;
	count = terms->family == FW_INET ? ranges->inet_count : ranges->inet6_count;
	for (size_t i = 0; i < match->addresses.set_count; i++)
		if (match->addresses.sets[i]->kind != SET_LIVE)
			return;
	if (!count || count > ALTERNATIVES_MAX)
		return;
	for (size_t i = 0; i < count; i++) {
		struct address low, high;
		int length;

		range_bounds(ranges, terms->family, i, &low, &high);
		length = range_prefix_length(&low, &high);
		if (length < 0) {
			one(list, PART_SHARED, predicate);
			return;
		}
		list->items[i] = (struct alternative){
			.kind = PART_EXACT,
			.detail = length,
			.low = low,
		};
	}
	list->count = count;
}

static void value_alternatives(const struct terms *terms, enum axis axis, uint32_t predicate,
			       struct alternatives *list)
{
	const struct match *match = terms->predicates[axis].items[predicate].match;

	one(list, predicate ? PART_SHARED : PART_ANY, predicate);
	if (!predicate || match->negated || match->ranges.count > ALTERNATIVES_MAX)
		return;
	for (size_t i = 0; i < match->ranges.count; i++) {
		struct range range = match->ranges.items[i];
		bool exact = range.low == range.high;

		if (axis == AXIS_PROTOCOL && !exact)
			return;
	}
	for (size_t i = 0; i < match->ranges.count; i++) {
		struct range range = match->ranges.items[i];

		list->items[i] = (struct alternative){
			.kind = range.low == range.high ? PART_EXACT : PART_RANGE,
			.range = { range.low, range.high },
		};
	}
	list->count = match->ranges.count;
}

static void piece_set_address(struct piece *piece, const struct terms *terms, int side,
			      const struct alternative *part)
{
	const uint32_t *word = part->low.word;

	if (part->kind != PART_EXACT)
		return;
	if (terms->family == FW_INET) {
		piece->addresses[0] |= (uint64_t)word[0] << (side ? 0 : 32);
		return;
	}
	piece->addresses[2 * side] = (uint64_t)word[0] << 32 | word[1];
	piece->addresses[2 * side + 1] = (uint64_t)word[2] << 32 | word[3];
}

static void piece_set_part(struct piece *piece, const struct terms *terms, int part,
			   const struct alternative *with)
{
	piece->key.kind[part] = with->kind;
	piece->key.detail[part] = with->detail;
	if (part <= PART_DESTINATION) {
		piece_set_address(piece, terms, part, with);
	} else if (part == PART_PROTOCOL) {
		piece->protocol = with->kind == PART_EXACT ? with->range[0] : 0;
	} else {
		piece->ports[2 * (part - PART_SOURCE_PORT)] = with->range[0];
		piece->ports[2 * (part - PART_SOURCE_PORT) + 1] = with->range[1];
	}
}

/* Adds the product of all parts' alternatives. */
static void add_product(struct pieces *pieces, const struct terms *terms,
			const struct alternatives *lists, const struct piece *base)
{
	size_t chosen[PARTS] = { 0 };
	int part;

	do {
		struct piece piece = *base;

		for (part = 0; part < PARTS; part++)
			piece_set_part(&piece, terms, part, &lists[part].items[chosen[part]]);
		pieces->items = memory_reserve(pieces->items, &pieces->capacity, pieces->count + 1,
					       sizeof(piece));
		pieces->items[pieces->count++] = piece;
		for (part = 0; part < PARTS; part++) {
			if (++chosen[part] < lists[part].count)
				break;
			chosen[part] = 0;
		}
	} while (part < PARTS);
}

/* Number of the term's combination of small predicates among those met before. */
static uint32_t small_combination(const struct terms *terms, uint32_t **combinations,
				  size_t *capacity, size_t *count, size_t term)
{
	const uint32_t *own = &terms->items[term].predicate[AXIS_SMALL];

	/* Newest first: neighbours are often alike. */
	for (size_t i = *count; i-- > 0;)
		if (!memcmp(&terms->items[(*combinations)[i]].predicate[AXIS_SMALL], own,
			    FW_SMALL_FIELDS * sizeof(*own)))
			return i;
	*combinations = memory_reserve(*combinations, capacity, *count + 1, sizeof(uint32_t));
	(*combinations)[*count] = term;
	return (*count)++;
}

void pieces_make(const struct terms *terms, struct pieces *ret_pieces)
{
	static const enum axis axis_of[PARTS] = {
		AXIS_SOURCE,	       AXIS_DESTINATION, AXIS_SOURCE_PORT,
		AXIS_DESTINATION_PORT, AXIS_PROTOCOL,
	};
	struct pieces pieces = { 0 };
	uint32_t *combinations = NULL;
	size_t capacity = 0, count = 0;

	for (size_t i = 0; i < terms->count; i++) {
		struct alternatives lists[PARTS];
		struct piece base = { .term = i };

		for (int part = 0; part < PARTS; part++) {
			uint32_t predicate = terms->items[i].predicate[axis_of[part]];

			if (part <= PART_DESTINATION)
				address_alternatives(terms, axis_of[part], predicate, &lists[part]);
			else
				value_alternatives(terms, axis_of[part], predicate, &lists[part]);
		}
		if (count <= FW_MAX_WORDS * 64) /* past that, there are too many groups anyway */
			base.key.small =
				small_combination(terms, &combinations, &capacity, &count, i);
		else
			base.key.small = i;
		add_product(&pieces, terms, lists, &base);
	}
	free(combinations);
	*ret_pieces = pieces;
}
