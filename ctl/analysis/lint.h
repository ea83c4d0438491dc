/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules that do nothing: those that can never match, and those without which every packet would be
 * judged the same. Exact over all that a rule can ask, but that live sets may hold anything, a
 * packet may be in any state, and interface patterns other than "prefix*" are taken to be
 * independent of each other: there a finding may be missed, never invented. Work is bounded, and
 * what could not be decided is said.
 *
 * Every packet that is shown was judged by the reference evaluator.
 */
#ifndef FWCTL_ANALYSIS_LINT_H
#define FWCTL_ANALYSIS_LINT_H

#include "analysis/evaluate.h"
#include "language/diagnostic.h"
#include "language/model.h"

enum lint_kind {
	LINT_EMPTY,	       /* its matches exclude each other: there is no such packet */
	LINT_HIDDEN,	       /* earlier rules take every packet that it matches */
	LINT_REDUNDANT,	       /* without it no packet would be judged differently */
	LINT_UNDECIDED_HIDDEN, /* whether it can match would take too long to tell */
	LINT_UNDECIDED_REDUNDANT,
};

struct lint_finding {
	enum lint_kind kind;
	enum fw_hook hook;
	size_t rule; /* index in the block */
	/* HIDDEN: the earlier rules that hide it together, in order, none of which can be spared.
	 */
	const size_t *by;
	size_t by_count;
	/*
	 * HIDDEN: a packet that the rule matches, and the earlier rule that takes it.
	 * REDUNDANT: a packet that it decides, and the later rule that would without it.
	 */
	struct fw_packet packet;
	const char *interface;
	size_t taker; /* or EVALUATE_DEFAULT */
	/* EMPTY: a match that no packet has, or two that exclude each other; NULL if it takes more.
	 */
	const struct match *clash[2];
	bool is_checked; /* the packet was judged by the reference evaluator; see lint_confirm() */
};

struct lint_report {
	struct arena *arena;
	struct lint_finding *findings; /* ingress before egress, in the order of the rules */
	size_t count;
	size_t capacity;
	uint64_t work; /* what it cost, in comparisons of a box with a region */
	/* Rules that were not looked into any more, whether they can match, or be spared. */
	size_t unseen_hidden;
	size_t unseen_redundant;
	enum fw_hook unseen_hook;
};

enum lint_scope {
	LINT_REACH, /* only whether rules can match: a fraction of the time */
	LINT_ALL,
	LINT_SHOWN, /* all but what lint_warn() would not say: superfluous rules with a label */
};

/*
 * Each redundant rule can be taken out, and all rules of a report can be taken out together: one
 * that only another reported rule makes superfluous is not reported. Built-in rules never are.
 */
void lint(const struct ruleset *ruleset, enum lint_scope scope, struct lint_report *ret_report);

/*
 * The same with a bound of its own: comparisons in searches, of all rules of a block for one
 * question. As many again are spent on what is cheap; then rules are only counted.
 */
#define LINT_WORK 40000000
void lint_within(const struct ruleset *ruleset, enum lint_scope scope, uint64_t work,
		 struct lint_report *ret_report);

/* Whether one rule can match, for `fwctl add`: at most one finding, never REDUNDANT. */
void lint_one(const struct ruleset *ruleset, enum fw_hook hook, size_t rule,
	      struct lint_report *ret_report);

void lint_report_free(struct lint_report *report);

/*
 * Has the reference evaluator judge the packet of a finding, unless that was done: of the first
 * thousands it is done by lint(), of more when they are to be shown. False: do not show it.
 */
bool lint_confirm(const struct ruleset *ruleset, struct lint_finding *finding);

/* Says the findings as warnings, but for rules with a label that change no verdict: they count. */
void lint_warn(const struct ruleset *ruleset, const struct lint_report *report,
	       struct diagnostics *diagnostics);

#endif
