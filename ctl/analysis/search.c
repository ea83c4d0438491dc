/* SPDX-License-Identifier: GPL-2.0-only */
/* Depth first: pieces are small, memory is given back on the way, and the first find may end it. */
#include "analysis/search.h"

#include <string.h>

#define DEPTH_MAX 2000

/* Packets are drawn at random where candidates take less of the box than this. */
#define DRAW_BELOW 0.95

/* A box and the candidates that may still meet it. */
struct node {
	struct region box;
	struct candidate *candidates;
	size_t count;
	size_t chosen; /* the one to carve out next */
	double taken;  /* about how much of the box those before the first hit take, each by itself
			*/
	unsigned depth;
};

enum step {
	STEP_GONE,  /* all of the box is taken, or there is nothing to hit */
	STEP_EMPTY, /* no candidate is left */
	STEP_HIT,   /* the first candidate that has a packet of the box is one we look for */
	STEP_CARVE, /* node->chosen takes a part */
};

static void take(struct search *search, const struct candidate *candidate)
{
	if (search->taken)
		search->taken[candidate->rule] = true;
}

/*
 * Drops the candidates that do not meet the box. Those before the first hit may be carved out in
 * any order: the one that takes most of the box goes first.
 */
static enum step narrow(struct search *search, struct node *node)
{
	bool is_leading = true, is_hopeful = search->end_hits;
	double largest = 0;
	size_t kept = 0;

	node->taken = 0;
	for (size_t i = 0; i < node->count; i++) {
		const struct candidate *candidate = &node->candidates[i];
		unsigned relation = region_relate(&node->box, candidate->region, &search->work);
		double share;

		if (relation == REGION_DISJOINT)
			continue;
		is_leading &= candidate->role == SEARCH_TAKES;
		is_hopeful |= candidate->role == SEARCH_HITS;
		if (is_leading && relation == REGION_COVERED) {
			take(search, candidate);
			return STEP_GONE;
		}
		if (is_leading) {
			share = region_share(&node->box, candidate->region, search->full);
			node->taken += share;
			if (share > largest) {
				largest = share;
				node->chosen = kept;
			}
		}
		node->candidates[kept++] = *candidate;
		if (relation == REGION_COVERED)
			break; /* nothing gets past it */
	}
	node->count = kept;
	if (!is_hopeful)
		return STEP_GONE;
	if (!kept)
		return STEP_EMPTY;
	return node->candidates[0].role == SEARCH_HITS ? STEP_HIT : STEP_CARVE;
}

static struct candidate pull(struct node *node)
{
	struct candidate chosen = node->candidates[node->chosen];

	node->count--;
	memmove(&node->candidates[node->chosen], &node->candidates[node->chosen + 1],
		(node->count - node->chosen) * sizeof(chosen));
	return chosen;
}

static enum search_result report(struct search *search, const struct node *node,
				 const struct candidate *hit)
{
	struct region common;

	if (!hit)
		return search->found(search->context, NULL, &node->box) ? SEARCH_FOUND
									: SEARCH_NOTHING;
	if (!region_intersect(&node->box, hit->region, search->scratch, &common))
		return SEARCH_UNDECIDED;
	return search->found(search->context, hit, &common) ? SEARCH_FOUND : SEARCH_NOTHING;
}

static uint64_t random_next(struct search *search)
{
	search->random ^= search->random << 13;
	search->random ^= search->random >> 7;
	search->random ^= search->random << 17;
	return search->random * 0x2545f4914f6cdd1dULL;
}

static u128 random_value(struct search *search, const struct spans *values)
{
	const struct span *span = &values->items[random_next(search) % values->count];
	u128 number = (u128)random_next(search) << 64 | random_next(search);
	u128 size = span->high - span->low + 1;

	return span->low + (size ? number % size : number);
}

static uint32_t random_kind(struct search *search, const struct region *box)
{
	unsigned count = 0, wanted;

	for (int i = 0; i < REGION_KIND_WORDS; i++)
		count += (unsigned)__builtin_popcountll(box->kinds[i]);
	wanted = (unsigned)(random_next(search) % count);
	for (uint32_t i = 0;; i++) {
		uint64_t kinds = box->kinds[i];
		unsigned here = (unsigned)__builtin_popcountll(kinds);

		if (wanted >= here) {
			wanted -= here;
			continue;
		}
		while (wanted--)
			kinds &= kinds - 1;
		return i * 64 + (unsigned)__builtin_ctzll(kinds);
	}
}

static void random_point(struct search *search, const struct region *box, struct point *point)
{
	for (int i = 0; i < REGION_FIELDS; i++)
		point->field[i] =
			random_value(search, box->field[i] ? box->field[i] : search->full[i]);
	for (int i = 0; i < REGION_WORDS; i++)
		point->words[i] = box->one[i] | (random_next(search) & ~box->zero[i]);
	point->words[REGION_FACTS] =
		box->one[REGION_FACTS] | (REGION_FACT_MAC & ~box->zero[REGION_FACTS]);
	point->kind = random_kind(search, box);
}

/* The bits of the words that the box or a candidate asks for. */
static uint64_t asked_bits(const struct node *node, int word)
{
	uint64_t asked = node->box.one[word] | node->box.zero[word];

	for (size_t i = 0; i < node->count; i++)
		asked |= node->candidates[i].region->one[word] |
			 node->candidates[i].region->zero[word];
	return asked;
}

static bool asks_for(const struct node *node, int field)
{
	bool asked = node->box.field[field];

	for (size_t i = 0; i < node->count && !asked; i++)
		asked = node->candidates[i].region->field[field];
	return asked;
}

/*
 * The packets that are the same to all candidates: what none asks for stays open, so that a
 * familiar one can be shown. False: the scratch is full.
 */
static bool point_region(struct search *search, const struct node *node, const struct point *point,
			 struct region *ret_region)
{
	struct region region = { 0 };

	for (int i = 0; i < REGION_FIELDS; i++) {
		struct spans *list = scratch_alloc(search->scratch, sizeof(*list));
		struct span *item = scratch_alloc(search->scratch, sizeof(*item));

		if (!list || !item)
			return false;
		*item = (struct span){ point->field[i], point->field[i] };
		*list = (struct spans){ .items = item, .count = 1 };
		if (asks_for(node, i))
			region.field[i] = list;
	}
	for (int i = 0; i < REGION_WORDS; i++) {
		uint64_t asked = asked_bits(node, i);

		region.one[i] = point->words[i] & asked;
		region.zero[i] = ~point->words[i] & asked;
	}
	region_add_kind(&region, point->kind);
	*ret_region = region;
	return true;
}

/*
 * Where candidates take only a part of the box, a packet drawn at random is soon one that they
 * leave; carving them all out to find it could take for ever.
 */
static enum search_result draw(struct search *search, const struct node *node)
{
	unsigned draws = node->taken < 0.5 ? 8 : 32;
	size_t mark = search->scratch->used;
	enum search_result result = SEARCH_NOTHING;

	for (unsigned i = 0; i < draws && result == SEARCH_NOTHING; i++) {
		const struct candidate *hit = NULL;
		struct region region;
		struct point point;
		size_t at = 0;

		random_point(search, &node->box, &point);
		while (at < node->count && !region_has_point(node->candidates[at].region, &point))
			at++;
		search->work += at / 2 + 1;
		if (at < node->count)
			hit = &node->candidates[at];
		if (hit ? hit->role == SEARCH_TAKES : !search->end_hits)
			continue;
		if (point_region(search, node, &point, &region) &&
		    search->found(search->context, hit, &region))
			result = SEARCH_FOUND;
		search->scratch->used = mark;
	}
	return result;
}

static enum search_result descend(struct search *search, const struct node *parent,
				  const struct region *box);

/* All pieces but the last go deeper; the last becomes the node's own box. */
static enum search_result carve(struct search *search, struct node *node,
				const struct candidate *chosen, unsigned pieces)
{
	struct carve state;
	struct region piece;
	size_t mark;

	carve_start(&state, &node->box, chosen->region, search->full);
	for (; pieces; pieces--) {
		enum search_result result;

		if (carve_next(&state, search->scratch, &piece, &mark) != 1)
			return SEARCH_UNDECIDED;
		if (pieces == 1)
			break;
		result = descend(search, node, &piece);
		if (result != SEARCH_NOTHING)
			return result;
		search->scratch->used = mark;
	}
	node->box = piece;
	return SEARCH_NOTHING;
}

static enum search_result explore(struct search *search, struct node *node)
{
	for (;;) {
		enum search_result result = SEARCH_NOTHING;
		struct candidate chosen;
		unsigned pieces;
		enum step step;

		if (search->work > search->limit || node->depth > DEPTH_MAX)
			return SEARCH_UNDECIDED;
		step = narrow(search, node);
		if (step == STEP_GONE)
			return SEARCH_NOTHING;
		if (step == STEP_EMPTY)
			return report(search, node, NULL);
		if (step == STEP_HIT) {
			node->chosen = 0;
			result = report(search, node, &node->candidates[0]);
		} else {
			take(search, &node->candidates[node->chosen]);
			if (node->taken < DRAW_BELOW && node->count > 1)
				result = draw(search, node);
		}
		if (result != SEARCH_NOTHING)
			return result;
		chosen = pull(node);
		pieces = region_relate(&node->box, chosen.region, &search->work) - 1;
		if (!pieces)
			return SEARCH_NOTHING;
		result = carve(search, node, &chosen, pieces);
		if (result != SEARCH_NOTHING)
			return result;
	}
}

static enum search_result descend(struct search *search, const struct node *parent,
				  const struct region *box)
{
	size_t size = parent->count * sizeof(parent->candidates[0]);
	struct node node = {
		.box = *box,
		.candidates = scratch_alloc(search->scratch, size),
		.count = parent->count,
		.depth = parent->depth + 1,
	};

	/* To narrow them down once costs as much as there are. */
	if (!node.candidates || search->work + parent->count > search->limit)
		return SEARCH_UNDECIDED;
	memcpy(node.candidates, parent->candidates, size);
	return explore(search, &node);
}

enum search_result search_run(struct search *search, const struct region *box,
			      const struct candidate *candidates, size_t count)
{
	const struct node parent = {
		.candidates = (struct candidate *)(uintptr_t)candidates,
		.count = count,
	};
	size_t mark = search->scratch->used;
	enum search_result result;

	search->random = 0x9e3779b97f4a7c15ULL; /* the same answer every time */
	result = descend(search, &parent, box);

	search->scratch->used = mark;
	return result;
}
