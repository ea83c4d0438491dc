/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Branch and bound. Rows of an axis stand in a binary tree, in the order of addresses and ports, so
 * that neighbours have most bits in common. A node knows the bits that any of its rows has (the
 * union), those that all have (the common ones), and the most that one of them has beyond those.
 * Packets of three nodes leave no more than the AND of the unions, nor, for either address axis,
 * more than the AND with what is common and that most. The second is what makes it fast: far up,
 * a union has nearly all bits, but each row few of its own. The axis whose halves have the lower
 * bounds is split.
 */
#include "compiler/worst.h"

#include <string.h>

#include "base/memory.h"

#define WORK_MAX   (1ULL << 26) /* words ANDed: a fraction of a second */
#define LEVELS_MAX 33

struct level {
	uint64_t *unions;
	uint64_t *commons;
	uint32_t *beyond; /* bits of one row that are not common, at most */
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

static bool is_subset(const uint64_t *a, const uint64_t *b, size_t words)
{
	for (size_t i = 0; i < words; i++)
		if (a[i] & ~b[i])
			return false;
	return true;
}

/* Level 0: without rows that are a part of a neighbour, as those of shorter prefixes are. */
static void plant(struct level *level, const struct rows *rows, size_t words)
{
	uint64_t *kept = memory_new(rows->count * words, sizeof(*kept));
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++) {
		const uint64_t *row = rows_at(rows, i);

		if (count && is_subset(row, kept + (count - 1) * words, words))
			continue;
		while (count && is_subset(kept + (count - 1) * words, row, words))
			count--;
		memcpy(kept + count++ * words, row, words * sizeof(*row));
	}
	level->unions = kept;
	level->commons = kept;
	level->beyond = memory_new(count, sizeof(*level->beyond));
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
		beyond[0] += count_bits(a & ~b);
		beyond[1] += count_bits(b & ~a);
	}
	above->beyond[n] = beyond[0] > beyond[1] ? beyond[0] : beyond[1];
}

static void grow(struct tree *tree, const struct rows *rows, size_t words)
{
	struct level *level = &tree->levels[0];

	plant(level, rows, words);
	for (; level->count > 1; level++) {
		struct level above = { .count = (level->count + 1) / 2 };

		above.unions = memory_new(above.count * words, sizeof(*above.unions));
		above.commons = memory_new(above.count * words, sizeof(*above.commons));
		above.beyond = memory_new(above.count, sizeof(*above.beyond));
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

static size_t node_beyond(const struct search *search, int axis, struct node node)
{
	return search->trees[axis].levels[node.level].beyond[node.number];
}

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* By what is common to the rows of one address axis, or of both, and what one may have beyond. */
static size_t bound_bits(const struct search *search, const struct node nodes[WORST_AXES],
			 const uint64_t *const unions[WORST_AXES])
{
	const uint64_t *source = node_common(search, 0, nodes[0]);
	const uint64_t *destination = node_common(search, 1, nodes[1]);
	size_t first = node_beyond(search, 0, nodes[0]), second = node_beyond(search, 1, nodes[1]);
	size_t both = first + second;

	for (size_t i = 0; i < search->words; i++) {
		uint64_t left = unions[0][i] & unions[1][i] & unions[2][i];

		if (!left)
			continue;
		first += count_bits(left & source[i]);
		second += count_bits(left & destination[i]);
		both += count_bits(left & source[i] & destination[i]);
	}
	return lesser(both, lesser(first, second));
}

/*
 * No packet of the three nodes needs more rounds. A word is read where each of the rows has a bit
 * in it, as their summaries tell, though they may have none in common.
 */
static size_t bound(struct search *search, const struct node nodes[WORST_AXES])
{
	const uint64_t *unions[WORST_AXES];
	size_t words = 0, bits = 0;

	for (int axis = 0; axis < WORST_AXES; axis++)
		unions[axis] = node_union(search, axis, nodes[axis]);
	for (size_t i = 0; i < search->words; i++) {
		words += i && unions[0][i] && unions[1][i] && unions[2][i];
		bits += count_bits(unions[0][i] & unions[1][i] & unions[2][i]);
	}
	if (search->cost == WORST_BITS)
		words = 0;
	search->work += search->words;
	if (bits + words <= search->worst.rounds)
		return bits + words;
	if (nodes[0].level || nodes[1].level)
		bits = lesser(bits, bound_bits(search, nodes, unions));
	return bits + words;
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
		worst->candidates += count_bits(worst->bits[i]);
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
	struct search search = { .words = words, .cost = cost };
	struct node nodes[WORST_AXES];

	search.worst = (struct worst){
		.exact = true,
		.rounds = enough,
		.bits = memory_new(words, sizeof(uint64_t)),
	};
	for (int i = 0; i < WORST_AXES; i++) {
		grow(&search.trees[i], axes[i], words);
		nodes[i] = (struct node){ search.trees[i].top, 0 };
	}
	descend(&search, nodes, bound(&search, nodes));
	for (int i = 0; i < WORST_AXES; i++)
		fell(&search.trees[i]);
	*ret_worst = search.worst;
}
