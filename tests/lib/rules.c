/* SPDX-License-Identifier: GPL-2.0-only */
#include "rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "language/language.h"

struct ruleset *rules_read(const char *text)
{
	const struct source_file file = { "test.conf", text, strlen(text) };
	struct ruleset *ruleset = NULL;
	struct diagnostics diagnostics;

	diagnostics_init(&diagnostics);
	if (ruleset_parse_text(&file, &file_reader_system, &diagnostics, &ruleset)) {
		diagnostics_print(&diagnostics, stderr);
		fail_msg("the rules have errors: %.200s", text);
	}
	diagnostics_free(&diagnostics);
	return ruleset;
}
