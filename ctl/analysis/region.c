/* SPDX-License-Identifier: GPL-2.0-only */
/* Products of fields: how two lie to each other, and what is left of one without the other. */
#include "analysis/region.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int scratch_new(size_t size, struct scratch *ret_scratch)
{
	char *bytes = malloc(size);

	if (!bytes)
		return -ENOMEM;
	*ret_scratch = (struct scratch){ .bytes = bytes, .size = size };
	return 0;
}

void scratch_free(struct scratch *scratch)
{
	free(scratch->bytes);
	*scratch = (struct scratch){ 0 };
}

void *scratch_alloc(struct scratch *scratch, size_t size)
{
	void *taken = scratch->bytes + scratch->used;

	size = (size + 15) & ~(size_t)15;
	if (size > scratch->size - scratch->used)
		return NULL;
	scratch->used += size;
	return taken;
}

bool region_has_point(const struct region *region, const struct point *point)
{
	if (!region_has_kind(region, point->kind))
		return false;
	for (int i = 0; i < REGION_FIELDS; i++)
		if (region->field[i] && !spans_contain(region->field[i], point->field[i]))
			return false;
	for (int i = 0; i < REGION_WORDS; i++)
		if ((region->one[i] & ~point->words[i]) || (region->zero[i] & point->words[i]))
			return false;
	return true;
}

static bool kinds_meet(const struct region *a, const struct region *b)
{
	for (int i = 0; i < REGION_KIND_WORDS; i++)
		if (a->kinds[i] & b->kinds[i])
			return true;
	return false;
}

static bool kinds_within(const struct region *inner, const struct region *outer)
{
	for (int i = 0; i < REGION_KIND_WORDS; i++)
		if (inner->kinds[i] & ~outer->kinds[i])
			return false;
	return true;
}

/* How many answers `other` asks for that `box` leaves open, or -1 if they contradict each other. */
static int open_answers(const struct region *box, const struct region *other)
{
	int count = 0;

	for (int i = 0; i < REGION_WORDS; i++) {
		if ((box->one[i] & other->zero[i]) || (box->zero[i] & other->one[i]))
			return -1;
		count += __builtin_popcountll(other->one[i] & ~box->one[i]);
		count += __builtin_popcountll(other->zero[i] & ~box->zero[i]);
	}
	return count;
}

static size_t log_of(size_t count)
{
	return 64U - (unsigned)__builtin_clzll(count | 1);
}

unsigned region_relate(const struct region *box, const struct region *other, uint64_t *work)
{
	unsigned pieces = 1;
	int answers;

	*work += 1;
	if (!kinds_meet(box, other))
		return REGION_DISJOINT;
	for (int i = 0; i < REGION_FIELDS; i++) {
		const struct spans *a = box->field[i], *b = other->field[i];

		if (!a || !b || a == b)
			continue;
		if (a->count + b->count > 4)
			*work += a->count < b->count ? a->count * log_of(b->count)
						     : b->count * log_of(a->count);
		if (!spans_meet(a, b))
			return REGION_DISJOINT;
	}
	answers = open_answers(box, other);
	if (answers < 0)
		return REGION_DISJOINT;
	pieces += (unsigned)answers + !kinds_within(box, other);
	for (int i = 0; i < REGION_FIELDS; i++) {
		const struct spans *a = box->field[i], *b = other->field[i];

		if (!b || a == b)
			continue;
		pieces += !a || !spans_within(a, b);
	}
	return pieces;
}

/* By 64 bits: to make a double of 128 is a call. */
static double span_size(const struct span *span)
{
	u128 more = span->high - span->low;
	uint64_t high = (uint64_t)(more >> 64);

	return (high ? (double)high * 0x1p64 : 0) + (double)(uint64_t)more + 1;
}

/* Of long lists only the hull is looked at. */
static double list_size(const struct spans *list)
{
	const struct span hull = { list->items[0].low, list->items[list->count - 1].high };

	if (list->count > 16)
		return span_size(&hull);
	if (list->count > 1) {
		double size = 0;

		for (size_t i = 0; i < list->count; i++)
			size += span_size(&list->items[i]);
		return size;
	}
	return span_size(&list->items[0]);
}

static double list_share(const struct spans *a, const struct spans *b)
{
	const struct span *x = &a->items[0], *y = &b->items[0];
	double share;

	if (a->count == 1 && b->count == 1) {
		const struct span common = { x->low > y->low ? x->low : y->low,
					     x->high < y->high ? x->high : y->high };

		return span_size(&common) / span_size(x);
	}
	if (spans_within(a, b))
		return 1;
	share = list_size(b) / list_size(a);
	return share < 1 ? share : 0.5;
}

/* Most words are empty or full, and to count bits is a call on machines of any kind. */
static unsigned count_kinds(uint64_t word)
{
	if (!word)
		return 0;
	return ~word ? (unsigned)__builtin_popcountll(word) : 64;
}

double region_share(const struct region *box, const struct region *other,
		    const struct spans *const *full)
{
	double share = 1, kinds = 0, common = 0;

	for (int i = 0; i < REGION_FIELDS; i++) {
		const struct spans *a = box->field[i], *b = other->field[i];

		if (b && a != b)
			share *= list_share(a ? a : full[i], b);
	}
	for (int i = 0; i < REGION_WORDS; i++) {
		uint64_t asked = (other->one[i] & ~box->one[i]) | (other->zero[i] & ~box->zero[i]);

		for (; asked; asked &= asked - 1)
			share /= 2;
	}
	if (kinds_within(box, other))
		return share;
	for (int i = 0; i < REGION_KIND_WORDS; i++) {
		kinds += count_kinds(box->kinds[i]);
		common += count_kinds(box->kinds[i] & other->kinds[i]);
	}
	return share * common / kinds;
}

/* Room for the values of both lists, and the header before them. */
static struct spans *list_new(struct scratch *scratch, size_t capacity)
{
	struct spans *list = scratch_alloc(scratch, sizeof(*list) + 8);

	if (!list)
		return NULL;
	list->items = scratch_alloc(scratch, capacity * sizeof(struct span));
	return list->items ? list : NULL;
}

/* Gives back what the list does not use. */
static void list_trim(struct scratch *scratch, struct spans *list, size_t count)
{
	list->count = count;
	scratch->used = (size_t)((const char *)(list->items + count) - scratch->bytes);
}

static const struct spans *
list_of(struct scratch *scratch, const struct spans *a, const struct spans *b,
	size_t (*combine)(const struct spans *, const struct spans *, struct span *))
{
	struct spans *list = list_new(scratch, a->count + b->count);

	if (!list)
		return NULL;
	list_trim(scratch, list, combine(a, b, (struct span *)(uintptr_t)list->items));
	return list;
}

void carve_start(struct carve *carve, const struct region *box, const struct region *other,
		 const struct spans *const *full)
{
	*carve = (struct carve){ .rest = *box, .other = other, .full = full };
}

static bool carve_kinds(struct carve *carve, struct region *ret_piece)
{
	if (kinds_within(&carve->rest, carve->other))
		return false;
	*ret_piece = carve->rest;
	for (int i = 0; i < REGION_KIND_WORDS; i++) {
		ret_piece->kinds[i] &= ~carve->other->kinds[i];
		carve->rest.kinds[i] &= carve->other->kinds[i];
	}
	return true;
}

/* One answer at a time: the piece is where it is the other one. False: none is open. */
static bool carve_answer(struct carve *carve, int word, struct region *ret_piece)
{
	struct region *rest = &carve->rest;
	uint64_t one = carve->other->one[word] & ~rest->one[word];
	uint64_t zero = carve->other->zero[word] & ~rest->zero[word];
	uint64_t bit;

	if (!one && !zero)
		return false;
	*ret_piece = *rest;
	if (one) {
		bit = one & -one;
		rest->one[word] |= bit;
		ret_piece->zero[word] |= bit;
	} else {
		bit = zero & -zero;
		rest->zero[word] |= bit;
		ret_piece->one[word] |= bit;
	}
	return true;
}

static int carve_field(struct carve *carve, int field, struct scratch *scratch,
		       struct region *ret_piece, size_t *ret_mark)
{
	const struct spans *a = carve->rest.field[field], *b = carve->other->field[field];
	const struct spans *common, *left;

	if (!b || a == b)
		return 0;
	if (!a)
		a = carve->full[field];
	if (spans_within(a, b))
		return 0;
	common = list_of(scratch, a, b, spans_intersect);
	*ret_mark = scratch->used;
	left = common ? list_of(scratch, a, b, spans_subtract) : NULL;
	if (!left)
		return -ENOSPC;
	*ret_piece = carve->rest;
	ret_piece->field[field] = left;
	carve->rest.field[field] = common;
	return 1;
}

int carve_next(struct carve *carve, struct scratch *scratch, struct region *ret_piece,
	       size_t *ret_mark)
{
	*ret_mark = scratch->used;
	if (carve->step == 0) {
		carve->step = 1;
		if (carve_kinds(carve, ret_piece))
			return 1;
	}
	while (carve->step <= REGION_WORDS) {
		if (carve_answer(carve, (int)carve->step - 1, ret_piece))
			return 1;
		carve->step++;
	}
	while (carve->step <= REGION_WORDS + REGION_FIELDS) {
		int field = (int)carve->step++ - REGION_WORDS - 1;
		int result = carve_field(carve, field, scratch, ret_piece, ret_mark);

		if (result)
			return result;
	}
	return 0;
}

bool region_intersect(const struct region *a, const struct region *b, struct scratch *scratch,
		      struct region *ret_common)
{
	struct region common = *a;
	uint64_t work = 0;

	if (region_relate(a, b, &work) == REGION_DISJOINT)
		return false;
	for (int i = 0; i < REGION_KIND_WORDS; i++)
		common.kinds[i] &= b->kinds[i];
	for (int i = 0; i < REGION_WORDS; i++) {
		common.one[i] |= b->one[i];
		common.zero[i] |= b->zero[i];
	}
	for (int i = 0; i < REGION_FIELDS; i++) {
		const struct spans *x = a->field[i], *y = b->field[i];

		if (!y || x == y)
			continue;
		common.field[i] = x ? list_of(scratch, x, y, spans_intersect) : y;
		if (!common.field[i])
			return false;
	}
	*ret_common = common;
	return true;
}
