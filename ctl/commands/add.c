/* SPDX-License-Identifier: GPL-2.0-only */
/* fwctl add: one more rule among the running ones, by one atomic switch. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/lint.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "commands/change.h"
#include "commands/cookies.h"
#include "commands/hook.h"
#include "commands/load.h"
#include "commands/lockout.h"
#include "commands/supported.h"
#include "language/language.h"

/* What the user asked for: at most one of the places. */
struct addition {
	const char *before;
	const char *after;
	const char *at;
	struct rule_place place;
	char *text;
};

static enum exit_status place_read(const struct context *context, struct addition *addition)
{
	struct rule_place *place = &addition->place;
	uint64_t number;

	if (!!addition->before + !!addition->after + !!addition->at > 1)
		return usage_error(context, "--before, --after and --at exclude each other");
	if (addition->before) {
		place->kind = PLACE_BEFORE;
		place->identity = addition->before;
	} else if (addition->after) {
		place->kind = PLACE_AFTER;
		place->identity = addition->after;
	} else if (addition->at) {
		if (number_parse_text(addition->at, 1, FW_MAX_RULES, &number))
			return usage_error(context, "--at %s: not a number from 1", addition->at);
		place->kind = PLACE_INDEX;
		place->index = number - 1;
	} else {
		place->kind = PLACE_END;
	}
	return EXIT_DONE;
}

/* Numbers are those of `fwctl list -n`: built-in rules have none. */
static enum exit_status place_resolve(const struct ruleset *ruleset, struct rule_place *place)
{
	const struct block *block = &ruleset->blocks[place->hook];
	size_t own = block->count - block->builtin_count;
	size_t index;

	if (place->kind == PLACE_INDEX) {
		if (place->index > own) {
			message_error("add: --at %zu: the %s block has %zu rule%s",
				      place->index + 1, hook_name(place->hook), own,
				      own == 1 ? "" : "s");
			return EXIT_USAGE;
		}
		place->index += block->builtin_count;
	} else if (place->identity && rule_find(ruleset, place->hook, place->identity, &index)) {
		message_error("add: no %s rule is called '%s'; `fwctl list` prints them",
			      hook_name(place->hook), place->identity);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static void doubts_warn(const struct ruleset *ruleset, enum fw_hook hook, size_t index,
			struct diagnostics *diagnostics)
{
	struct lint_report report;

	if (rules_are_few(ruleset)) {
		lint_one(ruleset, hook, index, &report);
		lint_warn(ruleset, &report, diagnostics);
		lint_report_free(&report);
	}
	if (ruleset->blocks[hook].rules[index].syncookie)
		cookies_warn(ruleset, diagnostics);
	lockout_warn(ruleset, diagnostics);
}

static enum exit_status add_to(struct ruleset *ruleset, const struct context *context, void *data)
{
	struct addition *addition = data;
	enum exit_status status = place_resolve(ruleset, &addition->place);
	struct diagnostics diagnostics;
	size_t index;
	bool good;

	if (status)
		return status;
	/* A hook without a block passes everything: with the block that says so, it still does. */
	if (!ruleset->blocks[addition->place.hook].present)
		ruleset->blocks[addition->place.hook] =
			(struct block){ .present = true, .default_action = FW_PASS };
	diagnostics_init(&diagnostics);
	good = !rule_parse_into(ruleset, &addition->place, addition->text, &diagnostics, &index) &&
	       ruleset_is_supported(ruleset, &diagnostics);
	if (good && !context->quiet)
		doubts_warn(ruleset, addition->place.hook, index, &diagnostics);
	if (!good || !context->quiet)
		diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	return good ? EXIT_DONE : EXIT_USAGE;
}

enum exit_status command_add(struct context *context, int argc, char **argv)
{
	struct addition addition = { 0 };
	const struct argument arguments[] = {
		{ "--before", 0, ARGUMENT_TEXT, &addition.before },
		{ "--after", 0, ARGUMENT_TEXT, &addition.after },
		{ "--at", 0, ARGUMENT_TEXT, &addition.at },
		{ 0 },
	};
	enum exit_status status;

	memory_prepare();
	if (!arguments_take(context, arguments, OPERANDS_LAST, &argc, argv))
		return EXIT_USAGE;
	status = place_read(context, &addition);
	if (status)
		return status;
	if (argc < 2 || !hook_parse(argv[0], &addition.place.hook))
		return usage_error(context, "say ingress or egress, and the rule");
	addition.text = words_join(argc - 1, argv + 1);
	status = running_change(context, add_to, &addition);
	free(addition.text);
	return status;
}
