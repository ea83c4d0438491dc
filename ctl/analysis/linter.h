/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of lint share: the block at hand, its regions, and the bounds of work. */
#ifndef FWCTL_ANALYSIS_LINTER_H
#define FWCTL_ANALYSIS_LINTER_H

#include "analysis/lint.h"
#include "analysis/overlap.h"
#include "analysis/search.h"

/* What is known of a rule so far. */
enum rule_status {
	RULE_LIVE,	/* it can match, or that is not known */
	RULE_HIDDEN,	/* it cannot */
	RULE_REDUNDANT, /* it can be spared */
};

/* Corners of a region that are tried before anything is carved. */
#define LINT_CORNERS 16

struct linter {
	const struct ruleset *ruleset;
	struct space *space;
	enum fw_hook hook;
	const struct block *block;
	struct layer layers[FW_FAMILIES];
	struct overlap overlaps[FW_FAMILIES];
	uint8_t *status;       /* enum rule_status of each rule */
	bool *undecided;       /* rules that are reported as such */
	bool *taken;	       /* for struct search */
	bool only_shown;       /* LINT_SHOWN */
	bool without_reported; /* redundant.c: as if the rules that are reported were not there */
	struct overlap_found found;
	struct candidate *candidates;
	struct scratch scratch;
	uint64_t most;	      /* work of the search at hand: redundant.c */
	uint64_t work;	      /* bound of one question: lint_within() */
	uint64_t work_before; /* the question at hand was begun */
	uint64_t confirmed;   /* rules that the reference went through */
	struct lint_report *report;
};

/* A region of the rule at hand. */
struct target {
	enum fw_family family;
	const struct region *region;
	size_t rule;
};

/* Of all regions of a rule: FOUND if one is, NOTHING if that is true of each. */
typedef enum search_result regions_check(struct linter *linter, const struct target *target);
enum search_result linter_check_regions(struct linter *linter, size_t rule, regions_check *check);

/* Candidates that may meet the target, from among the rules before it that decide. */
size_t linter_earlier(struct linter *linter, const struct target *target,
		      struct candidate *candidates);

/* Does an earlier rule take the point? */
bool linter_is_taken(struct linter *linter, const struct target *target, const struct point *point);

/* How much work the rule at hand may still cost: 0 if it is not to be searched. */
uint64_t linter_limit(const struct linter *linter);
/* Not even its corners are to be looked at. */
bool linter_is_exhausted(const struct linter *linter);
/* For either: the rule is counted as one that nothing is said of. */
void linter_pass_over(struct linter *linter, enum lint_kind kind, size_t rule);

/* A search with all that does not depend on the question. */
struct search linter_search(struct linter *linter, enum fw_family family);

/* For struct search: stops at the first packet that there can be. Context: the family. */
bool linter_is_real(void *context, const struct candidate *hit, const struct region *region);

struct lint_finding *linter_report(struct linter *linter, enum lint_kind kind, size_t rule);

/*
 * Puts a corner of the target, or a point, into the finding as a packet. False if its interface
 * has no name, or the rule does not match it after all.
 */
bool linter_show_point(struct linter *linter, const struct target *target,
		       const struct point *point, struct lint_finding *finding);
bool linter_show(struct linter *linter, const struct target *target, unsigned corner,
		 struct lint_finding *finding);

/* lint_confirm() now, or later if there are too many. */
bool linter_confirm(struct linter *linter, struct lint_finding *finding);

void linter_check_hidden(struct linter *linter, size_t rule);
void linter_check_redundant(struct linter *linter, size_t rule);

#endif
