/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the values of a list to sorted, disjoint, merged ranges, with a warning for each value
 * that another one makes needless.
 */
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "language/parser.h"

/* Wider first where they start alike, then in the order of writing. */
static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	if (x->high != y->high)
		return x->high > y->high ? -1 : 1;
	return x->element < y->element ? -1 : x->element > y->element;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct address_span *x = a, *y = b;
	int order;

	if (x->low.family != y->low.family)
		return x->low.family < y->low.family ? -1 : 1;
	order = words_compare(x->low.word, y->low.word);
	if (!order)
		order = words_compare(y->high.word, x->high.word);
	if (!order)
		order = x->element < y->element ? -1 : x->element > y->element;
	return order;
}

enum overlap {
	OVERLAP_SAME,
	OVERLAP_COVERED,
	OVERLAP_PARTLY,
};

/* A list as it is printed. */
struct written {
	const struct element *items;
	enum match_kind kind;
	bool icmp6;
};

/* Says how one element stands to another, unless both come from one define or set. */
static void warn_overlap(struct parser *parser, const struct written *written,
			 const uint32_t pair[2], enum overlap overlap)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	size_t split;

	if (pair[0] == pair[1] || parser->builtin)
		return;
	element_print(written->kind, written->icmp6, &written->items[pair[0]], &text);
	split = text.length;
	element_print(written->kind, written->icmp6, &written->items[pair[1]], &text);
	if (overlap == OVERLAP_SAME)
		parser_warn(parser, &written->items[pair[0]].at, NULL,
			    "%.*s stands in this list already", (int)split, text.text);
	else
		parser_warn(parser, &written->items[pair[0]].at, NULL, "%.*s %s %s", (int)split,
			    text.text, overlap == OVERLAP_COVERED ? "is covered by" : "overlaps",
			    text.text + split);
}

static void find_overlaps(struct parser *parser, const struct match *match, bool icmp6)
{
	const struct written written = { match->written.items, match->kind, icmp6 };
	const struct span *spans = parser->spans.items;
	size_t cover = 0; /* the span that reaches farthest so far */

	for (size_t i = 1; i < parser->spans.count; i++) {
		const uint32_t pair[2] = { spans[i].element, spans[cover].element };

		if (spans[i].low > spans[cover].high) {
			cover = i;
			continue;
		}
		warn_overlap(parser, &written, pair,
			     spans[i].high > spans[cover].high ? OVERLAP_PARTLY
			     : spans[i].low == spans[cover].low &&
					     spans[i].high == spans[cover].high
				     ? OVERLAP_SAME
				     : OVERLAP_COVERED);
		if (spans[i].high > spans[cover].high)
			cover = i;
	}
}

static size_t merge_sorted(struct span *spans, size_t count)
{
	size_t kept = 0;

	for (size_t i = 1; i < count; i++) {
		if (spans[kept].high == UINT64_MAX || spans[i].low <= spans[kept].high + 1) {
			if (spans[i].high > spans[kept].high)
				spans[kept].high = spans[i].high;
		} else {
			spans[++kept] = spans[i];
		}
	}
	return count ? kept + 1 : 0;
}

/* States are a set of bits, and flags a pair: neither is a range. */
static bool merge_bits(struct parser *parser, struct match *match)
{
	const struct span *spans = parser->spans.items;

	if (match->kind == MATCH_FLAGS && parser->spans.count) {
		match->flags.set = (uint8_t)spans[0].low;
		match->flags.mask = (uint8_t)spans[0].high;
	}
	for (size_t i = 0; match->kind == MATCH_STATE && i < parser->spans.count; i++)
		match->states |= (uint8_t)spans[i].low;
	return match->kind == MATCH_FLAGS || match->kind == MATCH_STATE;
}

void merge_spans(struct parser *parser, struct match *match, bool icmp6)
{
	struct span *spans = parser->spans.items;
	struct range *items;
	size_t count = parser->spans.count;

	if (match->kind != MATCH_FLAGS && count > 1) {
		qsort(spans, count, sizeof(*spans), compare_spans);
		find_overlaps(parser, match, icmp6);
	}
	if (merge_bits(parser, match))
		return;
	count = merge_sorted(spans, count);
	items = arena_alloc(parser->arena, count * sizeof(*items));
	for (size_t i = 0; i < count; i++)
		items[i] = (struct range){ spans[i].low, spans[i].high };
	match->ranges.items = items;
	match->ranges.count = count;
}

static void find_address_overlaps(struct parser *parser, const struct element_list *written)
{
	const struct written as_written = { written->items, MATCH_SOURCE, false };
	const struct address_span *spans = parser->addresses.items;
	size_t cover = 0;

	for (size_t i = 1; i < parser->addresses.count; i++) {
		const uint32_t pair[2] = { spans[i].element, spans[cover].element };
		const struct address *reach = &spans[cover].high;
		int order;

		if (spans[i].low.family != reach->family ||
		    words_compare(spans[i].low.word, reach->word) > 0) {
			cover = i;
			continue;
		}
		order = words_compare(spans[i].high.word, reach->word);
		warn_overlap(parser, &as_written, pair,
			     order > 0 ? OVERLAP_PARTLY
			     : !order && !words_compare(spans[i].low.word, spans[cover].low.word)
				     ? OVERLAP_SAME
				     : OVERLAP_COVERED);
		if (order > 0)
			cover = i;
	}
}

void merge_addresses(struct parser *parser, const struct element_list *written,
		     struct address_ranges *ret_ranges)
{
	struct address_span *spans = parser->addresses.items;
	struct ranges_builder builder = { 0 };
	size_t count = parser->addresses.count;

	if (count > 1) {
		qsort(spans, count, sizeof(*spans), compare_addresses);
		find_address_overlaps(parser, written);
	}
	for (size_t i = 0; i < count; i++)
		ranges_add(&builder, &spans[i].low, &spans[i].high);
	ranges_finish(&builder, parser->arena, ret_ranges);
}
