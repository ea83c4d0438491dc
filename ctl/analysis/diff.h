/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changes in meaning from one ruleset to another: for each old rule and each new rule, is
 * there a packet that the one judges in the old ruleset and the other, differently, in the new?
 * Exact over all fields that a rule can ask about, within a bound of work. Members of live sets
 * and the state of a packet are taken to be the same before and after. Not compared: what is
 * logged and counted, `interface` and `option` statements (struct diff_report says if they differ).
 *
 * Every packet that is shown was judged by the reference evaluator, by both rulesets.
 */
#ifndef FWCTL_ANALYSIS_DIFF_H
#define FWCTL_ANALYSIS_DIFF_H

#include "analysis/evaluate.h"
#include "language/model.h"

enum diff_change {
	DIFF_VERDICT, /* pass, drop and reject are three verdicts */
	DIFF_LIMIT,   /* the same verdict up to a limit, which differs */
	DIFF_STATE,   /* both pass it, but `keep state` differs */
	DIFF_COOKIE,  /* but `syncookie` differs */
	DIFF_STATE_AND_COOKIE,
};

/* The packets of one hook that one rule judges in the old ruleset and one in the new. */
struct diff_region {
	enum fw_hook hook;
	enum diff_change change;
	size_t old_rule; /* or EVALUATE_DEFAULT */
	size_t new_rule;
	/* One of them; the two differ only in how the rulesets number their live sets. */
	struct fw_packet old_packet;
	struct fw_packet new_packet;
	const char *interface;
};

struct diff_report {
	struct arena *arena;
	struct diff_region *regions; /* ingress first, then in the order of the old and new rules */
	size_t count;
	size_t capacity;
	size_t undecided; /* pairs of rules that would have taken too long; 0: the report is whole
			   */
	bool interfaces_differ;
	bool options_differ;
	bool live_sets_differ; /* in what they start with, their size or timeout */
	uint64_t work;
};

void diff(const struct ruleset *old_ruleset, const struct ruleset *new_ruleset,
	  struct diff_report *ret_report);
void diff_report_free(struct diff_report *report);

/* Like evaluation: what a rule, or the default, does to a packet that it judges. */
enum fw_action diff_action(const struct ruleset *ruleset, enum fw_hook hook, size_t rule);

#endif
