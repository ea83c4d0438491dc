/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of diff share: the two blocks at hand, their regions, and the bounds of work. */
#ifndef FWCTL_ANALYSIS_DIFFER_H
#define FWCTL_ANALYSIS_DIFFER_H

#include "analysis/align.h"
#include "analysis/diff.h"
#include "analysis/overlap.h"
#include "analysis/search.h"

/*
 * Bounds of work, in comparisons (some 10 to 20 ns each): of a pair of rules, and of all; and of
 * what anybody would read.
 */
#define DIFF_WORK_PAIR_MAX  100000
#define DIFF_WORK_TOTAL_MAX 60000000
#define DIFF_REGIONS_MAX    10000

struct differ {
	const struct ruleset *rulesets[DIFF_SIDES];
	struct space *space;
	enum fw_hook hook;
	const struct block *blocks[DIFF_SIDES];
	struct layer layers[DIFF_SIDES][FW_FAMILIES];
	struct overlap overlaps[DIFF_SIDES][FW_FAMILIES];
	bool *changed[DIFF_SIDES];
	struct overlap_found found;
	struct candidate *candidates;
	struct scratch scratch;
	struct diff_report *report;
};

static inline bool differ_is_exhausted(const struct differ *differ)
{
	return differ->report->work > DIFF_WORK_TOTAL_MAX ||
	       differ->report->count >= DIFF_REGIONS_MAX;
}

/*
 * Looks for a packet that the old rule judges in the old block and the new rule in the new one,
 * if they treat it differently: reports one, or that it could not be decided. Either rule may be
 * EVALUATE_DEFAULT.
 */
void differ_check_pair(struct differ *differ, size_t old_rule, size_t new_rule);

#endif
