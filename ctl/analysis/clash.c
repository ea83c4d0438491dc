/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a rule matches nothing: which of its matches, alone or in pairs, leave no packet over. */
#include "analysis/space.h"

/* Two matches by themselves, or twice the same. */
static bool clash(struct space *space, size_t ruleset, const struct match *a, const struct match *b)
{
	const struct match matches[] = { *a, *b };
	struct rule rule = { .families = FAMILY_ANY, .matches = matches, .match_count = 2 };

	for (int i = 0; i < 2; i++)
		if (matches[i].kind == MATCH_FAMILY)
			rule.families &= (uint8_t)FAMILY_BIT(matches[i].family);
	return rule_is_empty(space, ruleset, &rule);
}

void rule_find_clash(struct space *space, size_t ruleset, const struct rule *rule,
		     const struct match *ret_clash[2])
{
	for (size_t i = 0; i < rule->match_count; i++) {
		if (clash(space, ruleset, &rule->matches[i], &rule->matches[i])) {
			ret_clash[0] = &rule->matches[i];
			return;
		}
	}
	for (size_t i = 0; i < rule->match_count; i++) {
		for (size_t j = i + 1; j < rule->match_count; j++) {
			if (clash(space, ruleset, &rule->matches[i], &rule->matches[j])) {
				ret_clash[0] = &rule->matches[i];
				ret_clash[1] = &rule->matches[j];
				return;
			}
		}
	}
}
