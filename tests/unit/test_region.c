/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The algebra under lint and diff, against plain enumeration of a universe small enough for it.
 * Random, from a seed that a failure prints and that FW_TEST_SEED sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/overlap.h"
#include "analysis/search.h"

#define VALUES	12 /* of a field in the small universe */
#define REGIONS 8

static uint64_t random_state;

static uint32_t random_below(uint32_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 11) % bound);
}

static int seed(void **state)
{
	const char *text = getenv("FW_TEST_SEED");

	(void)state;
	random_state = text ? strtoull(text, NULL, 0) : 0x5eed;
	print_message("FW_TEST_SEED=0x%llx\n", (unsigned long long)random_state);
	return 0;
}

/* A set of small numbers as bits, and as spans. */
struct small {
	struct spans spans;
	struct span items[VALUES];
	uint32_t bits;
};

static void small_set(struct small *small, uint32_t bits)
{
	size_t count = 0;

	for (uint32_t i = 0; i < VALUES; i++)
		if (bits >> i & 1)
			small->items[count++] = (struct span){ i, i };
	small->bits = bits;
	small->spans.items = small->items;
	small->spans.count = spans_normalise(small->items, count);
}

static uint32_t bits_of(const struct span *items, size_t count)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < count; i++)
		for (u128 value = items[i].low; value <= items[i].high; value++)
			bits |= 1U << (unsigned)value;
	return bits;
}

static void range_lists_agree_with_bit_sets(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct small a, b;
		struct span out[2 * VALUES];
		size_t count;

		small_set(&a, 1 + random_below((1U << VALUES) - 1));
		small_set(&b, 1 + random_below((1U << VALUES) - 1));
		count = spans_intersect(&a.spans, &b.spans, out);
		assert_int_equal(bits_of(out, count), a.bits & b.bits);
		count = spans_subtract(&a.spans, &b.spans, out);
		assert_int_equal(bits_of(out, count), a.bits & ~b.bits);
		assert_int_equal(spans_meet(&a.spans, &b.spans), (a.bits & b.bits) != 0);
		assert_int_equal(spans_within(&a.spans, &b.spans), (a.bits & ~b.bits) == 0);
		assert_int_equal(spans_contain(&a.spans, 5), a.bits >> 5 & 1);
		assert_int_equal(spans_equal(&a.spans, &b.spans), a.bits == b.bits);
	}
}

static void range_lists_reach_the_last_128_bit_value(void **state)
{
	const u128 last = ~(u128)0;
	struct span all[] = { { 0, last } }, end[] = { { last, last } }, out[4];
	struct spans a = { all, 1 }, b = { end, 1 };

	(void)state;
	assert_int_equal(spans_subtract(&a, &b, out), 1);
	assert_true(out[0].low == 0 && out[0].high == last - 1);
	assert_int_equal(spans_intersect(&a, &b, out), 1);
	assert_true(out[0].low == last && out[0].high == last);
	assert_int_equal(spans_subtract(&b, &a, out), 0);
	out[0] = all[0];
	out[1] = end[0];
	assert_int_equal(spans_normalise(out, 2), 1);
}

/* Regions of two fields, one question and two kinds: 12 * 12 * 2 * 2 packets. */
static struct small full_values;
static const struct spans *full[REGION_FIELDS];

struct small_region {
	struct region region;
	struct small source;
	struct small port;
};

static void random_region(struct small_region *out)
{
	memset(&out->region, 0, sizeof(out->region));
	out->region.kinds[0] = 1 + random_below(3);
	/* Every value is NULL, never a list. */
	if (random_below(3)) {
		small_set(&out->source, 1 + random_below((1U << VALUES) - 2));
		out->region.field[REGION_SOURCE] = &out->source.spans;
	}
	if (random_below(3)) {
		uint32_t low = random_below(VALUES);
		uint32_t high = low + random_below(VALUES - low - (low == 0));

		small_set(&out->port, (2U << high) - (1U << low));
		out->region.field[REGION_DESTINATION_PORT] = &out->port.spans;
	}
	if (!random_below(3))
		out->region.one[REGION_FACTS] = random_below(2);
	if (!random_below(3))
		out->region.zero[REGION_FACTS] = ~out->region.one[REGION_FACTS] & 1;
}

#define POINTS (VALUES * VALUES * 4)

static struct point point_number(uint32_t number)
{
	struct point point = { .kind = number & 1 };

	point.words[REGION_FACTS] = number >> 1 & 1;
	point.field[REGION_SOURCE] = number / 4 % VALUES;
	point.field[REGION_DESTINATION_PORT] = number / 4 / VALUES;
	return point;
}

static int small_universe(void **state)
{
	small_set(&full_values, (1U << VALUES) - 1);
	for (int i = 0; i < REGION_FIELDS; i++)
		full[i] = &full_values.spans;
	return seed(state);
}

static void relation_tells_disjoint_covered_and_the_number_of_pieces(void **state)
{
	struct scratch scratch;

	(void)state;
	assert_int_equal(scratch_new(1 << 20, &scratch), 0);
	for (int round = 0; round < 5000; round++) {
		struct small_region a, b;
		struct region piece, common;
		struct carve carve;
		uint64_t work = 0;
		unsigned pieces = 0, relation;
		uint8_t seen[POINTS] = { 0 };
		bool meets = false;
		size_t mark;

		random_region(&a);
		random_region(&b);
		scratch.used = 0;
		relation = region_relate(&a.region, &b.region, &work);
		if (relation != REGION_DISJOINT) {
			carve_start(&carve, &a.region, &b.region, full);
			while (carve_next(&carve, &scratch, &piece, &mark) == 1) {
				pieces++;
				for (uint32_t i = 0; i < POINTS; i++) {
					struct point point = point_number(i);

					seen[i] += region_has_point(&piece, &point);
				}
			}
			assert_int_equal(pieces, relation - 1);
			assert_true(region_intersect(&a.region, &b.region, &scratch, &common));
		}
		for (uint32_t i = 0; i < POINTS; i++) {
			struct point point = point_number(i);
			bool in_a = region_has_point(&a.region, &point);
			bool in_b = region_has_point(&b.region, &point);

			meets |= in_a && in_b;
			if (relation != REGION_DISJOINT) {
				assert_int_equal(seen[i], in_a && !in_b);
				assert_int_equal(region_has_point(&carve.rest, &point),
						 in_a && in_b);
				assert_int_equal(region_has_point(&common, &point), in_a && in_b);
			}
		}
		assert_int_equal(meets, relation != REGION_DISJOINT);
	}
	scratch_free(&scratch);
}

/* What a search should find: for each rule, does it decide a packet of the box? */
struct expected {
	bool hit[REGIONS];
	bool end;
};

static bool collect(void *context, const struct candidate *hit, const struct region *region)
{
	struct expected *found = context;

	(void)region;
	if (hit)
		found->hit[hit->rule] = true;
	else
		found->end = true;
	return false;
}

static void expect(const struct small_region *box, const struct small_region *regions,
		   const struct candidate *candidates, struct expected *expected)
{
	for (uint32_t i = 0; i < POINTS; i++) {
		struct point point = point_number(i);
		size_t first = 0;

		if (!region_has_point(&box->region, &point))
			continue;
		while (first < REGIONS && !region_has_point(&regions[first].region, &point))
			first++;
		if (first == REGIONS)
			expected->end = true;
		else if (candidates[first].role == SEARCH_HITS)
			expected->hit[first] = true;
	}
}

static void search_finds_exactly_the_first_deciders(void **state)
{
	struct scratch scratch;

	(void)state;
	assert_int_equal(scratch_new(1 << 20, &scratch), 0);
	for (int round = 0; round < 3000; round++) {
		struct small_region box, regions[REGIONS];
		struct candidate candidates[REGIONS];
		struct expected expected = { 0 }, found = { 0 };
		struct search search = {
			.full = full,
			.scratch = &scratch,
			.limit = UINT64_MAX,
			.end_hits = true,
			.found = collect,
			.context = &found,
		};

		random_region(&box);
		for (uint32_t i = 0; i < REGIONS; i++) {
			random_region(&regions[i]);
			candidates[i] = (struct candidate){
				.region = &regions[i].region,
				.rule = i,
				.role = random_below(2) ? SEARCH_HITS : SEARCH_TAKES,
			};
		}
		expect(&box, regions, candidates, &expected);
		assert_int_equal(search_run(&search, &box.region, candidates, REGIONS),
				 SEARCH_NOTHING);
		assert_memory_equal(&found, &expected, sizeof(found));
		assert_int_equal(scratch.used, 0);
	}
	scratch_free(&scratch);
}

static void search_says_undecided_when_work_or_memory_run_out(void **state)
{
	struct small_region box, regions[REGIONS];
	struct candidate candidates[REGIONS];
	struct expected found = { 0 };
	struct scratch scratch, tiny;
	struct search search = {
		.full = full,
		.scratch = &scratch,
		.limit = 1,
		.end_hits = true,
		.found = collect,
		.context = &found,
	};

	(void)state;
	assert_int_equal(scratch_new(1 << 20, &scratch), 0);
	assert_int_equal(scratch_new(64, &tiny), 0);
	memset(&box, 0, sizeof(box));
	box.region.kinds[0] = 3;
	for (uint32_t i = 0; i < REGIONS; i++) {
		regions[i] = box;
		small_set(&regions[i].source, 1U << i);
		regions[i].region.field[REGION_SOURCE] = &regions[i].source.spans;
		candidates[i] = (struct candidate){ .region = &regions[i].region, .rule = i };
	}
	assert_int_equal(search_run(&search, &box.region, candidates, REGIONS), SEARCH_UNDECIDED);
	search.limit = UINT64_MAX;
	search.work = 0;
	search.scratch = &tiny;
	assert_int_equal(search_run(&search, &box.region, candidates, REGIONS), SEARCH_UNDECIDED);
	search.scratch = &scratch;
	assert_int_equal(search_run(&search, &box.region, candidates, REGIONS), SEARCH_NOTHING);
	assert_true(found.end);
	scratch_free(&scratch);
	scratch_free(&tiny);
}

/* Around all values of a field: what the index goes by. */
static bool hulls_meet(const struct region *a, const struct region *b)
{
	for (int i = 0; i < OVERLAP_FIELDS; i++) {
		const struct spans *x = a->field[i] ? a->field[i] : full[i];
		const struct spans *y = b->field[i] ? b->field[i] : full[i];

		if (x->items[0].low > y->items[y->count - 1].high ||
		    y->items[0].low > x->items[x->count - 1].high)
			return false;
	}
	return true;
}

static void overlap_index_finds_what_may_meet_and_nothing_else(void **state)
{
	enum { MANY = 700 };
	static struct small_region regions[MANY];
	static struct region copies[MANY];
	struct layer layer = { .regions = copies, .count = MANY };
	struct space_family family = { 0 };
	struct overlap_found found;
	struct overlap overlap;

	(void)state;
	overlap_found_new(MANY, &found);
	memcpy(family.full, full, sizeof(full));
	for (uint32_t i = 0; i < MANY; i++) {
		random_region(&regions[i]);
		copies[i] = regions[i].region;
	}
	overlap_build(&family, &layer, &overlap);
	for (int round = 0; round < 300; round++) {
		uint32_t from = random_below(MANY), to = from + random_below(MANY - from + 1);
		uint64_t work = 0;
		struct small_region box;
		size_t next = from;

		random_region(&box);
		overlap_find(&overlap, &box.region, from, to, &found);
		assert_int_equal(overlap_next(&overlap, &found, 0),
				 overlap_next(&overlap, &found, from));
		for (size_t i = from; i < MANY; i++) {
			bool is_found = overlap_next(&overlap, &found, i) == i;

			if (i >= next)
				next = overlap_next(&overlap, &found, i);
			assert_int_equal(is_found, next == i);
			if (is_found)
				assert_true(i < to && hulls_meet(&box.region, &copies[i]));
			else if (i < to)
				assert_int_equal(region_relate(&box.region, &copies[i], &work),
						 REGION_DISJOINT);
		}
	}
	overlap_found_free(&found);
	overlap_free(&overlap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(range_lists_agree_with_bit_sets),
		cmocka_unit_test(range_lists_reach_the_last_128_bit_value),
		cmocka_unit_test(relation_tells_disjoint_covered_and_the_number_of_pieces),
		cmocka_unit_test(search_finds_exactly_the_first_deciders),
		cmocka_unit_test(search_says_undecided_when_work_or_memory_run_out),
		cmocka_unit_test(overlap_index_finds_what_may_meet_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, small_universe, NULL);
}
