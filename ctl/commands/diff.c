/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fwctl diff: which packets two rule files judge differently. Ends with 0 whether they do or not,
 * as all commands that did what they were asked; with --exit-code 1 if they do, or if something
 * differs that packets do not tell: interfaces, options, what live sets start with.
 */
#include "analysis/diff.h"

#include <stdio.h>

#include "analysis/diff_print.h"
#include "base/buffer.h"
#include "commands/command.h"
#include "commands/json.h"
#include "language/language.h"

/* Warnings are left to `check`: here they would say everything twice. */
static struct ruleset *load(const char *path)
{
	struct ruleset *ruleset = NULL;
	struct diagnostics diagnostics;

	diagnostics_init(&diagnostics);
	if (ruleset_parse(path, &file_reader_system, &diagnostics, &ruleset))
		diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	return ruleset;
}

static bool compare(struct ruleset *const rulesets[2], bool json)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	struct diff_report report;
	bool is_same;

	diff(rulesets[0], rulesets[1], &report);
	is_same = diff_is_same(&report);
	if (json) {
		json_write(json_told(
			diff_json(&(struct diff_input){ rulesets[0], rulesets[1], &report })));
	} else {
		diff_print(&(struct diff_input){ rulesets[0], rulesets[1], &report }, &text);
		fputs(buffer_text(&text), stdout);
	}
	diff_report_free(&report);
	return is_same;
}

enum exit_status command_diff(struct context *context, int argc, char **argv)
{
	bool json = false, exit_code = false;
	const struct argument arguments[] = {
		{ "--json", 0, ARGUMENT_FLAG, &json },
		{ "--exit-code", 0, ARGUMENT_FLAG, &exit_code },
		{ 0 },
	};
	enum exit_status status = EXIT_USAGE;
	struct ruleset *rulesets[2];

	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return EXIT_USAGE;
	if (context->help)
		return EXIT_DONE;
	if (argc != 2)
		return usage_error(context, "two rule files, the old and the new one");
	rulesets[0] = load(argv[0]);
	rulesets[1] = load(argv[1]);
	if (rulesets[0] && rulesets[1])
		status = compare(rulesets, json) || !exit_code ? EXIT_DONE : EXIT_FAILED;
	ruleset_free(&rulesets[0]);
	ruleset_free(&rulesets[1]);
	return status;
}
