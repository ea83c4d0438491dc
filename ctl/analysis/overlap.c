/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A region overlaps a box in a field if it begins at or before the box's end, and does not end
 * before the box's beginning. Both are prefixes of a sorted order; every `step`th prefix is kept
 * as a bit vector, and the next one that is sure to name enough is taken.
 */
#include "analysis/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define STEP_MIN   32
#define BEFORE_MAX (4U << 20) /* bytes of bit vectors for one end of one field */

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
	struct overlap_ends out = {
		.values = memory_new(overlap->rows, sizeof(out.values[0])),
		.before = memory_new(overlap->rows * overlap->words, sizeof(out.before[0])),
	};

	qsort(ends, overlap->count, sizeof(ends[0]), compare_ends);
	for (size_t row = 0; row < overlap->rows; row++) {
		uint64_t *bits = out.before + row * overlap->words;

		if (row)
			memcpy(bits, bits - overlap->words, overlap->words * sizeof(*bits));
		for (size_t i = row ? (row - 1) * overlap->step : 0; i < row * overlap->step; i++)
			set_bit(bits, ends[i].region);
		if (row * overlap->step < overlap->count)
			out.values[row] = ends[row * overlap->step].value;
		else
			out.values[row] = ~(u128)0;
	}
	*ret_ends = out;
}

static void build_fields(const struct space_family *family, const struct layer *layer,
			 struct overlap *overlap)
{
	struct end *low = memory_new(layer->count, sizeof(*low));
	struct end *high = memory_new(layer->count, sizeof(*high));

	for (int field = 0; field < OVERLAP_FIELDS; field++) {
		for (size_t i = 0; i < layer->count; i++) {
			const struct spans *values = layer->regions[i].field[field];

			if (!values)
				values = family->full[field];
			low[i] = (struct end){ values->items[0].low, (uint32_t)i };
			high[i] =
				(struct end){ values->items[values->count - 1].high, (uint32_t)i };
		}
		ends_build(overlap, low, &overlap->low[field]);
		ends_build(overlap, high, &overlap->high[field]);
	}
	free(low);
	free(high);
}

static void build_kinds(const struct layer *layer, struct overlap *overlap)
{
	overlap->of_kinds = memory_new(OVERLAP_KINDS * overlap->words, sizeof(uint64_t));
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
	size_t rows_max = BEFORE_MAX / (overlap.words * sizeof(uint64_t)) + 1;

	overlap.step = overlap.count / rows_max + 1;
	if (overlap.step < STEP_MIN)
		overlap.step = STEP_MIN;
	overlap.rows = overlap.count / overlap.step + 1;
	overlap.work = memory_new(overlap.words, sizeof(overlap.work[0]));
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
			free(ends[i]->before);
		}
	}
	free(overlap->of_kinds);
	free(overlap->work);
	*overlap = (struct overlap){ 0 };
}

/*
 * The first row whose value is `value` or more (or_equal), or more than it; rows if there is none.
 * Row r holds the first r * step ends, and its value is that of the end after them.
 */
static size_t find_row(const struct overlap *overlap, const struct overlap_ends *ends, u128 value,
		       bool or_equal)
{
	size_t low = 0, high = overlap->rows;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		u128 at = ends->values[middle];

		if (at < value || (!or_equal && at == value))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Regions that begin after `high` or end before `low` do not meet it. */
static void limit_field(const struct overlap *overlap, int field, u128 low, u128 high,
			uint64_t *bits)
{
	size_t begun = find_row(overlap, &overlap->low[field], high, false);
	size_t ended = find_row(overlap, &overlap->high[field], low, true);
	const uint64_t *some;

	if (begun < overlap->rows) {
		some = overlap->low[field].before + begun * overlap->words;
		for (size_t i = 0; i < overlap->words; i++)
			bits[i] &= some[i];
	}
	if (ended > 1) {
		some = overlap->high[field].before + (ended - 1) * overlap->words;
		for (size_t i = 0; i < overlap->words; i++)
			bits[i] &= ~some[i];
	}
}

static bool kinds_meet(const uint64_t *a, const uint64_t *b)
{
	for (int i = 0; i < REGION_KIND_WORDS; i++)
		if (a[i] & b[i])
			return true;
	return false;
}

static void limit_kinds(const struct overlap *overlap, const uint64_t *kinds, uint64_t *bits)
{
	memset(overlap->work, 0, overlap->words * sizeof(uint64_t));
	for (size_t at = 0; at < overlap->kinds_count; at++) {
		const uint64_t *some = overlap->of_kinds + at * overlap->words;

		if (!kinds_meet(overlap->kinds[at], kinds))
			continue;
		for (size_t i = 0; i < overlap->words; i++)
			overlap->work[i] |= some[i];
	}
	for (size_t i = 0; i < overlap->words; i++)
		bits[i] &= overlap->work[i];
}

static void set_all(const struct overlap *overlap, uint64_t *bits)
{
	memset(bits, 0xff, overlap->words * sizeof(*bits));
	bits[overlap->words - 1] = (1ULL << (overlap->count % 64)) - 1;
}

void overlap_find(const struct overlap *overlap, const struct region *box, uint64_t *bits)
{
	set_all(overlap, bits);
	for (int field = 0; field < OVERLAP_FIELDS; field++) {
		const struct spans *values = box->field[field];

		if (values)
			limit_field(overlap, field, values->items[0].low,
				    values->items[values->count - 1].high, bits);
	}
	if (overlap->kinds_known)
		limit_kinds(overlap, box->kinds, bits);
}

void overlap_find_point(const struct overlap *overlap, const struct point *point, uint64_t *bits)
{
	struct region kind = { 0 };

	set_all(overlap, bits);
	for (int field = 0; field < OVERLAP_FIELDS; field++)
		limit_field(overlap, field, point->field[field], point->field[field], bits);
	region_add_kind(&kind, point->kind);
	if (overlap->kinds_known)
		limit_kinds(overlap, kind.kinds, bits);
}

size_t overlap_next(const struct overlap *overlap, const uint64_t *bits, size_t from)
{
	for (size_t word = from / 64; word < overlap->words; word++) {
		uint64_t left = bits[word];

		if (word == from / 64)
			left &= ~0ULL << (from % 64);
		if (left)
			return word * 64 + (unsigned)__builtin_ctzll(left);
	}
	return overlap->count;
}
