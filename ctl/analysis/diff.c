/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pairs of judges to compare: only rules that have no counterpart in the other ruleset
 * (align.h), and the defaults, can be one side of a pair that differs. pair.c compares them.
 */
#include "analysis/diff.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/differ.h"
#include "base/memory.h"

enum fw_action diff_action(const struct ruleset *ruleset, enum fw_hook hook, size_t rule)
{
	const struct block *block = &ruleset->blocks[hook];

	if (rule != EVALUATE_DEFAULT)
		return block->rules[rule].action;
	return block->present ? block->default_action : FW_PASS;
}

/* Marks the rules of the other side that may overlap a changed rule. */
static void mark_overlaps(struct differ *differ, enum diff_side side, size_t rule, bool *marked)
{
	enum diff_side other = side == DIFF_OLD ? DIFF_NEW : DIFF_OLD;

	memset(marked, 0, differ->blocks[other]->count);
	for (int family = 0; family < FW_FAMILIES; family++) {
		const struct layer *layer = &differ->layers[side][family];
		const struct layer *others = &differ->layers[other][family];
		const struct overlap *overlap = &differ->overlaps[other][family];

		for (size_t at = layer->first[rule]; at < layer->first[rule + 1]; at++) {
			overlap_find(overlap, &layer->regions[at], 0, others->count,
				     &differ->found);
			for (size_t i = overlap_next(overlap, &differ->found, 0); i < others->count;
			     i = overlap_next(overlap, &differ->found, i + 1))
				marked[others->rules[i]] = true;
		}
	}
}

/*
 * A changed rule against all judges of the other side. Pairs of two changed rules are met from
 * the old side. A limiting rule is no judge, but it is compared with those that are.
 */
static void check_changed(struct differ *differ, enum diff_side side, size_t rule, bool *marked)
{
	enum diff_side other = side == DIFF_OLD ? DIFF_NEW : DIFF_OLD;
	const struct block *others = differ->blocks[other];
	bool is_limiting = !rule_decides(&differ->blocks[side]->rules[rule]);

	if (differ_is_exhausted(differ)) {
		differ->report->undecided++;
		return;
	}
	mark_overlaps(differ, side, rule, marked);
	for (size_t i = 0; i < others->count; i++) {
		if (!marked[i] || !rule_decides(&others->rules[i]))
			continue;
		if (side == DIFF_OLD)
			differ_check_pair(differ, rule, i);
		else if (!differ->changed[DIFF_OLD][i] || is_limiting)
			differ_check_pair(differ, i, rule);
	}
	if (side == DIFF_OLD)
		differ_check_pair(differ, rule, EVALUATE_DEFAULT);
	else
		differ_check_pair(differ, EVALUATE_DEFAULT, rule);
}

static void diff_start(struct differ *differ, enum fw_hook hook)
{
	size_t regions = 0;

	differ->hook = hook;
	for (int side = 0; side < DIFF_SIDES; side++) {
		size_t most = 0;

		differ->blocks[side] = &differ->rulesets[side]->blocks[hook];
		differ->changed[side] =
			memory_new(differ->blocks[side]->count, sizeof(differ->changed[0][0]));
		for (int family = 0; family < FW_FAMILIES; family++) {
			struct layer *layer = &differ->layers[side][family];

			layer_build(differ->space, (size_t)side, hook, (enum fw_family)family,
				    layer);
			overlap_build(&differ->space->families[family], layer,
				      &differ->overlaps[side][family]);
			most = layer->count > most ? layer->count : most;
		}
		regions += most;
	}
	overlap_found_new(regions, &differ->found);
	differ->candidates = memory_new(regions, sizeof(differ->candidates[0]));
}

static void diff_stop(struct differ *differ)
{
	for (int side = 0; side < DIFF_SIDES; side++) {
		for (int family = 0; family < FW_FAMILIES; family++) {
			layer_free(&differ->layers[side][family]);
			overlap_free(&differ->overlaps[side][family]);
		}
		free(differ->changed[side]);
	}
	overlap_found_free(&differ->found);
	free(differ->candidates);
}

static void diff_block(struct differ *differ, enum fw_hook hook)
{
	size_t most;
	bool *marked;

	diff_start(differ, hook);
	most = differ->blocks[DIFF_OLD]->count > differ->blocks[DIFF_NEW]->count
		       ? differ->blocks[DIFF_OLD]->count
		       : differ->blocks[DIFF_NEW]->count;
	marked = memory_new(most, sizeof(*marked));
	blocks_align((const struct layer(*)[FW_FAMILIES])differ->layers, differ->changed);
	for (int side = 0; side < DIFF_SIDES; side++)
		for (size_t i = 0; i < differ->blocks[side]->count; i++)
			if (differ->changed[side][i] &&
			    differ->blocks[side]->rules[i].action != FW_COUNT)
				check_changed(differ, (enum diff_side)side, i, marked);
	differ_check_pair(differ, EVALUATE_DEFAULT, EVALUATE_DEFAULT);
	free(marked);
	diff_stop(differ);
}

static int compare_regions(const void *a, const void *b)
{
	const struct diff_region *x = a, *y = b;

	if (x->hook != y->hook)
		return x->hook < y->hook ? -1 : 1;
	if (x->old_rule != y->old_rule)
		return x->old_rule < y->old_rule ? -1 : 1;
	return x->new_rule < y->new_rule ? -1 : x->new_rule > y->new_rule;
}

static bool interfaces_differ(const struct ruleset *a, const struct ruleset *b)
{
	if (a->interface_count != b->interface_count)
		return true;
	for (size_t i = 0; i < a->interface_count; i++)
		if (strcmp(a->interfaces[i].pattern, b->interfaces[i].pattern) != 0 ||
		    a->interfaces[i].mode != b->interfaces[i].mode)
			return true;
	return false;
}

static bool options_differ(const struct ruleset *a, const struct ruleset *b)
{
	if (a->option_count != b->option_count)
		return true;
	for (size_t i = 0; i < a->option_count; i++)
		if (strcmp(a->option_lines[i].name, b->option_lines[i].name) != 0 ||
		    strcmp(a->option_lines[i].value, b->option_lines[i].value) != 0)
			return true;
	return false;
}

static bool live_set_differs(const struct set *a, const struct set *b)
{
	const struct address_ranges *x = &a->ranges, *y = &b->ranges;

	return a->size != b->size || a->timeout != b->timeout || x->inet_count != y->inet_count ||
	       x->inet6_count != y->inet6_count ||
	       (x->inet_count &&
		memcmp(x->inet, y->inet, x->inet_count * sizeof(x->inet[0])) != 0) ||
	       (x->inet6_count &&
		memcmp(x->inet6, y->inet6, x->inet6_count * sizeof(x->inet6[0])) != 0);
}

/* Of those that both rulesets have: a set of one alone shows in the rules that use it. */
static bool live_sets_differ(const struct ruleset *a, const struct ruleset *b)
{
	for (size_t i = 0; i < a->set_count; i++)
		for (size_t j = 0; a->sets[i].kind == SET_LIVE && j < b->set_count; j++)
			if (b->sets[j].kind == SET_LIVE &&
			    !strcmp(a->sets[i].name, b->sets[j].name) &&
			    live_set_differs(&a->sets[i], &b->sets[j]))
				return true;
	return false;
}

void diff(const struct ruleset *old_ruleset, const struct ruleset *new_ruleset,
	  struct diff_report *ret_report)
{
	struct differ differ = { .rulesets = { old_ruleset, new_ruleset }, .report = ret_report };

	*ret_report = (struct diff_report){
		.arena = arena_new(),
		.interfaces_differ = interfaces_differ(old_ruleset, new_ruleset),
		.options_differ = options_differ(old_ruleset, new_ruleset),
		.live_sets_differ = live_sets_differ(old_ruleset, new_ruleset),
	};
	differ.space = space_new(differ.rulesets, DIFF_SIDES);
	if (scratch_new(space_scratch_size(differ.space), &differ.scratch))
		message_out_of_memory();
	for (int hook = 0; hook < FW_HOOKS; hook++)
		diff_block(&differ, (enum fw_hook)hook);
	scratch_free(&differ.scratch);
	space_free(&differ.space);
	if (ret_report->count)
		qsort(ret_report->regions, ret_report->count, sizeof(ret_report->regions[0]),
		      compare_regions);
}

void diff_report_free(struct diff_report *report)
{
	free(report->regions);
	arena_free(&report->arena);
	*report = (struct diff_report){ 0 };
}
