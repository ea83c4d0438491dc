/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No pair of rows leaves more bits than its fuller one has, so pairs are tried in falling order of
 * that bound, and only while it is above the worst that was found.
 */
#include "compiler/worst.h"

#include "compiler/memory.h"

#define WORK_MAX (1ULL << 28) /* words ANDed: about 0.2 seconds */

struct ranked {
	const uint64_t *row;
	size_t rounds;
};

static size_t row_rounds(const uint64_t *a, const uint64_t *b, size_t words, size_t *ret_bits)
{
	size_t bits = 0, used = 0;

	for (size_t i = 0; i < words; i++) {
		uint64_t word = a[i] & b[i];

		bits += __builtin_popcountll(word);
		used += !!word;
	}
	*ret_bits = bits;
	return bits + used;
}

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return (x->rounds < y->rounds) - (x->rounds > y->rounds);
}

static struct ranked *rank(const struct rows *rows, size_t words)
{
	struct ranked *ranked = memory_new(rows->count, sizeof(*ranked));
	size_t bits;

	for (size_t i = 0; i < rows->count; i++) {
		ranked[i].row = rows_at(rows, i);
		ranked[i].rounds = row_rounds(ranked[i].row, ranked[i].row, words, &bits);
	}
	qsort(ranked, rows->count, sizeof(*ranked), compare_ranked);
	return ranked;
}

static void worst_take(struct worst *worst, const uint64_t *a, const uint64_t *b, size_t words)
{
	worst->rounds = row_rounds(a, b, words, &worst->candidates);
	for (size_t i = 0; i < words; i++)
		worst->bits[i] = a[i] & b[i];
}

void worst_find(const struct rows *source, const struct rows *destination, size_t words,
		struct worst *ret_worst)
{
	struct ranked *a = rank(source, words), *b = rank(destination, words);
	struct worst worst = { .exact = true, .bits = memory_new(words, sizeof(uint64_t)) };
	uint64_t work = 0;
	size_t bits;

	for (size_t i = 0; worst.exact && i < source->count && a[i].rounds > worst.rounds; i++) {
		for (size_t k = 0; k < destination->count && b[k].rounds > worst.rounds; k++) {
			if (row_rounds(a[i].row, b[k].row, words, &bits) > worst.rounds)
				worst_take(&worst, a[i].row, b[k].row, words);
			work += words;
		}
		if (work > WORK_MAX && i + 1 < source->count && a[i + 1].rounds > worst.rounds) {
			worst_take(&worst, a[i + 1].row, a[i + 1].row, words);
			worst.exact = false;
		}
	}
	free(a);
	free(b);
	*ret_worst = worst;
}
