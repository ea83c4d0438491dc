/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/pieces.h"

#include <string.h>

#include "base/memory.h"
#include "base/ranges.h"
#include "compiler/index.h"

#define ALTERNATIVES_MAX 8   /* pieces that one list may be cut into */
#define FEW		 256 /* one in so many pieces are few */

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

static void protocol_alternatives(const struct terms *terms, uint32_t predicate,
				  struct alternatives *list)
{
	const struct match *match = terms->predicates[AXIS_PROTOCOL].items[predicate].match;

	one(list, predicate ? PART_SHARED : PART_ANY, predicate);
	if (!predicate || match->negated || match->ranges.count > ALTERNATIVES_MAX)
		return;
	for (size_t i = 0; i < match->ranges.count; i++)
		if (match->ranges.items[i].low != match->ranges.items[i].high)
			return;
	for (size_t i = 0; i < match->ranges.count; i++)
		list->items[i] = (struct alternative){
			.kind = PART_EXACT,
			.range = { match->ranges.items[i].low },
		};
	list->count = match->ranges.count;
}

static void port_alternatives(const struct terms *terms, enum axis axis, uint32_t predicate,
			      struct alternatives *list)
{
	const struct match *match = terms->predicates[axis].items[predicate].match;

	one(list, predicate ? PART_SHARED : PART_ANY, predicate);
	if (!predicate || match->negated || match->ranges.count > ALTERNATIVES_MAX)
		return;
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

static void piece_set_part(struct piece *piece, struct base *base, const struct terms *terms,
			   int part, const struct alternative *with)
{
	base->kind[part] = with->kind;
	base->detail[part] = with->detail;
	if (part <= PART_DESTINATION) {
		piece_set_address(piece, terms, part, with);
	} else if (part == PART_PROTOCOL) {
		piece->protocol = with->kind == PART_EXACT ? with->range[0] : 0;
	} else {
		piece->ports[2 * (part - PART_SOURCE_PORT)] = with->range[0];
		piece->ports[2 * (part - PART_SOURCE_PORT) + 1] = with->range[1];
		piece->bits[part - PART_SOURCE_PORT] = with->kind == PART_EXACT ? 16 : 0;
	}
}

/* While pieces are made. */
struct maker {
	const struct terms *terms;
	struct pieces pieces;
	struct index bases;
	struct index combinations; /* of small predicates, by a term that has them */
};

static bool is_base(const void *context, uint32_t number, const void *key)
{
	const struct maker *maker = context;

	return !memcmp(&maker->pieces.bases[number], key, sizeof(struct base));
}

static uint32_t find_base(struct maker *maker, const struct base *base)
{
	struct pieces *pieces = &maker->pieces;
	uint32_t hash = hash_words(base, sizeof(*base));
	uint32_t number = index_find(&maker->bases, hash, base);

	if (number != INDEX_NONE)
		return number;
	pieces->bases = memory_reserve(pieces->bases, &pieces->base_capacity,
				       pieces->base_count + 1, sizeof(*base));
	pieces->bases[pieces->base_count] = *base;
	index_put(&maker->bases, hash, pieces->base_count);
	return pieces->base_count++;
}

/* Adds the product of all parts' alternatives. */
static void add_product(struct maker *maker, uint32_t term, uint32_t small,
			const struct alternatives *lists)
{
	struct pieces *pieces = &maker->pieces;
	size_t chosen[PARTS] = { 0 };
	int part;

	do {
		struct piece piece = { .term = term };
		struct base base = { .small = small };

		for (part = 0; part < PARTS; part++)
			piece_set_part(&piece, &base, maker->terms, part,
				       &lists[part].items[chosen[part]]);
		piece.base = find_base(maker, &base);
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
#define SMALL_SIZE ((AXES - AXIS_SMALL) * sizeof(uint32_t)) /* with those of live sets */

static bool is_combination(const void *context, uint32_t number, const void *key)
{
	const struct maker *maker = context;

	return !memcmp(&maker->terms->items[number].predicate[AXIS_SMALL], key, SMALL_SIZE);
}

/* The first term with the same small predicates. */
static uint32_t small_combination(struct maker *maker, uint32_t term)
{
	const uint32_t *own = &maker->terms->items[term].predicate[AXIS_SMALL];
	uint32_t hash = hash_words(own, SMALL_SIZE);
	uint32_t number = index_find(&maker->combinations, hash, own);

	if (number != INDEX_NONE)
		return number;
	index_put(&maker->combinations, hash, term);
	return term;
}

static void term_alternatives(const struct terms *terms, uint32_t term, struct alternatives *lists)
{
	const uint32_t *predicate = terms->items[term].predicate;

	address_alternatives(terms, AXIS_SOURCE, predicate[AXIS_SOURCE], &lists[PART_SOURCE]);
	address_alternatives(terms, AXIS_DESTINATION, predicate[AXIS_DESTINATION],
			     &lists[PART_DESTINATION]);
	port_alternatives(terms, AXIS_SOURCE_PORT, predicate[AXIS_SOURCE_PORT],
			  &lists[PART_SOURCE_PORT]);
	port_alternatives(terms, AXIS_DESTINATION_PORT, predicate[AXIS_DESTINATION_PORT],
			  &lists[PART_DESTINATION_PORT]);
	protocol_alternatives(terms, predicate[AXIS_PROTOCOL], &lists[PART_PROTOCOL]);
}

/* The base that a small one is merged with. */
static uint32_t mixed_base(struct maker *maker, uint32_t number, const struct piece *piece)
{
	struct base base = maker->pieces.bases[number];

	for (int side = 0; side < 2; side++) {
		int part = PART_SOURCE_PORT + side;

		if (base.kind[part] == PART_SHARED)
			continue;
		base.detail[part] = base.kind[part] != PART_ANY && !piece->ports[2 * side];
		base.kind[part] = PART_MIXED;
	}
	return find_base(maker, &base);
}

static bool is_specific(const struct base *base, enum fw_family family)
{
	unsigned length = 0;

	for (int side = 0; side < 2; side++)
		if (base->kind[side] == PART_EXACT)
			length += base->detail[side];
	return length >= (family == FW_INET ? 32 : 96);
}

/*
 * One table for bases that differ in their ports only. Where addresses tell apart which tables to
 * ask, ports need not: few pieces each become one. If all are merged, searches ask in vain more
 * often, but no packet needs as many rounds.
 */
static void merge_bases(struct maker *maker, enum merging merging)
{
	struct pieces *pieces = &maker->pieces;
	uint32_t *counts = memory_new(pieces->base_count, sizeof(*counts));
	size_t few = merging == MERGE_ALL ? pieces->count : pieces->count / FEW;

	for (size_t i = 0; i < pieces->count; i++)
		counts[pieces->items[i].base]++;
	for (size_t i = 0; i < pieces->count; i++) {
		struct piece *piece = &pieces->items[i];

		if (counts[piece->base] > few ||
		    (merging == MERGE_FEW &&
		     !is_specific(&pieces->bases[piece->base], maker->terms->family)))
			continue;
		piece->base = mixed_base(maker, piece->base, piece);
		piece->bits[0] = piece->bits[1] = 0;
	}
	free(counts);
}

bool pieces_make(const struct terms *terms, enum merging merging, struct pieces *ret_pieces)
{
	struct maker maker = { .terms = terms };

	maker.bases = (struct index){ .is = is_base, .context = &maker };
	maker.combinations = (struct index){ .is = is_combination, .context = &maker };
	for (uint32_t i = 0; i < terms->count && maker.pieces.count <= PIECES_MAX; i++) {
		struct alternatives lists[PARTS];

		term_alternatives(terms, i, lists);
		add_product(&maker, i, small_combination(&maker, i), lists);
	}
	merge_bases(&maker, merging);
	free(maker.bases.slots);
	free(maker.combinations.slots);
	*ret_pieces = maker.pieces;
	return maker.pieces.count <= PIECES_MAX;
}

void pieces_free(struct pieces *pieces)
{
	free(pieces->items);
	free(pieces->bases);
	*pieces = (struct pieces){ 0 };
}
