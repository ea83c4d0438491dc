/* SPDX-License-Identifier: GPL-2.0-only */
/* Depth first: pieces are small, memory is given back on the way, and the first find may end it. */
#include "analysis/search.h"

#include <string.h>

#define DEPTH_MAX 2000

/* A box and the candidates that may still meet it. */
struct node {
	struct region box;
	struct candidate *candidates;
	size_t count;
	size_t chosen; /* the one to carve out next */
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
 * any order: the one that leaves the fewest pieces goes first.
 */
static enum step narrow(struct search *search, struct node *node)
{
	unsigned fewest = ~0U;
	bool is_leading = true, is_hopeful = search->end_hits;
	size_t kept = 0;

	for (size_t i = 0; i < node->count; i++) {
		const struct candidate *candidate = &node->candidates[i];
		unsigned relation = region_relate(&node->box, candidate->region, &search->work);

		if (relation == REGION_DISJOINT)
			continue;
		is_leading &= candidate->role == SEARCH_TAKES;
		is_hopeful |= candidate->role == SEARCH_HITS;
		if (is_leading && relation == REGION_COVERED) {
			take(search, candidate);
			return STEP_GONE;
		}
		if (is_leading && relation < fewest) {
			fewest = relation;
			node->chosen = kept;
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
	return fewest == ~0U ? STEP_HIT : STEP_CARVE;
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
		return search->found(search->context, NULL, &node->box) ? SEARCH_FOUND :
									   SEARCH_NOTHING;
	if (!region_intersect(&node->box, hit->region, search->scratch, &common))
		return SEARCH_UNDECIDED;
	return search->found(search->context, hit, &common) ? SEARCH_FOUND : SEARCH_NOTHING;
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

	if (!node.candidates)
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
	enum search_result result = descend(search, &parent, box);

	search->scratch->used = mark;
	return result;
}
