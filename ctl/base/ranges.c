/* SPDX-License-Identifier: GPL-2.0-only */
/* Sorting and merging of address ranges; lists of millions come sorted or are sorted by radix. */
#include "base/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "base/message.h"

static void *grow(void *items, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 16;

	items = reallocarray(items, wanted, size);
	if (!items)
		message_out_of_memory();
	*capacity = wanted;
	return items;
}

static struct range4 *add_inet(struct ranges_builder *builder)
{
	if (builder->inet_count == builder->inet_capacity)
		builder->inet =
			grow(builder->inet, &builder->inet_capacity, sizeof(builder->inet[0]));
	return &builder->inet[builder->inet_count++];
}

static struct range6 *add_inet6(struct ranges_builder *builder)
{
	if (builder->inet6_count == builder->inet6_capacity)
		builder->inet6 =
			grow(builder->inet6, &builder->inet6_capacity, sizeof(builder->inet6[0]));
	return &builder->inet6[builder->inet6_count++];
}

void ranges_add(struct ranges_builder *builder, const struct address *low,
		const struct address *high)
{
	struct range6 *range6;

	if (low->family == FW_INET) {
		*add_inet(builder) = (struct range4){ .low = low->word[0], .high = high->word[0] };
		return;
	}
	range6 = add_inet6(builder);
	memcpy(range6->low, low->word, sizeof(range6->low));
	memcpy(range6->high, high->word, sizeof(range6->high));
}

void ranges_add_all(struct ranges_builder *builder, const struct address_ranges *ranges)
{
	for (size_t i = 0; i < ranges->inet_count; i++)
		*add_inet(builder) = ranges->inet[i];
	for (size_t i = 0; i < ranges->inet6_count; i++)
		*add_inet6(builder) = ranges->inet6[i];
}

static int compare_inet(const void *a, const void *b)
{
	const struct range4 *x = a, *y = b;

	return x->low < y->low ? -1 : x->low > y->low;
}

static int compare_inet6(const void *a, const void *b)
{
	const struct range6 *x = a, *y = b;

	return words_compare(x->low, y->low);
}

#define RADIX_BITS 11
#define RADIX_SIZE (1U << RADIX_BITS)

/* One stable counting pass over 11 bits of `low`. */
static void radix_pass(const struct range4 *from, struct range4 *to, size_t count, unsigned shift)
{
	size_t starts[RADIX_SIZE] = { 0 };
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		starts[from[i].low >> shift & (RADIX_SIZE - 1)]++;
	for (size_t i = 0; i < RADIX_SIZE; i++) {
		size_t here = starts[i];

		starts[i] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		to[starts[from[i].low >> shift & (RADIX_SIZE - 1)]++] = from[i];
}

static void sort_inet(struct ranges_builder *builder)
{
	struct range4 *other;
	size_t count = builder->inet_count;

	if (count < 4096) {
		if (count > 1)
			qsort(builder->inet, count, sizeof(builder->inet[0]), compare_inet);
		return;
	}
	other = reallocarray(NULL, count, sizeof(*other));
	if (!other)
		message_out_of_memory();
	radix_pass(builder->inet, other, count, 0);
	radix_pass(other, builder->inet, count, RADIX_BITS);
	radix_pass(builder->inet, other, count, 2 * RADIX_BITS);
	free(builder->inet);
	builder->inet = other;
	builder->inet_capacity = count;
}

static size_t merge_inet(struct range4 *items, size_t count)
{
	size_t kept = 0;

	for (size_t i = 1; i < count; i++) {
		struct range4 *last = &items[kept];

		if (last->high == UINT32_MAX || items[i].low <= last->high + 1) {
			if (items[i].high > last->high)
				last->high = items[i].high;
		} else {
			items[++kept] = items[i];
		}
	}
	return count ? kept + 1 : 0;
}

/* The word after `word`; false if there is none. */
static bool words_next(const uint32_t word[4], uint32_t ret_next[4])
{
	memcpy(ret_next, word, 4 * sizeof(word[0]));
	for (int i = 3; i >= 0; i--)
		if (++ret_next[i])
			return true;
	return false;
}

static size_t merge_inet6(struct range6 *items, size_t count)
{
	size_t kept = 0;

	for (size_t i = 1; i < count; i++) {
		struct range6 *last = &items[kept];
		uint32_t next[4];

		if (!words_next(last->high, next) || words_compare(items[i].low, next) <= 0) {
			if (words_compare(items[i].high, last->high) > 0)
				memcpy(last->high, items[i].high, sizeof(last->high));
		} else {
			items[++kept] = items[i];
		}
	}
	return count ? kept + 1 : 0;
}

static bool is_sorted_inet(const struct range4 *items, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (items[i].low < items[i - 1].low)
			return false;
	return true;
}

static bool is_sorted_inet6(const struct range6 *items, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (words_compare(items[i].low, items[i - 1].low) < 0)
			return false;
	return true;
}

/*
 * Ranges that lie in those before them, which is exact for prefixes: of two that start alike
 * one covers the other, and otherwise the first is the wider one.
 */
static size_t count_covered(const struct ranges_builder *builder)
{
	size_t covered = 0;

	for (size_t i = 1, reach = 0; i < builder->inet_count; i++) {
		const struct range4 *last = &builder->inet[reach], *range = &builder->inet[i];

		covered += range->high <= last->high || range->low == last->low;
		if (range->high > last->high)
			reach = i;
	}
	for (size_t i = 1, reach = 0; i < builder->inet6_count; i++) {
		const struct range6 *last = &builder->inet6[reach], *range = &builder->inet6[i];
		int order = words_compare(range->high, last->high);

		covered += order <= 0 || !words_compare(range->low, last->low);
		if (order > 0)
			reach = i;
	}
	return covered;
}

void ranges_finish(struct ranges_builder *builder, struct arena *arena,
		   struct address_ranges *ret_ranges)
{
	ranges_finish_counting(builder, arena, ret_ranges);
}

size_t ranges_finish_counting(struct ranges_builder *builder, struct arena *arena,
			      struct address_ranges *ret_ranges)
{
	size_t inet, inet6, covered;

	if (!is_sorted_inet(builder->inet, builder->inet_count))
		sort_inet(builder);
	if (!is_sorted_inet6(builder->inet6, builder->inet6_count))
		qsort(builder->inet6, builder->inet6_count, sizeof(builder->inet6[0]),
		      compare_inet6);
	covered = count_covered(builder);
	inet = merge_inet(builder->inet, builder->inet_count);
	inet6 = merge_inet6(builder->inet6, builder->inet6_count);
	*ret_ranges = (struct address_ranges){
		.inet = arena_memdup(arena, builder->inet, inet * sizeof(builder->inet[0])),
		.inet_count = inet,
		.inet6 = arena_memdup(arena, builder->inet6, inet6 * sizeof(builder->inet6[0])),
		.inet6_count = inet6,
	};
	ranges_builder_free(builder);
	return covered;
}

void ranges_builder_free(struct ranges_builder *builder)
{
	free(builder->inet);
	free(builder->inet6);
	*builder = (struct ranges_builder){ 0 };
}

int range_prefix_length(const struct address *low, const struct address *high)
{
	unsigned bits = low->family == FW_INET ? 32 : 128;
	struct address first, last;
	unsigned length = 0;

	while (length < bits) {
		unsigned word = length / 32;
		uint32_t differ = low->word[word] ^ high->word[word];

		if (differ) {
			length += (unsigned)__builtin_clz(differ);
			break;
		}
		length += 32;
	}
	prefix_bounds(low, length, &first, &last);
	if (words_compare(first.word, low->word) || words_compare(last.word, high->word))
		return -1;
	return (int)length;
}
