/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables are kept about half full, since a record that finds its bucket full costs a whole group:
 * a few seeds are tried, then a table twice as large, up to a bound.
 */
#include "compiler/place.h"

#include <string.h>

#include "base/memory.h"
#include "compiler/hash.h"
#include "fw/classify.h"

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

static uint32_t piece_bucket(const struct piece *piece, const struct fw_group *masks,
			     enum fw_family family)
{
	struct fw_probe probe = {
		.service = piece->ports[0] | (uint64_t)piece->ports[2] << 32 |
			   (uint64_t)piece->protocol << 48,
	};

	memcpy(probe.addresses, piece->addresses, sizeof(probe.addresses));
	probe.service &= masks->service_mask;
	return family == FW_INET ? fw_probe_hash(&probe, masks->seed, masks->shift, 0)
				 : fw_probe_hash(&probe, masks->seed, masks->shift, 1);
}

/* Returns how many found no place. */
static size_t try_place(struct group *group, const struct pieces *pieces, struct fw_group *masks,
			enum fw_family family, uint8_t *fill)
{
	uint8_t records = family == FW_INET ? FW_BUCKET_RECORDS : FW_BUCKET6_RECORDS;
	size_t left = 0;

	masks->seed = group->seed;
	masks->shift = group_shift(group->buckets);
	memset(fill, 0, group->buckets);
	for (size_t i = 0; i < group->count; i++) {
		uint32_t bucket = piece_bucket(&pieces->items[group->pieces[i]], masks, family);

		group->place[i] = bucket;
		if (fill[bucket] == records) {
			group->place[i] = NOT_PLACED;
			left++;
		} else {
			fill[bucket]++;
		}
	}
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
	size_t wanted = family == FW_INET ? group->count * 2 / 3 : group->count, left = 0;
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
	*ret_left = NULL;
	return left ? take_out(group, pieces, left, ret_left) : 0;
}
