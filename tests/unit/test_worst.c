/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The worst packet of rows: the search with bounds against all packets there are, for rows that
 * overlap as prefixes and ports do (what a wide prefix accepts, all below it accept too).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/worst.h"
#include "random.h"

#define WORDS	 3
#define ROWS_MAX 24
#define SETS	 400
#define PER_WIDE 4 /* rows below one wide prefix */

static struct random numbers;

static uint64_t next(void)
{
	return random_next(&numbers);
}

/* Bits that are set with a chance of 1 in 2, 4, 8, ... */
static uint64_t sparse(unsigned halvings)
{
	uint64_t bits = ~0ULL;

	for (unsigned i = 0; i < halvings; i++)
		bits &= next();
	return bits;
}

static void draw_rows(struct rows *rows, unsigned halvings)
{
	size_t count = 1 + next() % ROWS_MAX;
	uint64_t row[WORDS], wide[WORDS], hash = 0;

	rows_init(rows, WORDS);
	for (size_t i = 0; i < count; i++) {
		for (int word = 0; word < WORDS; word++) {
			if (i % PER_WIDE == 0)
				wide[word] = sparse(halvings);
			row[word] = wide[word] | sparse(halvings + 2);
			hash = (hash ^ row[word]) * 0x9e3779b97f4a7c15ULL;
		}
		rows_intern(rows, row, hash);
	}
}

/* The bits that are left of three rows, and the words, but the first, that all have bits in. */
static size_t rounds_of(const uint64_t *a, const uint64_t *b, const uint64_t *c,
			enum worst_cost cost)
{
	size_t rounds = 0;

	for (int i = 0; i < WORDS; i++) {
		for (uint64_t left = a[i] & b[i] & c[i]; left; left &= left - 1)
			rounds++;
		if (cost == WORST_BITS_AND_WORDS && i > 0)
			rounds += a[i] && b[i] && c[i];
	}
	return rounds;
}

static size_t worst_of_all(const struct rows *axes, enum worst_cost cost)
{
	size_t worst = 0;

	for (size_t i = 0; i < axes[0].count; i++)
		for (size_t j = 0; j < axes[1].count; j++)
			for (size_t k = 0; k < axes[2].count; k++) {
				size_t rounds =
					rounds_of(rows_at(&axes[0], i), rows_at(&axes[1], j),
						  rows_at(&axes[2], k), cost);

				worst = rounds > worst ? rounds : worst;
			}
	return worst;
}

static void check(const struct rows *axes, enum worst_cost cost, size_t expected, size_t enough)
{
	const struct rows *pointers[WORST_AXES] = { &axes[0], &axes[1], &axes[2] };
	struct worst worst;

	worst_find(pointers, WORDS, cost, enough, &worst);
	assert_true(worst.exact);
	assert_int_equal(worst.rounds, expected > enough ? expected : enough);
	if (expected > enough) {
		size_t bits = rounds_of(worst.bits, worst.bits, worst.bits, WORST_BITS);

		assert_int_equal(worst.candidates, bits);
		assert_in_range(expected, bits, cost == WORST_BITS ? bits : bits + WORDS - 1);
	}
	free(worst.bits);
}

static void check_all(const struct rows *axes, enum worst_cost cost, size_t expected)
{
	check(axes, cost, expected, 0);
	check(axes, cost, expected, expected ? expected - 1 : 0);
	check(axes, cost, expected, expected);
	check(axes, cost, expected, expected + 1);
}

static void finds_what_trying_all_packets_finds(void **unused)
{
	size_t largest = 0;

	(void)unused;
	for (uint64_t seed = 1; seed <= SETS; seed++) {
		struct rows axes[WORST_AXES];

		numbers.state = seed;
		for (int i = 0; i < WORST_AXES; i++)
			draw_rows(&axes[i], 1 + seed % 6);
		for (int cost = WORST_BITS; cost <= WORST_BITS_AND_WORDS; cost++) {
			size_t expected = worst_of_all(axes, cost);

			largest = expected > largest ? expected : largest;
			check_all(axes, cost, expected);
		}
		for (int i = 0; i < WORST_AXES; i++)
			rows_free(&axes[i]);
	}
	assert_true(largest > 40); /* not only rows that leave nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_trying_all_packets_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
