/* SPDX-License-Identifier: GPL-2.0-only */
/* What every user of a ruleset needs and no other file decides. */
#include "language/model.h"

void ruleset_free(struct ruleset **ruleset)
{
	struct arena *arena;

	if (!*ruleset)
		return;
	arena = (*ruleset)->arena; /* the ruleset itself lies in it */
	*ruleset = NULL;
	arena_free(&arena);
}

const struct match *rule_find_match(const struct rule *rule, enum match_kind kind)
{
	for (size_t i = 0; i < rule->match_count; i++)
		if (rule->matches[i].kind == kind)
			return &rule->matches[i];
	return NULL;
}

/* What the rate gives in 50 ms, but never less than these. */
#define BURST_SHARE   20
#define BURST_PACKETS 5
#define BURST_BITS    600000 /* the largest segment that a sender hands down at once, split */

uint64_t limit_burst(const struct limit *limit)
{
	uint64_t least = limit->unit == LIMIT_BITS ? BURST_BITS : BURST_PACKETS;
	uint64_t share = limit->rate / limit->seconds / BURST_SHARE;

	if (limit->burst)
		return limit->burst;
	return share > least ? share : least;
}
