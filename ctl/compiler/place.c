/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables are kept about half full, since a record that finds its bucket full costs a whole group:
 * a few seeds are tried, then a table twice as large, up to a bound.
 */
#include "compiler/place.h"

#include <string.h>

#include "base/memory.h"
#include "compiler/index.h"

#define SEEDS	   4
#define DOUBLINGS  4
#define SPILL	   32  /* one of so many records may be left over */
#define SPILL_FROM 256 /* of so many: smaller tables may as well be doubled */
#define NOT_PLACED UINT32_MAX

static uint64_t prefix_mask(unsigned length)
{
	return !length ? 0 : length >= 64 ? ~0ULL : ~(~0ULL >> length);
}

void group_masks(const struct base *base, const uint8_t port_bits[2], enum fw_family family,
		 struct fw_group *ret_masks)
{
	struct fw_group masks = { 0 };

	for (int side = 0; side < 2; side++) {
		unsigned length = base->kind[side] == PART_EXACT ? base->detail[side] : 0;
		uint64_t port = prefix_mask(port_bits[side]) >> 48;

		masks.service_mask |= port << (side ? 32 : 0);
		if (family == FW_INET) {
			masks.masks[0] |= prefix_mask(length) >> (side ? 32 : 0);
			continue;
		}
		masks.masks[2 * side] = prefix_mask(length);
		masks.masks[2 * side + 1] = length > 64 ? prefix_mask(length - 64) : 0;
	}
	if (base->kind[PART_PROTOCOL] == PART_EXACT)
		masks.service_mask |= 0xffULL << 48;
	*ret_masks = masks;
}

uint32_t group_shift(size_t buckets)
{
	return 63 - __builtin_ctzll(buckets);
}

void group_piece_key(const struct piece *piece, const struct fw_group *masks, enum fw_family family,
		     struct fw_group_key *ret_key)
{
	struct fw_probe probe = {
		.service = piece->ports[0] | (uint64_t)piece->ports[2] << 32 |
			   (uint64_t)piece->protocol << 48,
	};

	memcpy(probe.addresses, piece->addresses, sizeof(probe.addresses));
	if (family == FW_INET)
		fw_group_key(masks, &probe, ret_key);
	else
		fw_group_key6(masks, &probe, ret_key);
}

/* Returns how many found no place. */
static size_t try_place(struct group *group, const struct pieces *pieces, struct fw_group *masks,
			enum fw_family family, uint8_t *fill)
{
	size_t left = 0;

	masks->seed = group->seed;
	masks->shift = group_shift(group->buckets);
	memset(fill, 0, group->buckets);
	for (size_t i = 0; i < group->count; i++) {
		struct fw_group_key key;

		group_piece_key(&pieces->items[group->pieces[i]], masks, family, &key);
		group->place[i] = key.bucket;
		if (fill[key.bucket] == FW_BUCKET_RECORDS) {
			group->place[i] = NOT_PLACED;
			left++;
		} else {
			fill[key.bucket]++;
		}
	}
	return left;
}

/* Addresses of one side by what they are folded into. */
struct folds {
	const struct group *group;
	const struct pieces *pieces;
	uint32_t *items; /* by piece of the group */
};

static bool is_fold(const void *context, uint32_t number, const void *key)
{
	const struct folds *folds = context;

	return folds->items[number] == *(const uint32_t *)key;
}

/* Keeps one of the addresses of a side that are folded into the same bits. */
static size_t keep_one_of_a_fold(struct folds folds, int side, uint32_t *place)
{
	struct index index = { .is = is_fold, .context = &folds };
	size_t left = 0;

	index_reserve(&index, folds.group->count);
	for (uint32_t i = 0; i < folds.group->count; i++) {
		uint32_t hash = hash_mix(folds.items[i]), number;
		const struct piece *items = folds.pieces->items;

		if (place[i] == NOT_PLACED)
			continue;
		number = index_find(&index, hash, &folds.items[i]);
		if (number == INDEX_NONE) {
			index_put(&index, hash, i);
		} else if (memcmp(items[folds.group->pieces[number]].addresses + 2 * side,
				  items[folds.group->pieces[i]].addresses + 2 * side,
				  2 * sizeof(uint64_t))) {
			place[i] = NOT_PLACED;
			left++;
		}
	}
	free(index.slots);
	return left;
}

/* Readers compare IPv6 addresses as they are folded: each that a group has must be another. */
static size_t check_folds(struct group *group, const struct pieces *pieces,
			  const struct fw_group *masks)
{
	struct folds folds = { group, pieces, memory_new(group->count, sizeof(uint32_t)) };
	size_t left = 0;

	for (int side = 0; side < 2; side++) {
		for (size_t i = 0; i < group->count; i++) {
			struct fw_group_key key;

			group_piece_key(&pieces->items[group->pieces[i]], masks, FW_INET6, &key);
			folds.items[i] = key.addresses >> (side ? 0 : 32);
		}
		left += keep_one_of_a_fold(folds, side, group->place);
	}
	free(folds.items);
	return left;
}

static size_t take_out(struct group *group, const struct pieces *pieces, size_t left,
		       uint32_t **ret_left)
{
	size_t kept = 0, taken = 0;

	*ret_left = memory_new(left, sizeof(**ret_left));
	group->best = UINT32_MAX;
	for (size_t i = 0; i < group->count; i++) {
		uint32_t piece = group->pieces[i];

		if (group->place[i] == NOT_PLACED) {
			(*ret_left)[taken++] = piece;
			continue;
		}
		group->pieces[kept] = piece;
		group->place[kept++] = group->place[i];
		if (pieces->items[piece].term < group->best)
			group->best = pieces->items[piece].term;
	}
	group->count = kept;
	return taken;
}

size_t place_group(struct group *group, const struct pieces *pieces, enum fw_family family,
		   uint32_t **ret_left)
{
	size_t wanted = group->count * 2 / 3, left = 0;
	struct fw_group masks;
	uint8_t *fill;

	group_masks(&pieces->bases[group->key.base], group->key.bits, family, &masks);
	group->buckets = 1;
	while (group->buckets < wanted)
		group->buckets *= 2;
	group->place = memory_new(group->count, sizeof(*group->place));
	fill = memory_new(group->buckets << DOUBLINGS, sizeof(*fill));
	for (int doubling = 0;; doubling++) {
		for (int seed = 0; seed < (group->count < SPILL_FROM ? 4 * SEEDS : SEEDS); seed++) {
			group->seed = hash_mix(group->key.share * 64ULL + seed + 1);
			left = try_place(group, pieces, &masks, family, fill);
			if (!left)
				break;
		}
		/* Of a large group a few may go on in another, which few packets have to try. */
		if (!left || doubling == DOUBLINGS - 1 ||
		    (left * SPILL <= group->count && group->count >= SPILL_FROM))
			break;
		group->buckets *= 2;
	}
	free(fill);
	if (family == FW_INET6)
		left += check_folds(group, pieces, &masks);
	*ret_left = NULL;
	return left ? take_out(group, pieces, left, ret_left) : 0;
}
