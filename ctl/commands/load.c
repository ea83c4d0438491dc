/* SPDX-License-Identifier: GPL-2.0-only */
/* What `apply` and `check` say about a rule file is the same, and is said here. */
#include "commands/load.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/lint.h"
#include "analysis/state_lint.h"
#include "base/message.h"
#include "commands/cookies.h"
#include "commands/lockout.h"
#include "commands/running.h"
#include "commands/supported.h"
#include "language/diagnostic.h"
#include "language/language.h"

/*
 * The running rules have no directory to look from, and `save` may write them anywhere: a set's
 * path is made absolute, from the directory of the file that it was written in.
 */
static void paths_make_absolute(struct ruleset *ruleset)
{
	char path[PATH_MAX], absolute[PATH_MAX];

	for (size_t i = 0; i < ruleset->set_count; i++) {
		struct set *set = &ruleset->sets[i];
		const char *file, *slash;

		if (set->kind != SET_FILE || set->path[0] == '/')
			continue;
		file = ruleset->files[set->at.file].path;
		slash = strrchr(file, '/');
		snprintf(path, sizeof(path), "%.*s%s%s", slash ? (int)(slash - file) : 0, file,
			 slash ? "/" : "", set->path);
		if (realpath(path, absolute))
			set->path = arena_strndup(ruleset->arena, absolute, strlen(absolute));
	}
}

/* Of 10,000 rules, to find those that can not match takes longer than all the rest of `apply`. */
#define LINT_RULES_MAX 4096

bool rules_are_few(const struct ruleset *ruleset)
{
	return ruleset_count(ruleset) <= LINT_RULES_MAX;
}

/* Doubts cost time to find, so they are not looked for where they are not shown. */
static void doubts_warn(const struct ruleset *ruleset, enum lint_scope scope,
			struct diagnostics *diagnostics)
{
	struct lint_report report;

	if (scope != LINT_REACH || rules_are_few(ruleset)) {
		lint(ruleset, scope, &report);
		lint_warn(ruleset, &report, diagnostics);
		lint_report_free(&report);
	}
	state_warn(ruleset, diagnostics);
	cookies_warn(ruleset, diagnostics);
	lockout_warn(ruleset, diagnostics);
}

struct ruleset *rules_load(const struct context *context, const char *path, bool to_apply)
{
	struct ruleset *ruleset = NULL;
	struct diagnostics diagnostics;
	bool good;

	diagnostics_init(&diagnostics);
	good = !ruleset_parse(path, &file_reader_system, &diagnostics, &ruleset);
	if (good && to_apply)
		good = ruleset_is_supported(ruleset, &diagnostics);
	/* The language is ahead of the data plane: a file may be right and yet not to be applied.
	 */
	if (good && !to_apply && !context->quiet)
		ruleset_warn_unsupported(ruleset, &diagnostics);
	if (good && !context->quiet)
		doubts_warn(ruleset, to_apply ? LINT_REACH : LINT_SHOWN, &diagnostics);
	if (!good || !context->quiet)
		diagnostics_print(&diagnostics, stderr);
	if (!good)
		ruleset_free(&ruleset);
	else if (to_apply)
		paths_make_absolute(ruleset);
	diagnostics_free(&diagnostics);
	return ruleset;
}
