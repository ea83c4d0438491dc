/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One old judge and one new: their packets lie where both rules overlap and no earlier rule of
 * either side takes them. First some corners are tried, then the overlap is carved. What is found
 * counts only if the reference evaluator confirms it.
 */
#include <string.h>

#include "analysis/differ.h"
#include "analysis/effect.h"
#include "base/memory.h"

#define CORNERS 16

static const struct rule default_rules[] = {
	[FW_PASS] = { .action = FW_PASS },
	[FW_DROP] = { .action = FW_DROP },
	[FW_REJECT] = { .action = FW_REJECT },
};

/* Two judges and the overlap of their regions. */
struct pair {
	size_t rule[DIFF_SIDES]; /* or EVALUATE_DEFAULT */
	enum fw_family family;
	struct region box;
};

static const struct rule *judge_of(const struct differ *differ, enum diff_side side, size_t rule)
{
	if (rule != EVALUATE_DEFAULT)
		return &differ->blocks[side]->rules[rule];
	return &default_rules[diff_action(differ->rulesets[side], differ->hook, rule)];
}

static bool pair_differs(const struct differ *differ, const struct pair *pair)
{
	const struct rule *a = judge_of(differ, DIFF_OLD, pair->rule[DIFF_OLD]);
	const struct rule *b = judge_of(differ, DIFF_NEW, pair->rule[DIFF_NEW]);

	/* A rule that only limits drops, of what is dropped anyway. */
	if (a->action == b->action && a->action != FW_PASS &&
	    (!rule_decides(a) || !rule_decides(b)))
		return false;
	return !effects_equal(a, b);
}

static enum diff_change change_of(const struct differ *differ, const struct pair *pair)
{
	const struct rule *a = judge_of(differ, DIFF_OLD, pair->rule[DIFF_OLD]);
	const struct rule *b = judge_of(differ, DIFF_NEW, pair->rule[DIFF_NEW]);

	if (!rule_decides(a) || !rule_decides(b))
		return DIFF_LIMIT;
	if (a->action != b->action)
		return DIFF_VERDICT;
	if (!limits_equal(a->limit, b->limit))
		return DIFF_LIMIT;
	if (a->keep_state == b->keep_state)
		return DIFF_COOKIE;
	return a->syncookie == b->syncookie ? DIFF_STATE : DIFF_STATE_AND_COOKIE;
}

/* The rules of one side that take packets of the box before the pair's judge sees them. */
static size_t gather_side(struct differ *differ, const struct pair *pair, enum diff_side side,
			  struct candidate *candidates)
{
	const struct layer *layer = &differ->layers[side][pair->family];
	const struct overlap *overlap = &differ->overlaps[side][pair->family];
	size_t end = layer->count, count = 0;

	if (pair->rule[side] != EVALUATE_DEFAULT)
		end = layer->first[pair->rule[side]];
	differ->report->work += overlap_find(overlap, &pair->box, 0, end, &differ->found);
	for (size_t at = overlap_next(overlap, &differ->found, 0); at < end;
	     at = overlap_next(overlap, &differ->found, at + 1)) {
		uint32_t rule = layer->rules[at];

		if (!layer->opaque[rule] && rule_decides(&layer->block->rules[rule]))
			candidates[count++] = (struct candidate){ .region = &layer->regions[at] };
	}
	return count;
}

/* The effects of limits that the packet meets before it is judged, as far as they can drop it. */
static size_t limits_met(const struct differ *differ, enum diff_side side,
			 const struct fw_packet *packet, const char *name, const struct rule **met)
{
	const struct block *block = differ->blocks[side];
	size_t count = 0;

	for (size_t i = 0; i < block->count && count < 64; i++) {
		const struct rule *rule = &block->rules[i];

		if (rule->action == FW_COUNT || rule_failing_match(rule, packet, name))
			continue;
		if (rule_decides(rule))
			break;
		met[count++] = rule;
	}
	return count;
}

static bool limits_differ(const struct differ *differ, const struct diff_region *region)
{
	const struct rule *old_met[64], *new_met[64];
	size_t old_count =
		limits_met(differ, DIFF_OLD, &region->old_packet, region->interface, old_met);
	size_t new_count =
		limits_met(differ, DIFF_NEW, &region->new_packet, region->interface, new_met);

	if (old_count != new_count)
		return true;
	for (size_t i = 0; i < old_count; i++)
		if (!effects_equal(old_met[i], new_met[i]))
			return true;
	return false;
}

/* Does the reference evaluator see what was found? A limiting rule shows in what it is met with. */
static bool is_confirmed(const struct differ *differ, const struct pair *pair,
			 const struct diff_region *region)
{
	const struct fw_packet *packets[] = { &region->old_packet, &region->new_packet };
	bool is_limit = false;

	for (int side = 0; side < DIFF_SIDES; side++) {
		const struct rule *judge = judge_of(differ, (enum diff_side)side, pair->rule[side]);
		struct evaluation evaluation;

		if (!rule_decides(judge)) {
			is_limit = true;
			if (rule_failing_match(judge, packets[side], region->interface))
				return false;
			continue;
		}
		evaluate(differ->rulesets[side], differ->hook, packets[side], region->interface,
			 &evaluation);
		if (evaluation.rule != pair->rule[side])
			return false;
	}
	return !is_limit || limits_differ(differ, region);
}

static void report_region(struct diff_report *report, const struct diff_region *region)
{
	report->regions = memory_reserve(report->regions, &report->capacity, report->count + 1,
					 sizeof(report->regions[0]));
	report->regions[report->count++] = *region;
}

static bool confirm_point(struct differ *differ, const struct pair *pair, const struct point *point)
{
	struct diff_region region = {
		.hook = differ->hook,
		.change = change_of(differ, pair),
		.old_rule = pair->rule[DIFF_OLD],
		.new_rule = pair->rule[DIFF_NEW],
	};

	struct sample old, new;

	if (!space_packet(differ->space, pair->family, point, DIFF_OLD, &old) ||
	    !space_packet(differ->space, pair->family, point, DIFF_NEW, &new))
		return false;
	region.old_packet = old.packet;
	region.new_packet = new.packet;
	region.interface = new.interface;
	if (!is_confirmed(differ, pair, &region))
		return false;
	region.interface =
		arena_strndup(differ->report->arena, region.interface, strlen(region.interface));
	report_region(differ->report, &region);
	return true;
}

/* What a search over a pair comes back to. */
struct pair_search {
	struct differ *differ;
	const struct pair *pair;
	bool is_doubtful; /* found something that the evaluator did not confirm */
};

static bool confirm_region(void *context, const struct candidate *hit, const struct region *region)
{
	struct pair_search *found = context;

	(void)hit;
	if (!space_is_real(found->pair->family, region))
		return false;
	for (unsigned corner = 0; corner < 4; corner++) {
		struct point point;

		space_pick(found->differ->space, found->pair->family, region, corner, &point);
		if (confirm_point(found->differ, found->pair, &point))
			return true;
	}
	found->is_doubtful = true;
	return false;
}

/* Does a rule before the pair's judge on this side take the point? */
static bool side_takes(struct differ *differ, const struct pair *pair, enum diff_side side,
		       const struct point *point)
{
	const struct layer *layer = &differ->layers[side][pair->family];
	const struct overlap *overlap = &differ->overlaps[side][pair->family];
	size_t end = layer->count;

	if (pair->rule[side] != EVALUATE_DEFAULT)
		end = layer->first[pair->rule[side]];
	differ->report->work += overlap_find_point(overlap, point, 0, end, &differ->found);
	for (size_t at = overlap_next(overlap, &differ->found, 0); at < end;
	     at = overlap_next(overlap, &differ->found, at + 1)) {
		uint32_t rule = layer->rules[at];

		differ->report->work++;
		if (!layer->opaque[rule] && rule_decides(&layer->block->rules[rule]) &&
		    region_has_point(&layer->regions[at], point))
			return true;
	}
	return false;
}

static bool has_corner(struct differ *differ, const struct pair *pair)
{
	for (unsigned corner = 0; corner < CORNERS; corner++) {
		struct point point;

		space_pick(differ->space, pair->family, &pair->box, corner, &point);
		if (!side_takes(differ, pair, DIFF_OLD, &point) &&
		    !side_takes(differ, pair, DIFF_NEW, &point) &&
		    confirm_point(differ, pair, &point))
			return true;
	}
	return false;
}

static enum search_result search_pair(struct differ *differ, const struct pair *pair)
{
	struct pair_search found = { .differ = differ, .pair = pair };
	struct search search = {
		.full = differ->space->families[pair->family].full,
		.scratch = &differ->scratch,
		.limit = DIFF_WORK_PAIR_MAX,
		.end_hits = true,
		.found = confirm_region,
		.context = &found,
	};
	enum search_result result;
	size_t count;

	if (differ_is_exhausted(differ))
		return SEARCH_UNDECIDED;
	if (!space_is_real(pair->family, &pair->box))
		return SEARCH_NOTHING;
	if (has_corner(differ, pair))
		return SEARCH_FOUND;
	count = gather_side(differ, pair, DIFF_OLD, differ->candidates);
	count += gather_side(differ, pair, DIFF_NEW, differ->candidates + count);
	result = search_run(&search, &pair->box, differ->candidates, count);
	differ->report->work += search.work;
	if (result == SEARCH_NOTHING && found.is_doubtful)
		return SEARCH_UNDECIDED;
	return result;
}

static struct region judge_region(const struct differ *differ, enum fw_family family,
				  enum diff_side side, size_t at)
{
	if (at == SIZE_MAX)
		return differ->space->families[family].all;
	return differ->layers[side][family].regions[at];
}

/* One pair of regions; `at` of a default is SIZE_MAX. */
static enum search_result check_regions(struct differ *differ, struct pair *pair,
					const size_t at[DIFF_SIDES])
{
	struct region old_region = judge_region(differ, pair->family, DIFF_OLD, at[DIFF_OLD]);
	struct region new_region = judge_region(differ, pair->family, DIFF_NEW, at[DIFF_NEW]);
	size_t mark = differ->scratch.used;
	enum search_result result = SEARCH_NOTHING;

	if (region_intersect(&old_region, &new_region, &differ->scratch, &pair->box))
		result = search_pair(differ, pair);
	differ->scratch.used = mark;
	return result;
}

static void region_span(const struct differ *differ, const struct pair *pair, enum diff_side side,
			size_t span[2])
{
	const struct layer *layer = &differ->layers[side][pair->family];

	span[0] = SIZE_MAX;
	span[1] = 0; /* one past the default's only region */
	if (pair->rule[side] == EVALUATE_DEFAULT)
		return;
	span[0] = layer->first[pair->rule[side]];
	span[1] = layer->first[pair->rule[side] + 1];
}

/* All families and alternatives of two judges, until one packet is found. */
void differ_check_pair(struct differ *differ, size_t old_rule, size_t new_rule)
{
	struct pair pair = { .rule = { old_rule, new_rule } };
	bool is_undecided = false;

	if (!pair_differs(differ, &pair))
		return;
	for (int family = 0; family < FW_FAMILIES; family++) {
		size_t old_span[2], new_span[2], at[DIFF_SIDES];

		pair.family = (enum fw_family)family;
		region_span(differ, &pair, DIFF_OLD, old_span);
		region_span(differ, &pair, DIFF_NEW, new_span);
		for (at[0] = old_span[0]; at[0] != old_span[1]; at[0]++) {
			for (at[1] = new_span[0]; at[1] != new_span[1]; at[1]++) {
				enum search_result result = check_regions(differ, &pair, at);

				if (result == SEARCH_FOUND)
					return;
				is_undecided |= result == SEARCH_UNDECIDED;
			}
		}
	}
	differ->report->undecided += is_undecided;
}
