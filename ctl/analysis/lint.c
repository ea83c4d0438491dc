/* SPDX-License-Identifier: GPL-2.0-only */
/* Goes through the blocks; hidden.c and redundant.c answer the two questions about each rule. */
#include "analysis/lint.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/linter.h"
#include "base/memory.h"

/* A bound of the work on one rule, in comparisons (some 15 to 25 ns each). */
#define WORK_RULE_MAX 300000

/*
 * Packets that the reference evaluator judges at once, and rules that it goes through for them
 * (some 50 ns each): the others are judged when they are shown, which few are.
 */
#define CONFIRMED_AT_ONCE 2000
#define CONFIRMED_RULES	  1000000

uint64_t linter_limit(const struct linter *linter)
{
	uint64_t done = linter->report->work - linter->work_before;
	uint64_t left = done < linter->work ? linter->work - done : 0;

	return left < WORK_RULE_MAX ? left : WORK_RULE_MAX;
}

bool linter_is_exhausted(const struct linter *linter)
{
	return linter->report->work - linter->work_before >= 2 * linter->work;
}

void linter_pass_over(struct linter *linter, enum lint_kind kind, size_t rule)
{
	struct lint_report *report = linter->report;

	linter->undecided[rule] = true;
	if (kind == LINT_UNDECIDED_HIDDEN)
		report->unseen_hidden++;
	else
		report->unseen_redundant++;
	report->unseen_hook = linter->hook;
}

struct search linter_search(struct linter *linter, enum fw_family family)
{
	return (struct search){
		.full = linter->space->families[family].full,
		.scratch = &linter->scratch,
		.limit = linter_limit(linter),
	};
}

bool linter_is_real(void *context, const struct candidate *hit, const struct region *region)
{
	(void)hit;
	return space_is_real(*(const enum fw_family *)context, region);
}

enum search_result linter_check_regions(struct linter *linter, size_t rule, regions_check *check)
{
	enum search_result worst = SEARCH_NOTHING;

	for (int i = 0; i < FW_FAMILIES; i++) {
		const struct layer *layer = &linter->layers[i];

		for (size_t at = layer->first[rule]; at < layer->first[rule + 1]; at++) {
			const struct target target = { (enum fw_family)i, &layer->regions[at],
						       rule };
			enum search_result result = check(linter, &target);

			if (result == SEARCH_FOUND)
				return SEARCH_FOUND;
			if (result == SEARCH_UNDECIDED)
				worst = SEARCH_UNDECIDED;
		}
	}
	return worst;
}

size_t linter_earlier(struct linter *linter, const struct target *target,
		      struct candidate *candidates)
{
	const struct layer *layer = &linter->layers[target->family];
	const struct overlap *overlap = &linter->overlaps[target->family];
	size_t end = layer->first[target->rule], count = 0;

	linter->report->work += overlap_find(overlap, target->region, 0, end, &linter->found);
	for (size_t at = overlap_next(overlap, &linter->found, 0); at < end;
	     at = overlap_next(overlap, &linter->found, at + 1)) {
		uint32_t rule = layer->rules[at];

		if (layer->opaque[rule] || linter->status[rule] == RULE_HIDDEN ||
		    !rule_decides(&linter->block->rules[rule]))
			continue;
		candidates[count++] = (struct candidate){
			.region = &layer->regions[at],
			.rule = rule,
			.role = SEARCH_TAKES,
		};
	}
	linter->report->work += count;
	return count;
}

bool linter_is_taken(struct linter *linter, const struct target *target, const struct point *point)
{
	const struct layer *layer = &linter->layers[target->family];
	const struct overlap *overlap = &linter->overlaps[target->family];
	size_t end = layer->first[target->rule];

	linter->report->work += overlap_find_point(overlap, point, 0, end, &linter->found);
	for (size_t at = overlap_next(overlap, &linter->found, 0); at < end;
	     at = overlap_next(overlap, &linter->found, at + 1)) {
		uint32_t rule = layer->rules[at];

		linter->report->work++;
		if (!layer->opaque[rule] && rule_decides(&linter->block->rules[rule]) &&
		    region_has_point(&layer->regions[at], point))
			return true;
	}
	return false;
}

struct lint_finding *linter_report(struct linter *linter, enum lint_kind kind, size_t rule)
{
	struct lint_report *report = linter->report;
	struct lint_finding *finding;

	report->findings = memory_reserve(report->findings, &report->capacity, report->count + 1,
					  sizeof(report->findings[0]));
	finding = &report->findings[report->count++];
	*finding = (struct lint_finding){
		.kind = kind,
		.hook = linter->hook,
		.rule = rule,
		.taker = EVALUATE_DEFAULT,
	};
	return finding;
}

bool linter_show_point(struct linter *linter, const struct target *target,
		       const struct point *point, struct lint_finding *finding)
{
	const struct rule *rule = &linter->block->rules[target->rule];
	struct sample sample;

	if (!space_packet(linter->space, target->family, point, 0, &sample) ||
	    rule_failing_match(rule, &sample.packet, sample.interface))
		return false;
	finding->packet = sample.packet;
	finding->interface =
		arena_strndup(linter->report->arena, sample.interface, strlen(sample.interface));
	return true;
}

bool linter_show(struct linter *linter, const struct target *target, unsigned corner,
		 struct lint_finding *finding)
{
	struct point point;

	space_pick(linter->space, target->family, target->region, corner, &point);
	return linter_show_point(linter, target, &point, finding);
}

bool linter_confirm(struct linter *linter, struct lint_finding *finding)
{
	if (linter->report->count >= CONFIRMED_AT_ONCE || linter->confirmed >= CONFIRMED_RULES)
		return true;
	linter->confirmed += finding->rule + 1;
	return lint_confirm(linter->ruleset, finding);
}

/* The first rule that decides the packet if one rule were not there. */
static size_t judge_without(const struct block *block, const struct lint_finding *finding)
{
	for (size_t i = finding->rule + 1; i < block->count; i++)
		if (rule_decides(&block->rules[i]) &&
		    !rule_failing_match(&block->rules[i], &finding->packet, finding->interface))
			return i;
	return EVALUATE_DEFAULT;
}

bool lint_confirm(const struct ruleset *ruleset, struct lint_finding *finding)
{
	const struct block *block = &ruleset->blocks[finding->hook];
	enum fw_action action = block->default_action;
	struct evaluation evaluation;

	if (finding->is_checked || !finding->interface)
		return true;
	evaluate(ruleset, finding->hook, &finding->packet, finding->interface, &evaluation);
	finding->taker = evaluation.rule;
	finding->is_checked = true;
	if (finding->kind == LINT_HIDDEN)
		return evaluation.rule < finding->rule;
	if (evaluation.rule != finding->rule)
		return false;
	finding->taker = judge_without(block, finding);
	if (finding->taker != EVALUATE_DEFAULT)
		action = block->rules[finding->taker].action;
	return action == evaluation.action;
}

static void linter_start(struct linter *linter, enum fw_hook hook)
{
	size_t regions = 0, count;

	linter->hook = hook;
	linter->block = &linter->ruleset->blocks[hook];
	count = linter->block->count;
	for (int i = 0; i < FW_FAMILIES; i++) {
		struct layer *layer = &linter->layers[i];

		layer_build(linter->space, 0, hook, (enum fw_family)i, layer);
		overlap_build(&linter->space->families[i], layer, &linter->overlaps[i]);
		regions = layer->count > regions ? layer->count : regions;
	}
	linter->status = memory_new(count, sizeof(linter->status[0]));
	linter->undecided = memory_new(count, sizeof(linter->undecided[0]));
	linter->taken = memory_new(count, sizeof(linter->taken[0]));
	overlap_found_new(regions, &linter->found);
	linter->candidates = memory_new(regions, sizeof(linter->candidates[0]));
}

static void linter_stop(struct linter *linter)
{
	for (int i = 0; i < FW_FAMILIES; i++) {
		layer_free(&linter->layers[i]);
		overlap_free(&linter->overlaps[i]);
	}
	free(linter->status);
	free(linter->undecided);
	free(linter->taken);
	overlap_found_free(&linter->found);
	free(linter->candidates);
}

static void linter_open(struct linter *linter, const struct ruleset *ruleset,
			struct lint_report *report)
{
	*report = (struct lint_report){ .arena = arena_new() };
	*linter = (struct linter){
		.ruleset = ruleset,
		.space = space_new(&ruleset, 1),
		.work = LINT_WORK,
		.report = report,
	};
	if (scratch_new(space_scratch_size(linter->space), &linter->scratch))
		message_out_of_memory();
}

static void linter_close(struct linter *linter)
{
	scratch_free(&linter->scratch);
	space_free(&linter->space);
}

static int compare_findings(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;

	if (x->hook != y->hook)
		return x->hook < y->hook ? -1 : 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

/* From the last to the first, so that a rule is held against those that stay. */
static void lint_block(struct linter *linter, enum fw_hook hook, enum lint_scope scope)
{
	linter_start(linter, hook);
	linter->work_before = linter->report->work;
	for (size_t i = linter->block->builtin_count; i < linter->block->count; i++)
		linter_check_hidden(linter, i);
	linter->work_before = linter->report->work;
	for (size_t i = linter->block->count;
	     scope != LINT_REACH && i-- > linter->block->builtin_count;)
		linter_check_redundant(linter, i);
	linter_stop(linter);
}

void lint(const struct ruleset *ruleset, enum lint_scope scope, struct lint_report *ret_report)
{
	lint_within(ruleset, scope, LINT_WORK, ret_report);
}

void lint_within(const struct ruleset *ruleset, enum lint_scope scope, uint64_t work,
		 struct lint_report *ret_report)
{
	struct linter linter;

	linter_open(&linter, ruleset, ret_report);
	linter.work = work;
	linter.only_shown = scope == LINT_SHOWN;
	for (int hook = 0; hook < FW_HOOKS; hook++)
		lint_block(&linter, (enum fw_hook)hook, scope);
	linter_close(&linter);
	if (ret_report->count)
		qsort(ret_report->findings, ret_report->count, sizeof(ret_report->findings[0]),
		      compare_findings);
}

void lint_one(const struct ruleset *ruleset, enum fw_hook hook, size_t rule,
	      struct lint_report *ret_report)
{
	struct linter linter;

	linter_open(&linter, ruleset, ret_report);
	linter_start(&linter, hook);
	linter_check_hidden(&linter, rule);
	linter_stop(&linter);
	linter_close(&linter);
}

void lint_report_free(struct lint_report *report)
{
	free(report->findings);
	arena_free(&report->arena);
	*report = (struct lint_report){ 0 };
}
