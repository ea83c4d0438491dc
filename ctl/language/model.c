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

/*
 * Packets: what the rate gives in 50 ms, and never less than 5. Bits: in 250 ms, because a sender
 * on this host whose packet is dropped tries again after 200 ms; and never less than the largest
 * segment that it hands down at once.
 */
#define BURST_PACKETS_SHARE 20
#define BURST_PACKETS	    5
#define BURST_BITS_SHARE    4
#define BURST_BITS	    600000

uint64_t limit_burst(const struct limit *limit)
{
	bool bits = limit->unit == LIMIT_BITS;
	uint64_t least = bits ? BURST_BITS : BURST_PACKETS;
	uint64_t share =
		limit->rate / limit->seconds / (bits ? BURST_BITS_SHARE : BURST_PACKETS_SHARE);

	if (limit->burst)
		return limit->burst;
	return share > least ? share : least;
}
