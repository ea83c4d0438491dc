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
	groups->longest_chain = pieces_arrange(
		&groups->pieces, terms->family == FW_INET ? FW_BUCKET_RECORDS : FW_BUCKET6_RECORDS);
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

/* A condition for the range that is left of a port, in the place of the rule's. */
static uint32_t cut_predicate(struct terms *terms, const struct piece *piece, int side)
{
	struct match *match = &terms->made[terms->made_count];
	struct range *range = &terms->made_ranges[terms->made_count];
	struct predicate predicate = { .match = match };
	size_t before = terms->predicates[AXIS_SOURCE_PORT + side].count;
	uint32_t number;

	*range = (struct range){ piece->ports[2 * side], piece->ports[2 * side + 1] };
	*match = (struct match){ .kind = side ? MATCH_DESTINATION_PORT : MATCH_SOURCE_PORT };
	match->ranges.items = range;
	match->ranges.count = 1;
	number = predicates_intern(&terms->predicates[AXIS_SOURCE_PORT + side], &predicate);
	if (number == before)
		terms->made_count++;
	return number;
}

void groups_replace_terms(const struct groups *groups, struct terms *terms)
{
	uint32_t *next =
		memory_new(groups->count, sizeof(*next)); /* by group: where its next goes */
	size_t count = 0, cuts = 0;
	struct term *items;

	for (size_t i = 0; i < groups->count; i++) {
		next[i] = count;
		count += groups->items[i].count;
	}
	for (size_t i = 0; i < groups->pieces.count; i++)
		cuts += groups->pieces.items[i].cut[0] + groups->pieces.items[i].cut[1];
	items = memory_new(count, sizeof(*items));
	terms->made = memory_new(cuts, sizeof(*terms->made));
	terms->made_ranges = memory_new(cuts, sizeof(*terms->made_ranges));
	for (size_t i = 0; i < groups->pieces.count; i++) {
		const struct piece *piece = &groups->pieces.items[i];
		struct term *term;

		if (piece->share == PIECE_DROPPED)
			continue;
		term = &items[next[piece->group]++];
		*term = terms->items[piece->term];
		term->bit = piece->group;
		for (int side = 0; side < 2; side++)
			if (piece->cut[side])
				term->predicate[AXIS_SOURCE_PORT + side] =
					cut_predicate(terms, piece, side);
	}
	free(next);
	free(terms->items);
	terms->items = items;
	terms->count = count;
	terms->capacity = count;
}
