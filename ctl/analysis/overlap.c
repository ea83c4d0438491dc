/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A region overlaps a box in a field if it begins at or before the box's end, and does not end
 * before the box's beginning. Both are prefixes of a sorted order; every `step`th prefix is kept
 * as a bit vector, the rest of one is set bit by bit.
 */
#include "analysis/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "base/message.h"

#define BEFORE_MAX (4U << 20) /* bytes of bit vectors for one end of one field */

static void *must_calloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		message_out_of_memory();
	return memory;
}

struct end {
	u128 value;
	uint32_t region;
};

static int compare_ends(const void *a, const void *b)
{
	const struct end *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

static void set_bit(uint64_t *bits, uint32_t bit)
{
	bits[bit / 64] |= 1ULL << (bit % 64);
}

static void ends_build(const struct overlap *overlap, struct end *ends,
		       struct overlap_ends *ret_ends)
{
	size_t rows = overlap->count / overlap->step + 1;
	struct overlap_ends out = {
		.values = must_calloc(overlap->count, sizeof(out.values[0])),
		.regions = must_calloc(overlap->count, sizeof(out.regions[0])),
		.before = must_calloc(rows * overlap->words, sizeof(out.before[0])),
	};

	qsort(ends, overlap->count, sizeof(ends[0]), compare_ends);
	for (size_t i = 0; i < overlap->count; i++) {
		out.values[i] = ends[i].value;
		out.regions[i] = ends[i].region;
	}
	for (size_t row = 1; row < rows; row++) {
		uint64_t *bits = out.before + row * overlap->words;

		memcpy(bits, bits - overlap->words, overlap->words * sizeof(*bits));
		for (size_t i = (row - 1) * overlap->step; i < row * overlap->step; i++)
			set_bit(bits, out.regions[i]);
	}
	*ret_ends = out;
}

static void build_fields(const struct space_family *family, const struct layer *layer,
			 struct overlap *overlap)
{
	struct end *low = must_calloc(layer->count, sizeof(*low));
	struct end *high = must_calloc(layer->count, sizeof(*high));

	for (int field = 0; field < OVERLAP_FIELDS; field++) {
		for (size_t i = 0; i < layer->count; i++) {
			const struct spans *values = layer->regions[i].field[field];

			if (!values)
				values = family->full[field];
			low[i] = (struct end){ values->items[0].low, (uint32_t)i };
			high[i] = (struct end){ values->items[values->count - 1].high,
						(uint32_t)i };
		}
		ends_build(overlap, low, &overlap->low[field]);
		ends_build(overlap, high, &overlap->high[field]);
	}
	free(low);
	free(high);
}

static void build_kinds(const struct layer *layer, struct overlap *overlap)
{
	overlap->of_kinds = must_calloc(OVERLAP_KINDS * overlap->words, sizeof(uint64_t));
	overlap->kinds_known = true;
	for (size_t i = 0; i < layer->count; i++) {
		const uint64_t *kinds = layer->regions[i].kinds;
		size_t at = 0;

		while (at < overlap->kinds_count &&
		       memcmp(overlap->kinds[at], kinds, sizeof(layer->regions[i].kinds)) != 0)
			at++;
		if (at == OVERLAP_KINDS) {
			overlap->kinds_known = false;
			return;
		}
		if (at == overlap->kinds_count)
			overlap->kinds[overlap->kinds_count++] = kinds;
		set_bit(overlap->of_kinds + at * overlap->words, (uint32_t)i);
	}
}

void overlap_build(const struct space_family *family, const struct layer *layer,
		   struct overlap *ret_overlap)
{
	struct overlap overlap = { .count = layer->count, .words = layer->count / 64 + 1 };
	size_t rows = BEFORE_MAX / (overlap.words * sizeof(uint64_t)) + 1;

	overlap.step = overlap.count / rows + 1;
	if (overlap.step < 32)
		overlap.step = 32;
	overlap.work = must_calloc(overlap.words, sizeof(overlap.work[0]));
	build_fields(family, layer, &overlap);
	build_kinds(layer, &overlap);
	*ret_overlap = overlap;
}

void overlap_free(struct overlap *overlap)
{
	for (int field = 0; field < OVERLAP_FIELDS; field++) {
		struct overlap_ends *ends[] = { &overlap->low[field], &overlap->high[field] };

		for (int i = 0; i < 2; i++) {
			free(ends[i]->values);
			free(ends[i]->regions);
			free(ends[i]->before);
		}
	}
	free(overlap->of_kinds);
	free(overlap->work);
	*overlap = (struct overlap){ 0 };
}

/* How many values are less than `value`, or also equal to it. */
static size_t rank(const struct overlap *overlap, const struct overlap_ends *ends, u128 value,
		   bool also_equal)
{
	size_t low = 0, high = overlap->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		u128 at = ends->values[middle];

		if (at < value || (also_equal && at == value))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first `length` regions as a bit vector, in overlap->work. */
static const uint64_t *prefix(const struct overlap *overlap, const struct overlap_ends *ends,
			      size_t length)
{
	size_t row = length / overlap->step;

	memcpy(overlap->work, ends->before + row * overlap->words,
	       overlap->words * sizeof(uint64_t));
	for (size_t i = row * overlap->step; i < length; i++)
		set_bit(overlap->work, ends->regions[i]);
	return overlap->work;
}

static void limit_field(const struct overlap *overlap, int field, const struct spans *values,
			uint64_t *bits)
{
	const struct overlap_ends *low = &overlap->low[field], *high = &overlap->high[field];
	const uint64_t *some;

	some = prefix(overlap, low,
		      rank(overlap, low, values->items[values->count - 1].high, true));
	for (size_t i = 0; i < overlap->words; i++)
		bits[i] &= some[i];
	some = prefix(overlap, high, rank(overlap, high, values->items[0].low, false));
	for (size_t i = 0; i < overlap->words; i++)
		bits[i] &= ~some[i];
}

static bool kinds_meet(const uint64_t *a, const uint64_t *b)
{
	for (int i = 0; i < REGION_KIND_WORDS; i++)
		if (a[i] & b[i])
			return true;
	return false;
}

static void limit_kinds(const struct overlap *overlap, const struct region *box, uint64_t *bits)
{
	memset(overlap->work, 0, overlap->words * sizeof(uint64_t));
	for (size_t at = 0; at < overlap->kinds_count; at++) {
		const uint64_t *some = overlap->of_kinds + at * overlap->words;

		if (!kinds_meet(overlap->kinds[at], box->kinds))
			continue;
		for (size_t i = 0; i < overlap->words; i++)
			overlap->work[i] |= some[i];
	}
	for (size_t i = 0; i < overlap->words; i++)
		bits[i] &= overlap->work[i];
}

void overlap_find(const struct overlap *overlap, const struct region *box, uint64_t *bits)
{
	memset(bits, 0xff, overlap->words * sizeof(*bits));
	bits[overlap->words - 1] = (1ULL << (overlap->count % 64)) - 1;
	for (int field = 0; field < OVERLAP_FIELDS; field++)
		if (box->field[field])
			limit_field(overlap, field, box->field[field], bits);
	if (overlap->kinds_known)
		limit_kinds(overlap, box, bits);
}
