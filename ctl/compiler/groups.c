/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/groups.h"

#include <string.h>

#include "base/memory.h"
#include "compiler/arrange.h"
#include "compiler/index.h"
#include "compiler/place.h"
#include "compiler/predicates.h"

#define GROUPS_MAX (FW_MAX_WORDS * 64)

static uint32_t group_add(struct groups *groups, const struct group_key *key)
{
	groups->items = memory_reserve(groups->items, &groups->capacity, groups->count + 1,
				       sizeof(*groups->items));
	groups->items[groups->count] = (struct group){ .key = *key, .best = UINT32_MAX };
	return groups->count++;
}

static void group_put(struct groups *groups, uint32_t group, uint32_t piece)
{
	struct group *at = &groups->items[group];

	at->pieces = memory_reserve(at->pieces, &at->capacity, at->count + 1, sizeof(*at->pieces));
	at->pieces[at->count++] = piece;
	groups->pieces.items[piece].group = group;
	if (groups->pieces.items[piece].term < at->best)
		at->best = groups->pieces.items[piece].term;
}

static bool is_group(const void *context, uint32_t number, const void *key)
{
	const struct groups *groups = context;

	return !memcmp(&groups->items[number].key, key, sizeof(struct group_key));
}

static bool assign_pieces(struct groups *groups)
{
	struct index index = { .is = is_group, .context = groups };
	bool fits = true;

	for (uint32_t i = 0; fits && i < groups->pieces.count; i++) {
		const struct piece *piece = &groups->pieces.items[i];
		struct group_key key = {
			.base = piece->base,
			.share = piece->share,
			.bits = { piece->bits[0], piece->bits[1] },
		};
		uint32_t hash = hash_words(&key, sizeof(key)), group;

		if (piece->share == PIECE_DROPPED)
			continue;
		group = index_find(&index, hash, &key);
		if (group == INDEX_NONE) {
			group = group_add(groups, &key);
			index_put(&index, hash, group);
			fits = groups->count <= GROUPS_MAX;
		}
		group_put(groups, group, i);
	}
	free(index.slots);
	return fits;
}

/* Pieces that find no place are moved to a new group, which is placed in its turn. */
static bool place_groups(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		uint32_t *left;
		size_t count =
			place_group(&groups->items[i], &groups->pieces, groups->family, &left);

		if (count) {
			struct group_key key = groups->items[i].key;
			uint32_t added;

			if (groups->count >= GROUPS_MAX) {
				free(left);
				return false;
			}
			key.spilled++;
			added = group_add(groups, &key);
			for (size_t k = 0; k < count; k++)
				group_put(groups, added, left[k]);
		}
		free(left);
	}
	return true;
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return (x->best > y->best) - (x->best < y->best);
}

enum groups_error groups_make(const struct terms *terms, enum merging merging,
			      struct groups *ret_groups)
{
	struct groups *groups = ret_groups;

	*groups = (struct groups){ .family = terms->family };
	if (!pieces_make(terms, merging, &groups->pieces))
		return GROUPS_TOO_MANY_PIECES;
	groups->longest_chain = pieces_arrange(&groups->pieces, FW_BUCKET_RECORDS);
	if (!assign_pieces(groups) || !place_groups(groups))
		return GROUPS_TOO_MANY;
	if (groups->count)
		qsort(groups->items, groups->count, sizeof(*groups->items), compare_groups);
	for (size_t i = 0; i < groups->count; i++) {
		struct group *group = &groups->items[i];

		group->bit = i;
		group->best_rule = terms->items[group->best].rule;
		for (size_t k = 0; k < group->count; k++)
			groups->pieces.items[group->pieces[k]].group = i;
	}
	return GROUPS_FIT;
}

void groups_free(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		free(groups->items[i].pieces);
		free(groups->items[i].place);
	}
	free(groups->items);
	pieces_free(&groups->pieces);
	*groups = (struct groups){ 0 };
}

static uint32_t made_predicate(struct terms *terms, enum axis axis, const struct made_match *like)
{
	struct made_match *made = memory_new(1, sizeof(*made));
	struct predicate predicate = { .match = &made->match };
	size_t before = terms->predicates[axis].count;
	uint32_t number;

	*made = *like;
	if (axis <= AXIS_DESTINATION) {
		made->match.addresses.ranges.inet6 = &made->addresses;
		made->match.addresses.ranges.inet6_count = 1;
	} else {
		made->match.ranges.items = &made->range;
		made->match.ranges.count = 1;
	}
	number = predicates_intern(&terms->predicates[axis], &predicate);
	if (number < before) {
		free(made);
		return number;
	}
	made->next = terms->made;
	terms->made = made;
	return number;
}

/* A condition for the range that is left of a port, in the place of the rule's. */
static uint32_t cut_predicate(struct terms *terms, const struct piece *piece, int side)
{
	const struct made_match like = {
		.range = { piece->ports[2 * side], piece->ports[2 * side + 1] },
		.match.kind = side ? MATCH_DESTINATION_PORT : MATCH_SOURCE_PORT,
	};

	return made_predicate(terms, AXIS_SOURCE_PORT + side, &like);
}

/* One for the piece's own prefix, in the place of the rule's list. */
static uint32_t prefix_predicate(struct terms *terms, const struct piece *piece, int side,
				 unsigned length)
{
	struct made_match like = { .match.kind = side ? MATCH_DESTINATION : MATCH_SOURCE };

	for (unsigned i = 0; i < 4; i++) {
		unsigned bits = length < 32 * i ? 0 : length - 32 * i;
		uint32_t word = piece->addresses[2 * side + i / 2] >> (i % 2 ? 0 : 32);

		like.addresses.low[i] = word;
		like.addresses.high[i] = bits < 32 ? word | UINT32_MAX >> bits : word;
	}
	return made_predicate(terms, side ? AXIS_DESTINATION : AXIS_SOURCE, &like);
}

/*
 * What holds for the piece and not for all of its term. An IPv6 record is found by hashes of
 * addresses that are exact for those of the group only, so that no row may lead others to it.
 */
static void piece_restrict(const struct groups *groups, const struct piece *piece,
			   struct terms *terms, struct term *term)
{
	const struct base *base = &groups->pieces.bases[piece->base];

	for (int side = 0; side < 2; side++) {
		enum axis axis = AXIS_SOURCE + side;
		const struct match *match =
			terms->predicates[axis].items[term->predicate[axis]].match;

		if (piece->cut[side])
			term->predicate[AXIS_SOURCE_PORT + side] =
				cut_predicate(terms, piece, side);
		if (groups->family == FW_INET6 && base->kind[side] == PART_EXACT &&
		    match->addresses.ranges.inet6_count > 1)
			term->predicate[axis] =
				prefix_predicate(terms, piece, side, base->detail[side]);
	}
}

void groups_replace_terms(const struct groups *groups, struct terms *terms)
{
	uint32_t *next =
		memory_new(groups->count, sizeof(*next)); /* by group: where its next goes */
	size_t count = 0;
	struct term *items;

	for (size_t i = 0; i < groups->count; i++) {
		next[i] = count;
		count += groups->items[i].count;
	}
	items = memory_new(count, sizeof(*items));
	for (size_t i = 0; i < groups->pieces.count; i++) {
		const struct piece *piece = &groups->pieces.items[i];
		struct term *term;

		if (piece->share == PIECE_DROPPED)
			continue;
		term = &items[next[piece->group]++];
		*term = terms->items[piece->term];
		term->bit = piece->group;
		piece_restrict(groups, piece, terms, term);
	}
	free(next);
	free(terms->items);
	terms->items = items;
	terms->count = count;
	terms->capacity = count;
}
