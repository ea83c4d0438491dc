/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a rule file, as a list of addresses and as a rule for `add`: no crash, no leak,
 * and an error has a place that exists.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "language/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_diagnostics(const struct diagnostics *diagnostics, int err)
{
	char *shown = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&shown, &length);

	check(stream && (err != 0) == (diagnostics->error_count != 0));
	diagnostics_write(diagnostics, DIAGNOSTIC_ALL, true, stream);
	fclose(stream);
	check(!err || length);
	for (size_t i = 0; i < length; i++)
		check(shown[i] == '\n' || shown[i] == '\t' || shown[i] == '\033' ||
		      (uint8_t)shown[i] >= ' ');
	for (size_t i = 0; i < diagnostics->count; i++)
		check(!diagnostics->items[i].at.line || diagnostics->items[i].source);
	free(shown);
}

static void parse(const struct source_file *files, size_t count)
{
	const struct file_reader reader = file_reader_memory(files, count);
	struct ruleset *ruleset = NULL;
	struct diagnostics diagnostics;
	int err;

	diagnostics_init(&diagnostics);
	err = ruleset_parse(files[0].path, &reader, &diagnostics, &ruleset);
	check((err == 0) == (ruleset != NULL));
	check_diagnostics(&diagnostics, err);
	ruleset_free(&ruleset);
	diagnostics_free(&diagnostics);
}

/* A rule comes from argv: text with a NUL behind it. */
static void add(const char *text)
{
	static const char rules[] = "define web = { 80, 443 }\nset s { 192.0.2.1 }\nset l live\n"
				    "ingress default drop {\npass label a\n}\n";
	static const struct source_file file = { "main", rules, sizeof(rules) - 1 };
	const struct rule_place place = { .hook = FW_INGRESS,
					  .kind = PLACE_BEFORE,
					  .identity = "a" };
	struct ruleset *ruleset = NULL;
	struct diagnostics diagnostics;
	size_t index, count;
	int err;

	diagnostics_init(&diagnostics);
	check(!ruleset_parse_text(&file, &file_reader_system, &diagnostics, &ruleset));
	count = ruleset->blocks[FW_INGRESS].count;
	err = rule_parse_into(ruleset, &place, text, &diagnostics, &index);
	check(ruleset->blocks[FW_INGRESS].count == count + !err);
	check_diagnostics(&diagnostics, err);
	ruleset_free(&ruleset);
	diagnostics_free(&diagnostics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char main_text[] = "set f file \"f\"\ninclude \"*\"\n";
	char *text = malloc(size + 1);
	struct source_file files[2] = { { .path = "main" }, { .path = "f" } };

	check(text);
	memcpy(text, data, size);
	files[0].text = files[1].text = text;
	files[0].length = files[1].length = size;
	parse(files, 2);
	files[0].text = main_text;
	files[0].length = sizeof(main_text) - 1;
	parse(files, 2);
	text[size] = '\0';
	add(text);
	free(text);
	return 0;
}
