/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Can a rule match? First a few of its corners are looked up among the earlier rules: where one is
 * free the rule is reached, and that is how nearly all rules are decided. The rest are carved.
 */
#include "analysis/linter.h"

#include <string.h>

/* More rules than this are not tried one by one for being spared. */
#define SPARE_MAX 32

static bool has_free_corner(struct linter *linter, const struct target *target)
{
	for (unsigned corner = 0; corner < LINT_CORNERS; corner++) {
		struct point point;

		space_pick(linter->space, target->family, target->region, corner, &point);
		if (!linter_is_taken(linter, target, &point))
			return true;
	}
	return false;
}

/* Is there a packet that none of the candidates has? */
static enum search_result search_free(struct linter *linter, const struct target *target,
				      const struct candidate *candidates, size_t count)
{
	struct search search = linter_search(linter, target->family);
	enum search_result result;

	search.end_hits = true;
	search.found = linter_is_real;
	search.context = (void *)(uintptr_t)&target->family;
	search.taken = linter->taken;
	result = search_run(&search, target->region, candidates, count);
	linter->report->work += search.work;
	return result;
}

static enum search_result search_earlier(struct linter *linter, const struct target *target)
{
	size_t count = linter_earlier(linter, target, linter->candidates);
	enum search_result result = search_free(linter, target, linter->candidates, count);

	/* Of an opaque rule not all is known. */
	if (result == SEARCH_NOTHING && linter->layers[target->family].opaque[target->rule])
		return SEARCH_UNDECIDED;
	return result;
}

/* Is all of the rule taken by the rules that are named? */
static bool is_hidden_by(struct linter *linter, size_t rule, const bool *named)
{
	for (int i = 0; i < FW_FAMILIES; i++) {
		const struct layer *layer = &linter->layers[i];

		for (size_t at = layer->first[rule]; at < layer->first[rule + 1]; at++) {
			const struct target target = { (enum fw_family)i, &layer->regions[at],
						       rule };
			size_t count = linter_earlier(linter, &target, linter->candidates);
			size_t kept = 0;

			for (size_t j = 0; j < count; j++)
				if (named[linter->candidates[j].rule])
					linter->candidates[kept++] = linter->candidates[j];
			if (search_free(linter, &target, linter->candidates, kept) !=
			    SEARCH_NOTHING)
				return false;
		}
	}
	return true;
}

/* The rules that took something, without those that are not needed for it. */
static void name_hiding_rules(struct linter *linter, size_t rule, struct lint_finding *finding)
{
	bool *named = arena_memdup(linter->report->arena, linter->taken, rule);
	size_t *by, count = 0, at = 0;

	for (size_t i = 0; i < rule; i++)
		count += named[i];
	for (size_t i = rule; i-- > 0 && count > 1 && count <= SPARE_MAX;) {
		if (!named[i])
			continue;
		named[i] = false;
		if (is_hidden_by(linter, rule, named))
			count--;
		else
			named[i] = true;
	}
	by = arena_alloc(linter->report->arena, count * sizeof(*by));
	for (size_t i = 0; i < rule; i++)
		if (named[i])
			by[at++] = i;
	finding->by = by;
	finding->by_count = count;
}

/* A packet that the rule would match, with its taker left to lint_confirm(). */
static bool find_witness(struct linter *linter, size_t rule, struct lint_finding *finding)
{
	for (int i = 0; i < FW_FAMILIES; i++) {
		const struct layer *layer = &linter->layers[i];

		for (size_t at = layer->first[rule]; at < layer->first[rule + 1]; at++) {
			const struct target target = { (enum fw_family)i, &layer->regions[at],
						       rule };

			for (unsigned corner = 0; corner < LINT_CORNERS; corner++)
				if (linter_show(linter, &target, corner, finding))
					return true;
		}
	}
	return false;
}

static void report_hidden(struct linter *linter, size_t rule)
{
	struct lint_finding finding = {
		.kind = LINT_HIDDEN,
		.hook = linter->hook,
		.rule = rule,
	};

	if (!find_witness(linter, rule, &finding) || !linter_confirm(linter, &finding)) {
		linter->undecided[rule] = true;
		linter_report(linter, LINT_UNDECIDED_HIDDEN, rule);
		return;
	}
	name_hiding_rules(linter, rule, &finding);
	linter->status[rule] = RULE_HIDDEN;
	*linter_report(linter, LINT_HIDDEN, rule) = finding;
}

static enum search_result check_corners(struct linter *linter, const struct target *target)
{
	return has_free_corner(linter, target) ? SEARCH_FOUND : SEARCH_UNDECIDED;
}

static bool is_empty(const struct linter *linter, size_t rule)
{
	for (int i = 0; i < FW_FAMILIES; i++)
		if (linter->layers[i].first[rule] != linter->layers[i].first[rule + 1])
			return false;
	return true;
}

void linter_check_hidden(struct linter *linter, size_t rule)
{
	enum search_result result;

	if (linter_is_exhausted(linter)) {
		linter_pass_over(linter, LINT_UNDECIDED_HIDDEN, rule);
		return;
	}
	if (is_empty(linter, rule)) {
		linter->status[rule] = RULE_HIDDEN;
		rule_find_clash(linter->space, 0, &linter->block->rules[rule],
				linter_report(linter, LINT_EMPTY, rule)->clash);
		return;
	}
	if (linter_check_regions(linter, rule, check_corners) == SEARCH_FOUND)
		return;
	if (!linter_limit(linter)) {
		linter_pass_over(linter, LINT_UNDECIDED_HIDDEN, rule);
		return;
	}
	memset(linter->taken, 0, rule * sizeof(linter->taken[0]));
	result = linter_check_regions(linter, rule, search_earlier);
	if (result == SEARCH_NOTHING) {
		report_hidden(linter, rule);
	} else if (result == SEARCH_UNDECIDED) {
		linter->undecided[rule] = true;
		linter_report(linter, LINT_UNDECIDED_HIDDEN, rule);
	}
}
