/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Branch and bound. Rows of an axis stand in a binary tree, in an order in which neighbours have
 * most bits in common. A node knows the bits that any of its rows has (the union), those that all
 * have (the common ones), and the most that one of them has beyond those. Packets of three nodes
 * leave no more than the AND of the unions, nor, for either address axis, more than the AND with
 * what is common and that most. The second is what makes it fast: far up, a union has nearly all
 * bits, but each row few of its own. The axis whose halves have the lower bounds is split.
 */
#include "compiler/worst.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

#define WORK_MAX   (1ULL << 26) /* words ANDed: a fraction of a second */
#define LEVELS_MAX 33

/*
 * Address rows are sorted by their bits, which bring those together that the same wide prefixes
 * accept: ipc1_10k is proved in a third of the steps that the order of addresses takes. Of more
 * rows the sorting takes longer than it saves.
 */
#define SORTED_MAX 4096

#ifdef __x86_64__
#define POPCOUNT_TARGET __attribute__((target("popcnt")))
#define HAS_POPCOUNT	__builtin_cpu_supports("popcnt")
#else /* the compiler knows */
#define POPCOUNT_TARGET
#define HAS_POPCOUNT true
#endif

struct level {
	uint64_t *unions;
	uint64_t *commons;
	uint64_t *summaries; /* a bit for each word in which the union has some */
	uint32_t *beyond;    /* bits of one row that are not common, at most */
	size_t count;
};

/* Level 0 are the rows, and node n of a level lies above 2 n and 2 n + 1 of the one below. */
struct tree {
	struct level levels[LEVELS_MAX];
	size_t top;
};

struct node {
	size_t level;
	size_t number;
};

struct search {
	struct tree trees[WORST_AXES];
	size_t words;
	enum worst_cost cost;
	bool has_popcount;
	uint64_t work;
	struct worst worst;
};

/* Where the instruction is not known to be there, popcount would be a call. */
static inline size_t count_bits(uint64_t word, bool has_popcount)
{
	if (has_popcount)
		return (size_t)__builtin_popcountll(word);
	word -= word >> 1 & 0x5555555555555555ULL;
	word = (word & 0x3333333333333333ULL) + (word >> 2 & 0x3333333333333333ULL);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return word * 0x0101010101010101ULL >> 56;
}

static bool is_subset(const uint64_t *a, const uint64_t *b, size_t words)
{
	for (size_t i = 0; i < words; i++)
		if (a[i] & ~b[i])
			return false;
	return true;
}

static int compare_rows(const void *a, const void *b, void *words)
{
	const uint64_t *x = *(const uint64_t *const *)a, *y = *(const uint64_t *const *)b;

	for (size_t i = 0; i < *(const size_t *)words; i++)
		if (x[i] != y[i]) /* who has the lowest bit that differs comes first */
			return (x[i] & (x[i] ^ y[i]) & -(x[i] ^ y[i])) ? -1 : 1;
	return 0;
}

/* The rows in the order in which they stand in the tree; freed by the caller. */
static const uint64_t **order_rows(const struct rows *rows, size_t words, bool is_address)
{
	const uint64_t **order = memory_new(rows->count, sizeof(*order));

	for (size_t i = 0; i < rows->count; i++)
		order[i] = rows_at(rows, i);
	if (is_address && rows->count <= SORTED_MAX)
		qsort_r(order, rows->count, sizeof(*order), compare_rows, &words);
	return order;
}

static uint64_t summary_of(const uint64_t *row, size_t words)
{
	uint64_t summary = 0;

	for (size_t i = 0; i < words; i++)
		summary |= (uint64_t) !!row[i] << i;
	return summary;
}

/* Level 0: without rows that are a part of a neighbour, as those of shorter prefixes are. */
static void plant(struct level *level, const uint64_t *const *rows, size_t row_count, size_t words)
{
	uint64_t *kept = memory_new(row_count * words, sizeof(*kept));
	size_t count = 0;

	for (size_t i = 0; i < row_count; i++) {
		if (count && is_subset(rows[i], kept + (count - 1) * words, words))
			continue;
		while (count && is_subset(kept + (count - 1) * words, rows[i], words))
			count--;
		memcpy(kept + count++ * words, rows[i], words * sizeof(*kept));
	}
	level->unions = kept;
	level->commons = kept;
	level->beyond = memory_new(count, sizeof(*level->beyond));
	level->summaries = memory_new(count, sizeof(*level->summaries));
	for (size_t i = 0; i < count; i++)
		level->summaries[i] = summary_of(kept + i * words, words);
	level->count = count;
}

/* Node n of the level above `below`, from its two halves. */
static void join(const struct level *below, struct level *above, size_t n, size_t words)
{
	size_t left = 2 * n, right = left + 1 < below->count ? left + 1 : left;
	size_t beyond[2] = { below->beyond[left], below->beyond[right] };

	for (size_t i = 0; i < words; i++) {
		uint64_t a = below->commons[left * words + i];
		uint64_t b = below->commons[right * words + i];

		above->unions[n * words + i] =
			below->unions[left * words + i] | below->unions[right * words + i];
		above->commons[n * words + i] = a & b;
		beyond[0] += count_bits(a & ~b, false);
		beyond[1] += count_bits(b & ~a, false);
	}
	above->beyond[n] = beyond[0] > beyond[1] ? beyond[0] : beyond[1];
	above->summaries[n] = below->summaries[left] | below->summaries[right];
}

static void grow(struct tree *tree, const struct rows *rows, size_t words, bool is_address)
{
	_cleanup_free_ const uint64_t **order = order_rows(rows, words, is_address);
	struct level *level = &tree->levels[0];

	plant(level, order, rows->count, words);
	for (; level->count > 1; level++) {
		struct level above = { .count = (level->count + 1) / 2 };

		above.unions = memory_new(above.count * words, sizeof(*above.unions));
		above.commons = memory_new(above.count * words, sizeof(*above.commons));
		above.beyond = memory_new(above.count, sizeof(*above.beyond));
		above.summaries = memory_new(above.count, sizeof(*above.summaries));
		for (size_t n = 0; n < above.count; n++)
			join(level, &above, n, words);
		level[1] = above;
		tree->top++;
	}
}

static void fell(struct tree *tree)
{
	for (size_t i = 0; i <= tree->top; i++) {
		if (i)
			free(tree->levels[i].commons);
		free(tree->levels[i].unions);
		free(tree->levels[i].beyond);
		free(tree->levels[i].summaries);
	}
}

static const uint64_t *node_union(const struct search *search, int axis, struct node node)
{
	return search->trees[axis].levels[node.level].unions + node.number * search->words;
}

static const uint64_t *node_common(const struct search *search, int axis, struct node node)
{
	return search->trees[axis].levels[node.level].commons + node.number * search->words;
}

static uint64_t node_summary(const struct search *search, int axis, struct node node)
{
	return search->trees[axis].levels[node.level].summaries[node.number];
}

static size_t node_beyond(const struct search *search, int axis, struct node node)
{
	return search->trees[axis].levels[node.level].beyond[node.number];
}

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * No packet of the three nodes needs more rounds: by the AND of the unions, and by what is common
 * to the rows of one address axis, or of both, with what one may have beyond. A word is read where
 * each of the rows has a bit in it, as their summaries tell, though they may have none in common.
 */
static inline __attribute__((always_inline)) size_t
bound_counting(struct search *search, const struct node nodes[WORST_AXES], bool has_popcount)
{
	const uint64_t *unions[WORST_AXES];
	const uint64_t *source = node_common(search, 0, nodes[0]);
	const uint64_t *destination = node_common(search, 1, nodes[1]);
	size_t first = node_beyond(search, 0, nodes[0]), second = node_beyond(search, 1, nodes[1]);
	size_t both = first + second, bits = 0, words = 0;
	uint64_t summary = ~0ULL;

	for (int axis = 0; axis < WORST_AXES; axis++) {
		unions[axis] = node_union(search, axis, nodes[axis]);
		summary &= node_summary(search, axis, nodes[axis]);
	}
	if (search->cost != WORST_BITS)
		words = count_bits(summary & ~1ULL, has_popcount);
	search->work += search->words;
	for (; summary; summary &= summary - 1) {
		size_t i = (size_t)__builtin_ctzll(summary);
		uint64_t left = unions[0][i] & unions[1][i] & unions[2][i];

		bits += count_bits(left, has_popcount);
		first += count_bits(left & source[i], has_popcount);
		second += count_bits(left & destination[i], has_popcount);
		both += count_bits(left & source[i] & destination[i], has_popcount);
	}
	return words + lesser(lesser(bits, both), lesser(first, second));
}

POPCOUNT_TARGET static size_t bound_popcount(struct search *search,
					     const struct node nodes[WORST_AXES])
{
	return bound_counting(search, nodes, true);
}

static size_t bound(struct search *search, const struct node nodes[WORST_AXES])
{
	return search->has_popcount ? bound_popcount(search, nodes)
				    : bound_counting(search, nodes, false);
}

/* Two halves of one axis; the second has no nodes if the tree ends there. */
struct split {
	int axis;
	struct node halves[2];
	size_t bounds[2];
};

static void split_axis(struct search *search, struct node nodes[WORST_AXES], int axis,
		       struct split *split)
{
	struct node whole = nodes[axis];

	split->axis = axis;
	for (size_t i = 0; i < 2; i++) {
		struct node half = { whole.level - 1, 2 * whole.number + i };

		split->halves[i] = half;
		split->bounds[i] = 0;
		if (half.number >= search->trees[axis].levels[half.level].count)
			continue;
		nodes[axis] = half;
		split->bounds[i] = bound(search, nodes);
	}
	nodes[axis] = whole;
}

static size_t larger(const struct split *split)
{
	return split->bounds[0] > split->bounds[1] ? split->bounds[0] : split->bounds[1];
}

static void take_worst(struct search *search, const struct node nodes[WORST_AXES], size_t rounds)
{
	struct worst *worst = &search->worst;

	worst->rounds = rounds;
	worst->candidates = 0;
	for (size_t i = 0; i < search->words; i++) {
		worst->bits[i] = node_union(search, 0, nodes[0])[i] &
				 node_union(search, 1, nodes[1])[i] &
				 node_union(search, 2, nodes[2])[i];
		worst->candidates += count_bits(worst->bits[i], false);
	}
}

static void descend(struct search *search, struct node nodes[WORST_AXES], size_t rounds)
{
	struct split best = { .axis = -1 };
	struct node whole;

	if (rounds <= search->worst.rounds || !search->worst.exact)
		return;
	if (search->work > WORK_MAX) {
		search->worst.exact = false;
		return;
	}
	for (int axis = 0; axis < WORST_AXES; axis++) {
		struct split split;

		if (!nodes[axis].level)
			continue;
		split_axis(search, nodes, axis, &split);
		if (best.axis < 0 || larger(&split) < larger(&best) ||
		    (larger(&split) == larger(&best) && nodes[axis].level > nodes[best.axis].level))
			best = split;
		if (larger(&best) <= search->worst.rounds)
			return; /* no packet of either half is worse */
	}
	if (best.axis < 0) {
		take_worst(search, nodes, rounds);
		return;
	}
	whole = nodes[best.axis];
	for (int i = 0; i < 2; i++) {
		int half = (best.bounds[1] > best.bounds[0]) ^ i;

		nodes[best.axis] = best.halves[half];
		descend(search, nodes, best.bounds[half]);
	}
	nodes[best.axis] = whole;
}

void worst_find(const struct rows *const axes[WORST_AXES], size_t words, enum worst_cost cost,
		size_t enough, struct worst *ret_worst)
{
	struct search search = { .words = words, .cost = cost, .has_popcount = HAS_POPCOUNT };
	struct node nodes[WORST_AXES];

	search.worst = (struct worst){
		.exact = true,
		.rounds = enough,
		.bits = memory_new(words, sizeof(uint64_t)),
	};
	for (int i = 0; i < WORST_AXES; i++) {
		grow(&search.trees[i], axes[i], words, i < 2);
		nodes[i] = (struct node){ search.trees[i].top, 0 };
	}
	descend(&search, nodes, bound(&search, nodes));
	for (int i = 0; i < WORST_AXES; i++)
		fell(&search.trees[i]);
	*ret_worst = search.worst;
}
