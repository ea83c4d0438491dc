/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lint of any rule file against the reference evaluator: no corner of any rule may reach a rule
 * that is said to be out of reach, nor fare differently without one that is said to be redundant.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/lint.h"
#include "analysis/space.h"
#include "language/language.h"

#define TEXT_MAX  8192
#define RULES_MAX 48
#define CORNERS	  6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What becomes of the packet if one rule were not there. */
static enum fw_action judge_without(const struct block *block, size_t left_out,
				    const struct fw_packet *packet, const char *interface)
{
	for (size_t i = 0; i < block->count; i++)
		if (i != left_out && rule_decides(&block->rules[i]) &&
		    !rule_failing_match(&block->rules[i], packet, interface))
			return block->rules[i].action;
	return block->default_action;
}

static void check_packet(const struct ruleset *ruleset, enum fw_hook hook,
			 const struct lint_report *report, const struct fw_packet *packet,
			 const char *interface)
{
	const struct block *block = &ruleset->blocks[hook];
	struct evaluation evaluation;

	evaluate(ruleset, hook, packet, interface, &evaluation);
	for (size_t i = 0; i < report->count; i++) {
		const struct lint_finding *finding = &report->findings[i];

		if (finding->hook != hook)
			continue;
		if (finding->kind == LINT_EMPTY &&
		    !rule_failing_match(&block->rules[finding->rule], packet, interface))
			abort();
		if (finding->kind == LINT_HIDDEN && evaluation.rule == finding->rule)
			abort();
		if (finding->kind == LINT_REDUNDANT && evaluation.rule == finding->rule &&
		    judge_without(block, finding->rule, packet, interface) != evaluation.action)
			abort();
	}
}

static void check_block(struct space *space, enum fw_hook hook, const struct lint_report *report)
{
	for (int family = 0; family < FW_FAMILIES; family++) {
		struct layer layer;

		layer_build(space, 0, hook, (enum fw_family)family, &layer);
		for (size_t i = 0; i < layer.count; i++) {
			for (unsigned corner = 0; corner < CORNERS; corner++) {
				struct sample sample;
				struct point point;

				space_pick(space, (enum fw_family)family, &layer.regions[i], corner,
					   &point);
				if (space_packet(space, (enum fw_family)family, &point, 0, &sample))
					check_packet(space->rulesets[0], hook, report,
						     &sample.packet, sample.interface);
			}
		}
		layer_free(&layer);
	}
}

static void check_lint(const struct ruleset *ruleset)
{
	struct space *space = space_new(&ruleset, 1);
	struct diagnostics diagnostics;
	struct lint_report report;

	lint(ruleset, LINT_ALL, &report);
	for (int hook = 0; hook < FW_HOOKS; hook++)
		check_block(space, (enum fw_hook)hook, &report);
	diagnostics_init(&diagnostics);
	lint_warn(ruleset, &report, &diagnostics);
	if (diagnostics.warning_count != report.count)
		abort();
	diagnostics_free(&diagnostics);
	lint_report_free(&report);
	space_free(&space);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct source_file file = { .path = "fuzz", .text = (const char *)data, size };
	const struct file_reader reader = file_reader_memory(&file, 1);
	struct diagnostics diagnostics;
	struct ruleset *ruleset = NULL;

	if (size > TEXT_MAX)
		return 0;
	diagnostics_init(&diagnostics);
	if (!ruleset_parse_text(&file, &reader, &diagnostics, &ruleset) &&
	    ruleset->blocks[FW_INGRESS].count + ruleset->blocks[FW_EGRESS].count <= RULES_MAX)
		check_lint(ruleset);
	ruleset_free(&ruleset);
	diagnostics_free(&diagnostics);
	return 0;
}
