/* SPDX-License-Identifier: GPL-2.0-only */
/* Range lists: every walk skips by galloping, so that a short list costs little beside a long one.
 */
#include "analysis/spans.h"

#include <stdlib.h>
#include <string.h>

/* The first item from `from` on that ends at `value` or later; count if there is none. */
static size_t seek(const struct spans *spans, size_t from, u128 value)
{
	size_t step = 1, low = from, high;

	while (low < spans->count && spans->items[low].high < value) {
		from = low + 1;
		low += step;
		step *= 2;
	}
	high = low < spans->count ? low : spans->count;
	while (from < high) {
		size_t middle = from + (high - from) / 2;

		if (spans->items[middle].high < value)
			from = middle + 1;
		else
			high = middle;
	}
	return from;
}

bool spans_contain(const struct spans *spans, u128 value)
{
	size_t at = seek(spans, 0, value);

	return at < spans->count && spans->items[at].low <= value;
}

bool spans_meet(const struct spans *a, const struct spans *b)
{
	size_t i = 0, j = 0;

	for (;;) {
		j = seek(b, j, a->items[i].low);
		if (j == b->count)
			return false;
		if (b->items[j].low <= a->items[i].high)
			return true;
		i = seek(a, i, b->items[j].low);
		if (i == a->count)
			return false;
	}
}

bool spans_within(const struct spans *inner, const struct spans *outer)
{
	size_t j = 0;

	if (inner == outer)
		return true;
	for (size_t i = 0; i < inner->count; i++) {
		j = seek(outer, j, inner->items[i].low);
		if (j == outer->count || outer->items[j].low > inner->items[i].low ||
		    outer->items[j].high < inner->items[i].high)
			return false;
	}
	return true;
}

bool spans_equal(const struct spans *a, const struct spans *b)
{
	return a == b || (a->count == b->count &&
			  !memcmp(a->items, b->items, a->count * sizeof(a->items[0])));
}

size_t spans_intersect(const struct spans *a, const struct spans *b, struct span *out)
{
	size_t i = 0, j = 0, count = 0;

	while (i < a->count) {
		const struct span *x = &a->items[i], *y;

		j = seek(b, j, x->low);
		if (j == b->count)
			break;
		y = &b->items[j];
		if (y->low > x->high) {
			i = seek(a, i, y->low);
			continue;
		}
		out[count].low = x->low > y->low ? x->low : y->low;
		out[count++].high = x->high < y->high ? x->high : y->high;
		if (x->high <= y->high)
			i++;
		else
			j++;
	}
	return count;
}

size_t spans_subtract(const struct spans *a, const struct spans *b, struct span *out)
{
	size_t j = 0, count = 0;

	for (size_t i = 0; i < a->count; i++) {
		struct span left = a->items[i];
		bool is_gone = false;

		j = seek(b, j, left.low);
		for (; j < b->count && b->items[j].low <= left.high; j++) {
			const struct span *cut = &b->items[j];

			if (cut->low > left.low)
				out[count++] = (struct span){ left.low, cut->low - 1 };
			is_gone = cut->high >= left.high;
			if (is_gone)
				break;
			left.low = cut->high + 1;
		}
		if (!is_gone)
			out[count++] = left;
	}
	return count;
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->low < y->low ? -1 : x->low > y->low;
}

size_t spans_normalise(struct span *items, size_t count)
{
	size_t kept = 0;

	if (!count)
		return 0;
	qsort(items, count, sizeof(items[0]), compare_spans);
	for (size_t i = 1; i < count; i++) {
		struct span *last = &items[kept];

		if (last->high == ~(u128)0 || items[i].low <= last->high + 1) {
			if (items[i].high > last->high)
				last->high = items[i].high;
		} else {
			items[++kept] = items[i];
		}
	}
	return kept + 1;
}
