/* SPDX-License-Identifier: GPL-2.0-only */
/* Findings as warnings: what is wrong, why, and one packet that shows it. */
#include "analysis/describe.h"
#include "analysis/lint.h"
#include "language/language.h"

#define BY_SHOWN 4

static const struct rule *rule_of(const struct ruleset *ruleset, const struct lint_finding *finding)
{
	return &ruleset->blocks[finding->hook].rules[finding->rule];
}

static void warn_empty(const struct ruleset *ruleset, const struct lint_finding *finding,
		       struct diagnostics *diagnostics)
{
	const struct location *at = &rule_of(ruleset, finding)->at;
	const struct match *const *clash = finding->clash;

	if (!clash[0])
		diagnostics_warn(diagnostics, ruleset, at, NULL,
				 "this rule can never match: no packet has all that it asks for");
	else if (!clash[1])
		diagnostics_warn(diagnostics, ruleset, &clash[0]->at, NULL,
				 "this rule can never match: no packet has such a '%s'",
				 match_name(clash[0]));
	else
		diagnostics_warn(diagnostics, ruleset, &clash[1]->at, NULL,
				 "this rule can never match: '%s' and '%s' exclude each other",
				 match_name(clash[0]), match_name(clash[1]));
}

static void add_hiding_rules(const struct ruleset *ruleset, const struct lint_finding *finding,
			     struct buffer *text)
{
	size_t shown = finding->by_count > BY_SHOWN ? BY_SHOWN - 1 : finding->by_count;

	for (size_t i = 0; i < shown; i++) {
		const struct subject by = { ruleset, finding->hook, finding->by[i] };

		if (i)
			buffer_puts(text, i + 1 == finding->by_count ? " and " : ", ");
		describe_rule(&by, &rule_of(ruleset, finding)->at, text);
	}
	if (shown < finding->by_count)
		buffer_printf(text, " and %zu more rules", finding->by_count - shown);
	buffer_puts(text, finding->by_count == 1 ? " takes" : " together take");
}

/* "for example, PACKET goes to RULE" */
static const char *example(const struct ruleset *ruleset, const struct lint_finding *finding,
			   const char *goes_to, struct diagnostics *diagnostics)
{
	const struct subject taker = { ruleset, finding->hook, finding->taker };
	_cleanup_buffer_ struct buffer text = { 0 };

	describe_packet(&taker, &finding->packet, finding->interface, &text);
	buffer_puts(&text, goes_to);
	describe_rule(&taker, &rule_of(ruleset, finding)->at, &text);
	return diagnostics_hint(diagnostics, "for example, %s", buffer_text(&text));
}

static void warn_hidden(const struct ruleset *ruleset, const struct lint_finding *finding,
			struct diagnostics *diagnostics)
{
	_cleanup_buffer_ struct buffer text = { 0 };

	add_hiding_rules(ruleset, finding, &text);
	diagnostics_warn(diagnostics, ruleset, &rule_of(ruleset, finding)->at,
			 example(ruleset, finding, " goes to ", diagnostics),
			 "this rule can never match: %s all its packets", buffer_text(&text));
}

static void warn_redundant(const struct ruleset *ruleset, const struct lint_finding *finding,
			   struct diagnostics *diagnostics)
{
	const struct rule *rule = rule_of(ruleset, finding);

	diagnostics_warn(diagnostics, ruleset, &rule->at,
			 example(ruleset, finding, " would go to ", diagnostics),
			 "this rule changes no verdict: without it, its packets would be judged "
			 "the same");
}

static void warn_undecided(const struct ruleset *ruleset, const struct lint_finding *finding,
			   struct diagnostics *diagnostics)
{
	diagnostics_warn(diagnostics, ruleset, &rule_of(ruleset, finding)->at, NULL,
			 "undecided whether this rule can %s: too many rules overlap it",
			 finding->kind == LINT_UNDECIDED_REDUNDANT ? "be spared" : "match");
}

static void warn_unseen(const struct ruleset *ruleset, const struct lint_report *report,
			size_t count, const char *question, struct diagnostics *diagnostics)
{
	if (count)
		diagnostics_warn(diagnostics, ruleset, &ruleset->blocks[report->unseen_hook].at,
				 NULL,
				 "whether they can %s was not looked into for %zu rule%s: too many "
				 "rules overlap",
				 question, count, count == 1 ? "" : "s");
}

/* A label is given to see a count: such a rule has its use even if it changes no verdict. */
static bool is_wanted(const struct ruleset *ruleset, const struct lint_finding *finding)
{
	return rule_of(ruleset, finding)->label &&
	       (finding->kind == LINT_REDUNDANT || finding->kind == LINT_UNDECIDED_REDUNDANT);
}

void lint_warn(const struct ruleset *ruleset, const struct lint_report *report,
	       struct diagnostics *diagnostics)
{
	warn_unseen(ruleset, report, report->unseen_hidden, "match", diagnostics);
	warn_unseen(ruleset, report, report->unseen_redundant, "be spared", diagnostics);
	for (size_t i = 0; i < report->count; i++) {
		struct lint_finding finding = report->findings[i];

		if (is_wanted(ruleset, &finding))
			continue;
		/* What is past the bound is only counted. */
		if (diagnostics->warning_count < DIAGNOSTIC_WARNINGS_MAX &&
		    !lint_confirm(ruleset, &finding))
			finding.kind = finding.kind == LINT_HIDDEN ? LINT_UNDECIDED_HIDDEN
								   : LINT_UNDECIDED_REDUNDANT;
		if (finding.kind == LINT_EMPTY)
			warn_empty(ruleset, &finding, diagnostics);
		else if (finding.kind == LINT_HIDDEN)
			warn_hidden(ruleset, &finding, diagnostics);
		else if (finding.kind == LINT_REDUNDANT)
			warn_redundant(ruleset, &finding, diagnostics);
		else
			warn_undecided(ruleset, &finding, diagnostics);
	}
}
