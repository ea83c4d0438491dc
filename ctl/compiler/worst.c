/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An AND of rows has no more bits than its emptiest row, so rows are tried in falling order of
 * their bits, and only while that is more than the worst that was found.
 */
#include "compiler/worst.h"

#include <string.h>

#include "base/memory.h"

#define WORK_MAX (1ULL << 30) /* words ANDed */

struct ranked {
	const uint64_t *row;
	size_t rounds;
};

struct search {
	struct ranked *axes[WORST_AXES];
	size_t counts[WORST_AXES];
	uint64_t *partial[WORST_AXES]; /* the AND of the rows chosen so far */
	size_t words;
	uint64_t work;
	struct worst worst;
};

/* Without the instruction, popcount would be a call. */
static size_t count_bits(uint64_t word)
{
	word -= word >> 1 & 0x5555555555555555ULL;
	word = (word & 0x3333333333333333ULL) + (word >> 2 & 0x3333333333333333ULL);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return word * 0x0101010101010101ULL >> 56;
}

static size_t and_rows(const uint64_t *a, const uint64_t *b, size_t words, uint64_t *out,
		       size_t *ret_bits)
{
	size_t bits = 0, used = 0;

	for (size_t i = 0; i < words; i++) {
		out[i] = a[i] & b[i];
		if (!out[i])
			continue;
		bits += count_bits(out[i]);
		used++;
	}
	*ret_bits = bits;
	return bits + used;
}

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return (x->rounds < y->rounds) - (x->rounds > y->rounds);
}

static struct ranked *rank(const struct rows *rows, size_t words, uint64_t *scratch)
{
	struct ranked *ranked = memory_new(rows->count, sizeof(*ranked));
	size_t bits;

	for (size_t i = 0; i < rows->count; i++) {
		ranked[i].row = rows_at(rows, i);
		ranked[i].rounds = and_rows(ranked[i].row, ranked[i].row, words, scratch, &bits);
	}
	qsort(ranked, rows->count, sizeof(*ranked), compare_ranked);
	return ranked;
}

static void search_axis(struct search *search, int axis)
{
	const struct ranked *rows = search->axes[axis];
	uint64_t *out = search->partial[axis];

	for (size_t i = 0; i < search->counts[axis] && rows[i].rounds > search->worst.rounds; i++) {
		const uint64_t *before = axis ? search->partial[axis - 1] : rows[i].row;
		size_t bits, rounds = and_rows(before, rows[i].row, search->words, out, &bits);

		search->work += search->words;
		if (search->work > WORK_MAX)
			search->worst.exact = false;
		if (!search->worst.exact)
			return;
		if (rounds <= search->worst.rounds)
			continue;
		if (axis + 1 < WORST_AXES) {
			search_axis(search, axis + 1);
			continue;
		}
		search->worst.rounds = rounds;
		search->worst.candidates = bits;
		memcpy(search->worst.bits, out, search->words * sizeof(*out));
	}
}

void worst_find(const struct rows *const axes[WORST_AXES], size_t words, size_t enough,
		struct worst *ret_worst)
{
	struct search search = { .words = words };

	search.worst = (struct worst){
		.exact = true,
		.rounds = enough,
		.bits = memory_new(words, sizeof(uint64_t)),
	};
	for (int i = 0; i < WORST_AXES; i++) {
		search.partial[i] = memory_new(words, sizeof(uint64_t));
		search.axes[i] = rank(axes[i], words, search.partial[i]);
		search.counts[i] = axes[i]->count;
	}
	search_axis(&search, 0);
	for (int i = 0; i < WORST_AXES; i++) {
		free(search.partial[i]);
		free(search.axes[i]);
	}
	*ret_worst = search.worst;
}
