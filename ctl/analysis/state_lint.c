/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State is an agreement between rules: one records flows, another asks for them, and both hooks
 * have to see a flow's packets. Each warning here is a place where one side is missing.
 */
#include "analysis/state_lint.h"

#include <string.h>

#include "analysis/packet_kinds.h"

#define STATES_OF_FLOWS (FW_STATE_ESTABLISHED | FW_STATE_RELATED)
#define STATES_ALL	(FW_STATE_NEW | STATES_OF_FLOWS)
#define TCP		6
#define TCP_SYN		0x02
#define TCP_ECN		0xc0 /* a SYN may carry these besides */

/* What the rules of both hooks do with state, together. */
struct summary {
	const struct ruleset *ruleset;
	struct diagnostics *diagnostics;
	const struct rule *keeps; /* the first that does, or NULL */
	const struct rule *asks;  /* likewise, for established or related */
};

/* The states that the rule can match. */
static unsigned states_of(const struct rule *rule)
{
	const struct match *match = rule_find_match(rule, MATCH_STATE);

	if (!match)
		return STATES_ALL;
	return match->negated ? STATES_ALL & ~match->states : match->states;
}

bool ruleset_uses_state(const struct ruleset *ruleset)
{
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &ruleset->blocks[hook];

		for (size_t i = 0; i < block->count; i++)
			if (block->rules[i].keep_state ||
			    rule_find_match(&block->rules[i], MATCH_STATE))
				return true;
	}
	return false;
}

static void summary_make(struct summary *summary)
{
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *block = &summary->ruleset->blocks[hook];

		for (size_t i = 0; i < block->count; i++) {
			const struct rule *rule = &block->rules[i];

			if (rule->keep_state && !summary->keeps)
				summary->keeps = rule;
			if (rule_find_match(rule, MATCH_STATE) && !summary->asks)
				summary->asks = rule;
		}
	}
}

/* Is the rule for TCP alone, and do its flags rule out a SYN without ACK? */
static bool excludes_opening(const struct rule *rule)
{
	const struct match *protocol = rule_find_match(rule, MATCH_PROTOCOL);
	const struct match *flags = rule_find_match(rule, MATCH_FLAGS);

	if (!protocol || protocol->negated || protocol->ranges.count != 1 ||
	    protocol->ranges.items[0].low != TCP || protocol->ranges.items[0].high != TCP || !flags)
		return false;
	for (unsigned extra = 0; extra <= TCP_ECN; extra += TCP_ECN / 3) {
		bool holds = ((TCP_SYN | extra) & flags->flags.mask) == flags->flags.set;

		if (holds != flags->negated)
			return false;
	}
	return true;
}

static void warn(const struct summary *summary, const struct rule *rule, const char *hint,
		 const char *text)
{
	diagnostics_warn(summary->diagnostics, summary->ruleset, &rule->at, hint, "%s", text);
}

static void keeping_check(const struct summary *summary, const struct rule *rule)
{
	if (!(states_of(rule) & FW_STATE_NEW))
		warn(summary, rule, "flows begin with packets that are new",
		     "'keep state' does nothing here: the rule only matches packets of flows that "
		     "are recorded already");
	else if (!summary->ruleset->options.pickup && excludes_opening(rule))
		warn(summary, rule, "`option pickup on` also takes up connections in their middle",
		     "'keep state' does nothing here: a TCP connection is recorded by its first "
		     "SYN, which the rule's flags exclude");
	else if (!rule_may_record(rule, summary->ruleset->options.pickup))
		warn(summary, rule,
		     "write it where the question is passed; an answer belongs to the question's "
		     "flow",
		     "'keep state' does nothing here: no packet of this rule begins a flow, as "
		     "requests do, and not answers, ICMP errors, resets or later fragments");
}

/* Not of state, but likewise: what a rule asks for never comes. */
static void answering_check(const struct summary *summary, const struct rule *rule)
{
	if (!rule_may_be_answered(rule))
		warn(summary, rule, "`drop` says the same",
		     "'reject' answers no packet of this rule: resets, ICMP errors, fragments, "
		     "what is for groups and what is not IP are never answered");
}

static void rule_check(const struct summary *summary, const struct rule *rule)
{
	if (rule->action == FW_REJECT)
		answering_check(summary, rule);
	if (rule->keep_state)
		keeping_check(summary, rule);
	if (summary->keeps || !rule_find_match(rule, MATCH_STATE))
		return;
	if (!(states_of(rule) & FW_STATE_NEW))
		warn(summary, rule, "flows are recorded by pass rules with `keep state`",
		     "this rule can never match: no rule keeps state, so every packet is new");
	else
		warn(summary, rule, "flows are recorded by pass rules with `keep state`",
		     "no rule keeps state, so every packet is new");
}

/* Of a hook that is not attached nobody sees the answers. */
static void hooks_check(const struct summary *summary)
{
	static const char *const names[FW_HOOKS] = { "ingress", "egress" };

	for (int hook = 0; hook < FW_HOOKS; hook++) {
		if (summary->ruleset->blocks[hook].present)
			continue;
		warn(summary, summary->keeps,
		     diagnostics_hint(summary->diagnostics,
				      "a block that passes is enough: %s default pass { }",
				      names[hook]),
		     hook == FW_EGRESS ? "there is no egress block, so flows are followed in one "
					 "direction only: no connection becomes established"
				       : "there is no ingress block, so flows are followed in one "
					 "direction only: no connection becomes established");
	}
}

static void options_check(const struct summary *summary)
{
	static const char *const names[] = { "pickup", "recheck-flows", "flows", "timeout " };
	const struct ruleset *ruleset = summary->ruleset;

	for (size_t i = 0; i < ruleset->option_count; i++) {
		const struct option *option = &ruleset->option_lines[i];

		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (!strncmp(option->name, names[j], strlen(names[j])))
				diagnostics_warn(
					summary->diagnostics, ruleset, &option->at,
					"flows are recorded by pass rules with `keep state`",
					"option '%s' does nothing: no rule keeps state",
					option->name);
	}
}

void state_warn(const struct ruleset *ruleset, struct diagnostics *diagnostics)
{
	struct summary summary = { .ruleset = ruleset, .diagnostics = diagnostics };

	summary_make(&summary);
	for (int hook = 0; hook < FW_HOOKS; hook++)
		for (size_t i = 0; i < ruleset->blocks[hook].count; i++)
			rule_check(&summary, &ruleset->blocks[hook].rules[i]);
	if (!summary.keeps) {
		options_check(&summary);
		return;
	}
	if (!summary.asks)
		warn(&summary, summary.keeps,
		     "answers come back by a rule like: pass state established, related",
		     "flows are recorded, but no rule asks for 'state'");
	hooks_check(&summary);
}
