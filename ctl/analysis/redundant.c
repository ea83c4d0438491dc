/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Would anything change without a rule? Its packets are those that no earlier rule takes; without
 * it, the later rules and the default judge them. It is needed if one packet fares differently.
 *
 * That is asked twice: with all later rules in place, so that each report is true on its own; and
 * without those that are reported themselves, so that all of them can go. Of two rules that say
 * the same, only one is reported.
 */
#include "analysis/linter.h"

#include <string.h>

#include "analysis/effect.h"

/* What a later rule does to the packets of the rule at hand. */
enum later {
	LATER_PASSES_BY, /* nothing: they go on */
	LATER_SAME,
	LATER_DIFFERENT,
};

static bool is_reported(const struct linter *linter, size_t rule)
{
	return linter->status[rule] != RULE_LIVE;
}

static enum later later_effect(const struct linter *linter, size_t rule, size_t later)
{
	const struct rule *a = &linter->block->rules[rule], *b = &linter->block->rules[later];

	if (b->action == FW_COUNT || (linter->without_reported && is_reported(linter, later)))
		return LATER_PASSES_BY;
	/* It may drop a packet or not. No matter, if that is what becomes of it anyway. */
	if (!rule_decides(b))
		return a->action == b->action && !b->log ? LATER_PASSES_BY : LATER_DIFFERENT;
	if (!effects_equal(a, b) || !logs_equal(a, b))
		return LATER_DIFFERENT;
	return LATER_SAME;
}

static bool default_differs(const struct linter *linter, size_t rule)
{
	const struct rule *a = &linter->block->rules[rule];

	return !effect_is_plain(a) || a->action != linter->block->default_action;
}

static enum later region_effect(const struct linter *linter, const struct target *target, size_t at)
{
	const struct layer *layer = &linter->layers[target->family];
	uint32_t rule = layer->rules[at];
	enum later effect = later_effect(linter, target->rule, rule);

	/* Nobody knows exactly what an opaque rule matches. */
	if (effect == LATER_SAME && layer->opaque[rule])
		return LATER_DIFFERENT;
	return effect;
}

/* All candidates that bear on the target: the earlier ones that take, then the later ones. */
static size_t gather(struct linter *linter, const struct target *target)
{
	const struct layer *layer = &linter->layers[target->family];
	const struct overlap *overlap = &linter->overlaps[target->family];
	size_t count = linter_earlier(linter, target, linter->candidates);
	size_t start = layer->first[target->rule + 1];

	linter->report->work +=
		overlap_find(overlap, target->region, start, layer->count, &linter->found);
	for (size_t at = overlap_next(overlap, &linter->found, start); at < layer->count;
	     at = overlap_next(overlap, &linter->found, at + 1)) {
		enum later effect = region_effect(linter, target, at);

		if (effect == LATER_PASSES_BY)
			continue;
		linter->candidates[count++] = (struct candidate){
			.region = &layer->regions[at],
			.rule = layer->rules[at],
			.role = effect == LATER_SAME ? SEARCH_TAKES : SEARCH_HITS,
		};
		linter->report->work++;
	}
	return count;
}

/* Is the point, which this rule decides, judged differently without it? Of those in found. */
static bool is_changed(struct linter *linter, const struct target *target,
		       const struct point *point)
{
	const struct layer *layer = &linter->layers[target->family];
	const struct overlap *overlap = &linter->overlaps[target->family];
	size_t start = layer->first[target->rule + 1];

	for (size_t at = overlap_next(overlap, &linter->found, start); at < layer->count;
	     at = overlap_next(overlap, &linter->found, at + 1)) {
		enum later effect;

		linter->report->work++;
		if (!region_has_point(&layer->regions[at], point))
			continue;
		effect = region_effect(linter, target, at);
		if (effect != LATER_PASSES_BY)
			return effect == LATER_DIFFERENT;
	}
	return default_differs(linter, target->rule);
}

static bool is_changed_either_way(struct linter *linter, const struct target *target,
				  const struct point *point)
{
	const struct layer *layer = &linter->layers[target->family];

	linter->report->work +=
		overlap_find_point(&linter->overlaps[target->family], point,
				   layer->first[target->rule + 1], layer->count, &linter->found);
	for (int i = 0; i < 2; i++) {
		linter->without_reported = i;
		if (is_changed(linter, target, point))
			return true;
	}
	return false;
}

static bool has_changed_corner(struct linter *linter, const struct target *target, unsigned from,
			       unsigned to)
{
	for (unsigned corner = from; corner < to; corner++) {
		struct point point;

		space_pick(linter->space, target->family, target->region, corner, &point);
		if (!linter_is_taken(linter, target, &point) &&
		    is_changed_either_way(linter, target, &point))
			return true;
	}
	return false;
}

/*
 * Is there a packet that comes to this later rule, which treats it differently? Where the two
 * overlap there are fewer rules to carve out than in the whole target.
 */
static enum search_result search_later(struct linter *linter, const struct target *target,
				       struct search *search, size_t at)
{
	size_t mark = linter->scratch.used;
	enum search_result result = SEARCH_NOTHING;
	struct region common;

	if (region_intersect(target->region, linter->candidates[at].region, &linter->scratch,
			     &common))
		result = search_run(search, &common, linter->candidates, at + 1);
	linter->scratch.used = mark;
	return result;
}

/* Is there a packet that comes to the default? */
static enum search_result search_default(struct linter *linter, const struct target *target,
					 struct search *search, size_t count)
{
	if (!default_differs(linter, target->rule))
		return SEARCH_NOTHING;
	for (size_t i = 0; i < count; i++)
		linter->candidates[i].role = SEARCH_TAKES;
	search->end_hits = true;
	return search_run(search, target->region, linter->candidates, count);
}

static enum search_result search_one_way(struct linter *linter, const struct target *target,
					 bool without_reported)
{
	struct search search = linter_search(linter, target->family);
	uint64_t limit = search.limit < linter->most ? search.limit : linter->most;
	enum search_result worst = SEARCH_NOTHING, result;
	size_t count;

	linter->without_reported = without_reported;
	count = gather(linter, target);
	search.found = linter_is_real;
	search.context = (void *)(uintptr_t)&target->family;
	for (size_t i = 0; i <= count && worst != SEARCH_FOUND; i++) {
		if (i < count && linter->candidates[i].role != SEARCH_HITS)
			continue;
		if (search.work >= limit) {
			worst = SEARCH_UNDECIDED;
			break;
		}
		/* One hard case is not to keep the others from being tried. */
		search.limit = search.work + limit / 4;
		if (search.limit > limit)
			search.limit = limit;
		result = i < count ? search_later(linter, target, &search, i)
				   : search_default(linter, target, &search, count);
		if (result != SEARCH_NOTHING)
			worst = result;
	}
	linter->report->work += search.work;
	return worst;
}

static enum search_result search_change(struct linter *linter, const struct target *target)
{
	enum search_result result = search_one_way(linter, target, false);

	if (result == SEARCH_NOTHING)
		result = search_one_way(linter, target, true);
	return result;
}

/* What the search for a packet that a redundant rule decides comes back to. */
struct example {
	struct linter *linter;
	struct target target;
	struct lint_finding *finding;
};

static bool show_region(void *context, const struct candidate *hit, const struct region *region)
{
	struct example *example = context;
	struct target target = example->target;

	(void)hit;
	target.region = region;
	return space_is_real(target.family, region) &&
	       linter_show(example->linter, &target, 0, example->finding);
}

/* A packet that no earlier rule takes, familiar if that is easy. */
static bool find_example(struct linter *linter, const struct target *target,
			 struct lint_finding *finding)
{
	struct example example = { linter, *target, finding };
	struct search search = linter_search(linter, target->family);
	enum search_result result;
	size_t count;

	for (unsigned corner = 0; corner < LINT_CORNERS; corner++) {
		struct point point;

		space_pick(linter->space, target->family, target->region, corner, &point);
		if (!linter_is_taken(linter, target, &point) &&
		    linter_show_point(linter, target, &point, finding))
			return true;
	}
	count = linter_earlier(linter, target, linter->candidates);
	search.end_hits = true;
	search.found = show_region;
	search.context = &example;
	result = search_run(&search, target->region, linter->candidates, count);
	linter->report->work += search.work;
	return result == SEARCH_FOUND;
}

static void report_redundant(struct linter *linter, size_t rule)
{
	struct lint_finding finding = {
		.kind = LINT_REDUNDANT,
		.hook = linter->hook,
		.rule = rule,
	};
	bool is_found = false;

	for (int i = 0; i < FW_FAMILIES && !is_found; i++) {
		const struct layer *layer = &linter->layers[i];
		size_t end = layer->first[rule + 1];

		for (size_t at = layer->first[rule]; at < end && !is_found; at++) {
			const struct target target = { (enum fw_family)i, &layer->regions[at],
						       rule };

			is_found = find_example(linter, &target, &finding);
		}
	}
	if (!is_found || !linter_confirm(linter, &finding)) {
		linter_report(linter, LINT_UNDECIDED_REDUNDANT, rule);
		return;
	}
	linter->status[rule] = RULE_REDUNDANT;
	*linter_report(linter, LINT_REDUNDANT, rule) = finding;
}

static enum search_result check_one_corner(struct linter *linter, const struct target *target)
{
	bool is_needed = linter->layers[target->family].opaque[target->rule] ||
			 has_changed_corner(linter, target, 0, 1);

	return is_needed ? SEARCH_FOUND : SEARCH_UNDECIDED;
}

static enum search_result check_corners(struct linter *linter, const struct target *target)
{
	return has_changed_corner(linter, target, 1, LINT_CORNERS) ? SEARCH_FOUND
								   : SEARCH_UNDECIDED;
}

#define SHORT_SEARCH 1000 /* comparisons */

/*
 * One corner tells most rules that are needed, and a short search most that are not. Where that is
 * not enough come the other corners, and last a long search.
 */
static const struct {
	regions_check *check;
	uint64_t most;
} steps[] = {
	{ check_one_corner, 0 },
	{ search_change, SHORT_SEARCH },
	{ check_corners, 0 },
	{ search_change, UINT64_MAX },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

void linter_check_redundant(struct linter *linter, size_t rule)
{
	enum search_result result = SEARCH_UNDECIDED;

	if (linter->status[rule] != RULE_LIVE || linter->undecided[rule] ||
	    !rule_decides(&linter->block->rules[rule]) ||
	    (linter->only_shown && linter->block->rules[rule].label))
		return;
	if (linter_is_exhausted(linter)) {
		linter_pass_over(linter, LINT_UNDECIDED_REDUNDANT, rule);
		return;
	}
	for (size_t i = 0; i < STEPS && result == SEARCH_UNDECIDED; i++) {
		if (i + 1 == STEPS && !linter_limit(linter)) {
			linter_pass_over(linter, LINT_UNDECIDED_REDUNDANT, rule);
			return;
		}
		linter->most = steps[i].most;
		result = linter_check_regions(linter, rule, steps[i].check);
	}
	if (result == SEARCH_NOTHING)
		report_redundant(linter, rule);
	else if (result == SEARCH_UNDECIDED)
		linter_report(linter, LINT_UNDECIDED_REDUNDANT, rule);
}
