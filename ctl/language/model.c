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
