/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The language by itself, for the golden tests: parse [-a | -f | -c | -r] FILE
 *
 *	(none)	canonical text to standard output, diagnostics to standard error
 *	-a	the same with the built-in rules
 *	-f	the file in the canonical layout
 *	-c	diagnostics as on a terminal, with colour
 *	-r	the file as running rules that are read back: it is canonical text
 *
 * Exit status 0, or 2 if there are errors.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "language/language.h"

static int format_file(const char *path, struct diagnostics *diagnostics, struct buffer *text)
{
	struct arena *arena = arena_new();
	struct source_file file;
	int err;

	err = file_reader_system.read(&file_reader_system, path, arena, &file);
	if (!err)
		err = format_text(&file, diagnostics, text);
	arena_free(&arena);
	return err;
}

static int parse_running(const char *path, struct diagnostics *diagnostics,
			 struct ruleset **ret_ruleset)
{
	struct arena *arena = arena_new();
	struct source_file file;
	int err;

	err = file_reader_system.read(&file_reader_system, path, arena, &file);
	file.path = RUNNING_RULES;
	if (!err)
		err = ruleset_parse_text(&file, &file_reader_system, diagnostics, ret_ruleset);
	arena_free(&arena);
	return err;
}

static int parse_file(const char *path, const char *mode, struct diagnostics *diagnostics,
		      struct buffer *text)
{
	struct ruleset *ruleset = NULL;
	int err;

	if (!strcmp(mode, "-r"))
		err = parse_running(path, diagnostics, &ruleset);
	else
		err = ruleset_parse(path, &file_reader_system, diagnostics, &ruleset);
	if (!err && !strcmp(mode, "-a"))
		ruleset_print_all(ruleset, text);
	else if (!err)
		ruleset_print(ruleset, text);
	ruleset_free(&ruleset);
	return err;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";
	_cleanup_buffer_ struct buffer text = { 0 };
	struct diagnostics diagnostics;
	int err;

	if (argc < 2)
		return 2;
	diagnostics_init(&diagnostics);
	if (!strcmp(mode, "-f"))
		err = format_file(argv[argc - 1], &diagnostics, &text);
	else
		err = parse_file(argv[argc - 1], mode, &diagnostics, &text);
	diagnostics_write(&diagnostics, DIAGNOSTIC_ALL, !strcmp(mode, "-c"), stderr);
	diagnostics_free(&diagnostics);
	if (!err)
		fputs(buffer_text(&text), stdout);
	return err ? 2 : 0;
}
