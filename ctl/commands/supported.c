/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The language is complete before the data plane is. What would have to be ignored is refused by
 * name: a rule that does less than it says is worse than none. Whoever teaches the data plane a
 * thing strikes its line out here.
 */
#include "commands/supported.h"

#include <string.h>

static bool rule_rejects(const struct rule *rule)
{
	return rule->action == FW_REJECT;
}

static bool rule_logs(const struct rule *rule)
{
	return rule->log;
}

static bool rule_limits(const struct rule *rule)
{
	return rule->limit;
}

static bool rule_keeps_state(const struct rule *rule)
{
	return rule->keep_state;
}

static bool rule_asks_for_state(const struct rule *rule)
{
	return rule_find_match(rule, MATCH_STATE);
}

static bool rule_sends_cookies(const struct rule *rule)
{
	return rule->syncookie;
}

static const struct {
	const char *name;
	bool (*is_used)(const struct rule *rule);
} missing_in_rules[] = {
	{ "reject", rule_rejects },	  { "log", rule_logs },
	{ "limit", rule_limits },	  { "keep state", rule_keeps_state },
	{ "state", rule_asks_for_state }, { "syncookie", rule_sends_cookies },
};

/* Options that only matter to the above. */
static const char *const missing_options[] = {
	"ban-set", "pickup", "recheck-flows", "flows", "timeout", "reject-rate",
};

#define HINT "it is checked and printed, but this version of fwctl cannot put it into force"

static void rule_check(const struct ruleset *ruleset, const struct rule *rule,
		       struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < sizeof(missing_in_rules) / sizeof(missing_in_rules[0]); i++) {
		if (missing_in_rules[i].is_used(rule))
			diagnostics_error(diagnostics, ruleset, &rule->at, HINT,
					  "'%s' is not supported yet", missing_in_rules[i].name);
	}
}

static void option_check(const struct ruleset *ruleset, const struct option *option,
			 struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < sizeof(missing_options) / sizeof(missing_options[0]); i++) {
		if (!strcmp(option->name, missing_options[i]))
			diagnostics_error(diagnostics, ruleset, &option->at, HINT,
					  "option '%s' is not supported yet", option->name);
	}
}

bool ruleset_is_supported(const struct ruleset *ruleset, struct diagnostics *diagnostics)
{
	size_t before = diagnostics->error_count;

	for (size_t i = 0; i < ruleset->option_count; i++)
		option_check(ruleset, &ruleset->option_lines[i], diagnostics);
	for (size_t i = 0; i < ruleset->set_count; i++) {
		if (ruleset->sets[i].kind == SET_LIVE)
			diagnostics_error(diagnostics, ruleset, &ruleset->sets[i].at, HINT,
					  "live sets are not supported yet");
	}
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		for (size_t i = 0; i < ruleset->blocks[hook].count; i++)
			rule_check(ruleset, &ruleset->blocks[hook].rules[i], diagnostics);
	}
	return diagnostics->error_count == before;
}
