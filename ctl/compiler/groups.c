/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/groups.h"

#include <string.h>

#include "base/memory.h"
#include "compiler/hash.h"
#include "compiler/place.h"

#define GROUPS_MAX (FW_MAX_WORDS * 64)

struct index {
	uint32_t *slots; /* number + 1 */
	size_t slot_count;
};

static uint64_t hash_words(const void *bytes, size_t size)
{
	const uint32_t *words = bytes;
	uint64_t hash = size;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		hash = hash_mix(hash ^ words[i]) + i;
	return hash;
}

static uint32_t group_add(struct groups *groups, const struct group_key *key)
{
	groups->items = memory_reserve(groups->items, &groups->capacity, groups->count + 1,
				       sizeof(*groups->items));
	groups->items[groups->count] = (struct group){ .key = *key, .best = UINT32_MAX };
	return groups->count++;
}

/* The group of a key; UINT32_MAX if there are too many. */
static uint32_t group_find(struct groups *groups, struct index *index, const struct group_key *key)
{
	size_t slot = hash_words(key, sizeof(*key)) & (index->slot_count - 1);

	for (; index->slots[slot]; slot = (slot + 1) & (index->slot_count - 1))
		if (!memcmp(&groups->items[index->slots[slot] - 1].key, key, sizeof(*key)))
			return index->slots[slot] - 1;
	if (groups->count >= GROUPS_MAX)
		return UINT32_MAX;
	index->slots[slot] = group_add(groups, key) + 1;
	return index->slots[slot] - 1;
}

/* What a record is found by: pieces that have it the same share a bucket. */
struct record_key {
	struct group_key group;
	uint64_t addresses[4];
	uint16_t ports[4]; /* only those that are exact */
	uint8_t protocol;
	uint8_t pad[7];
};

static void record_key(const struct piece *piece, struct record_key *key)
{
	memset(key, 0, sizeof(*key));
	key->group = piece->key;
	memcpy(key->addresses, piece->addresses, sizeof(key->addresses));
	key->protocol = piece->protocol;
	for (int i = 0; i < 2; i++)
		if (piece->key.kind[PART_SOURCE_PORT + i] == PART_EXACT)
			key->ports[2 * i] = piece->ports[2 * i];
}

struct chain {
	struct record_key key;
	uint32_t count;
	bool used;
};

static struct chain *chain_find(struct chain *chains, size_t slot_count,
				const struct record_key *key)
{
	size_t slot = hash_words(key, sizeof(*key)) & (slot_count - 1);

	while (chains[slot].used && memcmp(&chains[slot].key, key, sizeof(*key)))
		slot = (slot + 1) & (slot_count - 1);
	return &chains[slot];
}

static bool ports_are_exact(const struct piece *piece)
{
	return piece->key.kind[PART_SOURCE_PORT] != PART_RANGE &&
	       piece->key.kind[PART_DESTINATION_PORT] != PART_RANGE;
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

/* A piece of the same key and without a range of its own can never be the first to match. */
static bool assign_piece(struct groups *groups, struct index *index, struct chain *chain,
			 uint32_t number)
{
	struct piece *piece = &groups->pieces.items[number];
	uint32_t records = groups->family == FW_INET ? FW_BUCKET_RECORDS : FW_BUCKET6_RECORDS;
	uint32_t group;

	piece->group = UINT32_MAX;
	if (chain->count && ports_are_exact(piece))
		return true;
	piece->key.share = chain->count++ / records;
	if (chain->count > groups->longest_chain)
		groups->longest_chain = chain->count;
	group = group_find(groups, index, &piece->key);
	if (group == UINT32_MAX)
		return false;
	group_put(groups, group, number);
	return true;
}

static bool assign_pieces(struct groups *groups)
{
	struct index index = { .slot_count = 4 * GROUPS_MAX };
	struct chain *chains;
	size_t slot_count = 64;
	bool fits = true;

	while (slot_count < groups->pieces.count * 2)
		slot_count *= 2;
	index.slots = memory_new(index.slot_count, sizeof(*index.slots));
	chains = memory_new(slot_count, sizeof(*chains));
	for (uint32_t i = 0; fits && i < groups->pieces.count; i++) {
		struct record_key key;
		struct chain *chain;

		record_key(&groups->pieces.items[i], &key);
		chain = chain_find(chains, slot_count, &key);
		chain->key = key;
		chain->used = true;
		fits = assign_piece(groups, &index, chain, i);
	}
	free(index.slots);
	free(chains);
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
			key.share |= 1U << 31;
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

bool groups_make(const struct terms *terms, struct groups *ret_groups)
{
	struct groups groups = { .family = terms->family };
	bool fits;

	pieces_make(terms, &groups.pieces);
	fits = assign_pieces(&groups) && place_groups(&groups);
	if (fits) {
		if (groups.count)
			qsort(groups.items, groups.count, sizeof(*groups.items), compare_groups);
		for (size_t i = 0; i < groups.count; i++) {
			groups.items[i].bit = i;
			groups.items[i].best_rule = terms->items[groups.items[i].best].rule;
			for (size_t k = 0; k < groups.items[i].count; k++)
				groups.pieces.items[groups.items[i].pieces[k]].group = i;
		}
	}
	*ret_groups = groups;
	return fits;
}

void groups_free(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		free(groups->items[i].pieces);
		free(groups->items[i].place);
	}
	free(groups->items);
	free(groups->pieces.items);
	*groups = (struct groups){ 0 };
}

void groups_replace_terms(const struct groups *groups, struct terms *terms)
{
	struct term *items = memory_new(groups->pieces.count, sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < groups->pieces.count; i++) {
		const struct piece *piece = &groups->pieces.items[i];

		if (piece->group == UINT32_MAX)
			continue;
		items[count] = terms->items[piece->term];
		items[count++].bit = piece->group;
	}
	free(terms->items);
	terms->items = items;
	terms->count = count;
	terms->capacity = count;
}
