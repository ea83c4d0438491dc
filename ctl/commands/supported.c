/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The language is complete before the data plane is. What would have to be ignored is refused by
 * name: a rule that does less than it says is worse than none. Whoever teaches the data plane a
 * thing strikes its line out here.
 */
#include "commands/supported.h"

#include <stdio.h>
#include <string.h>

static bool rule_logs(const struct rule *rule)
{
	return rule->log;
}

static const struct {
	const char *name;
	bool (*is_used)(const struct rule *rule);
} missing_in_rules[] = {
	{ "log", rule_logs },
};

#define HINT "it is checked and printed, but this version of fwctl cannot put it into force"

/* Who finds what is missing, and how bad that is for him. */
struct search {
	const struct ruleset *ruleset;
	struct diagnostics *diagnostics;
	bool is_fatal;
};

static void missing_tell(const struct search *search, const struct location *at, const char *what)
{
	if (search->is_fatal)
		diagnostics_error(search->diagnostics, search->ruleset, at, HINT,
				  "%s not supported yet", what);
	else
		diagnostics_warn(search->diagnostics, search->ruleset, at, NULL,
				 "%s not supported yet: apply of this version refuses it", what);
}

static void rule_check(const struct search *search, const struct rule *rule)
{
	char what[64];

	for (size_t i = 0; i < sizeof(missing_in_rules) / sizeof(missing_in_rules[0]); i++) {
		if (!missing_in_rules[i].is_used(rule))
			continue;
		snprintf(what, sizeof(what), "'%s' is", missing_in_rules[i].name);
		missing_tell(search, &rule->at, what);
	}
}

static void ruleset_check(const struct search *search)
{
	const struct ruleset *ruleset = search->ruleset;

	for (int hook = 0; hook < FW_HOOKS; hook++) {
		for (size_t i = 0; i < ruleset->blocks[hook].count; i++)
			rule_check(search, &ruleset->blocks[hook].rules[i]);
	}
}

bool ruleset_is_supported(const struct ruleset *ruleset, struct diagnostics *diagnostics)
{
	const struct search search = { ruleset, diagnostics, true };
	size_t before = diagnostics->error_count;

	ruleset_check(&search);
	return diagnostics->error_count == before;
}

void ruleset_warn_unsupported(const struct ruleset *ruleset, struct diagnostics *diagnostics)
{
	const struct search search = { ruleset, diagnostics, false };

	ruleset_check(&search);
}
