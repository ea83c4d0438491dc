/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/arrange.h"

#include <string.h>

#include "base/memory.h"
#include "compiler/index.h"

#define SHARES 16 /* shares of the pieces of one chain that have one range on the side not cut */

struct chain {
	uint32_t first; /* pieces, linked by `next` */
	uint32_t last;
	uint32_t count;
};

struct chains {
	struct pieces *pieces;
	struct chain *items;
	size_t count;
	uint32_t *next; /* by piece */
};

struct record_key {
	uint64_t addresses[4];
	uint32_t base;
	uint32_t share;
	uint16_t ports[2]; /* the bits that count */
	uint8_t bits[2];
	uint8_t protocol;
	uint8_t pad;
};

static uint16_t top_bits(uint16_t port, uint8_t bits)
{
	return port & ~(0xffffU >> bits);
}

static struct record_key record_key(const struct piece *piece)
{
	struct record_key key = {
		.base = piece->base,
		.share = piece->share,
		.protocol = piece->protocol,
	};

	memcpy(key.addresses, piece->addresses, sizeof(key.addresses));
	for (int side = 0; side < 2; side++) {
		key.bits[side] = piece->bits[side];
		key.ports[side] = top_bits(piece->ports[2 * side], piece->bits[side]);
	}
	return key;
}

static bool is_chain(const void *context, uint32_t number, const void *key)
{
	const struct chains *chains = context;
	struct record_key own = record_key(&chains->pieces->items[chains->items[number].first]);

	return !memcmp(&own, key, sizeof(own));
}

static bool covers(const struct piece *a, const struct piece *b)
{
	return a->ports[0] <= b->ports[0] && a->ports[1] >= b->ports[1] &&
	       a->ports[2] <= b->ports[2] && a->ports[3] >= b->ports[3];
}

/* Looks at a few: only the cheap and common case is found here. */
static bool chain_covers(const struct chains *chains, const struct chain *chain,
			 const struct piece *piece)
{
	uint32_t at = chain->first;

	for (int i = 0; i < 8 && at != UINT32_MAX; i++, at = chains->next[at])
		if (covers(&chains->pieces->items[at], piece))
			return true;
	return false;
}

static void chain_add(struct chains *chains, struct chain *chain, uint32_t piece)
{
	chains->next[chain->last] = piece;
	chain->last = piece;
	chain->count++;
}

/* Chains of the pieces from `from` on. Drops pieces that an earlier one with the key covers. */
static void chains_make(struct pieces *pieces, size_t from, struct chains *chains)
{
	size_t capacity = pieces->count - from;
	struct index index = { .is = is_chain, .context = chains };

	*chains = (struct chains){ .pieces = pieces };
	chains->items = memory_new(capacity, sizeof(*chains->items));
	chains->next = memory_new(pieces->count, sizeof(uint32_t));
	memset(chains->next, 0xff, pieces->count * sizeof(uint32_t));
	index_reserve(&index, capacity);
	for (uint32_t i = from; i < pieces->count; i++) {
		struct piece *piece = &pieces->items[i];
		struct record_key key = record_key(piece);
		uint32_t hash = hash_words(&key, sizeof(key)), number;

		if (piece->share == PIECE_DROPPED)
			continue;
		number = index_find(&index, hash, &key);
		if (number == INDEX_NONE) {
			chains->items[chains->count] = (struct chain){ i, i, 1 };
			index_put(&index, hash, chains->count++);
		} else if (chain_covers(chains, &chains->items[number], piece)) {
			piece->share = PIECE_DROPPED;
		} else {
			chain_add(chains, &chains->items[number], i);
		}
	}
	free(index.slots);
}

static void chains_free(struct chains *chains)
{
	free(chains->items);
	free(chains->next);
}

static bool is_exact(const struct piece *piece, int side)
{
	return piece->ports[2 * side] == piece->ports[2 * side + 1];
}

/* Can a chain be shortened if ports of a side that are exact are part of the key? */
static bool chain_has_exact(const struct chains *chains, const struct chain *chain, int side)
{
	const struct piece *items = chains->pieces->items, *first = &items[chain->first];

	for (uint32_t at = chain->first; at != UINT32_MAX; at = chains->next[at])
		if (is_exact(&items[at], side) && !items[at].bits[side] &&
		    (!is_exact(first, side) || items[at].ports[2 * side] != first->ports[2 * side]))
			return true;
	return false;
}

/* Pieces of a base: all, those exact on a side, those in chains that are too long. */
struct tally {
	uint32_t count;
	uint32_t exact[2];
	uint32_t in_long[2];
};

/*
 * Makes exact ports part of the key: in the long chains only, as others then need one table, unless
 * most pieces of the base are in long chains, or it has only such pieces.
 */
static bool split_exact(struct chains *chains, size_t most)
{
	struct pieces *pieces = chains->pieces;
	struct tally *tallies = memory_new(pieces->base_count, sizeof(*tallies));
	bool any = false;

	for (size_t i = 0; i < chains->count; i++) {
		struct chain *chain = &chains->items[i];
		struct tally *tally = &tallies[pieces->items[chain->first].base];
		int side = chain->count <= most		       ? -1
			   : chain_has_exact(chains, chain, 1) ? 1
			   : chain_has_exact(chains, chain, 0) ? 0
							       : -1;

		any |= side >= 0;
		if (side >= 0)
			tally->in_long[side] += chain->count;
		tally->count += chain->count;
		for (uint32_t at = chain->first; at != UINT32_MAX; at = chains->next[at]) {
			tally->exact[0] += is_exact(&pieces->items[at], 0);
			tally->exact[1] += is_exact(&pieces->items[at], 1);
			if (side >= 0 && is_exact(&pieces->items[at], side))
				pieces->items[at].bits[side] = 16;
		}
	}
	for (size_t i = 0; any && i < pieces->count; i++) {
		struct piece *piece = &pieces->items[i];
		const struct tally *tally = &tallies[piece->base];

		for (int side = 0; side < 2; side++)
			if (tally->in_long[side] && is_exact(piece, side) &&
			    (tally->exact[side] == tally->count ||
			     tally->in_long[side] * 2 > tally->count))
				piece->bits[side] = 16;
	}
	free(tallies);
	return any;
}

/* Pieces of one chain by their range on `side`, in the order of the terms among equals. */
struct sorting {
	uint64_t key;
	uint32_t piece;
};

static int compare_sorting(const void *a, const void *b)
{
	const struct sorting *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->piece > y->piece) - (x->piece < y->piece);
}

/* Returns how many different ranges there are. */
static size_t sort_by_side(const struct chains *chains, const struct chain *chain, int side,
			   struct sorting *sorted)
{
	size_t count = 0, different = 0;

	for (uint32_t at = chain->first; at != UINT32_MAX; at = chains->next[at]) {
		const uint16_t *ports = &chains->pieces->items[at].ports[2 * side];

		sorted[count++] = (struct sorting){ (uint64_t)ports[0] << 16 | ports[1], at };
	}
	qsort(sorted, count, sizeof(*sorted), compare_sorting);
	for (size_t i = 0; i < count; i++)
		different += !i || sorted[i].key != sorted[i - 1].key;
	return different;
}

/* What is the same on one side is cut on the other. */
static void cut_chain(struct chains *chains, const struct chain *chain, size_t records)
{
	struct sorting *sorted[2];
	uint32_t *numbers = memory_new(chain->count, sizeof(*numbers)), share = 0;
	size_t different[2];
	int same;

	for (int side = 0; side < 2; side++) {
		sorted[side] = memory_new(chain->count, sizeof(**sorted));
		different[side] = sort_by_side(chains, chain, side, sorted[side]);
	}
	same = different[0] > different[1];
	for (size_t i = 0, end; i < chain->count; i = end, share += SHARES) {
		for (end = i; end < chain->count && sorted[same][end].key == sorted[same][i].key;
		     end++)
			numbers[end - i] = sorted[same][end].piece;
		if (end - i > records) {
			pieces_cut(chains->pieces, numbers, end - i, !same, share);
			continue;
		}
		for (size_t k = 0; k < end - i; k++)
			chains->pieces->items[numbers[k]].share = share;
	}
	free(numbers);
	free(sorted[0]);
	free(sorted[1]);
}

/* A chain a little too long goes on in other tables, which few keys are in. */
static void share_chain(const struct chains *chains, const struct chain *chain, size_t records)
{
	size_t count = 0;

	for (uint32_t at = chain->first; at != UINT32_MAX; at = chains->next[at])
		chains->pieces->items[at].share += count++ / records;
}

size_t pieces_arrange(struct pieces *pieces, size_t records)
{
	size_t count = pieces->count, longest = 0;
	struct chains chains;

	chains_make(pieces, 0, &chains);
	for (size_t i = 0; i < chains.count; i++)
		if (chains.items[i].count > longest)
			longest = chains.items[i].count;
	for (int i = 0; i < 2 && split_exact(&chains, 2 * records); i++) {
		chains_free(&chains);
		chains_make(pieces, 0, &chains);
	}
	for (size_t i = 0; i < chains.count; i++) {
		if (chains.items[i].count > 2 * records)
			cut_chain(&chains, &chains.items[i], records);
		else
			share_chain(&chains, &chains.items[i], records);
	}
	chains_free(&chains);
	chains_make(pieces, count, &chains);
	for (size_t i = 0; i < chains.count; i++)
		share_chain(&chains, &chains.items[i], records);
	chains_free(&chains);
	return longest;
}
