/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is right stays right: the canonical text of a rule file parses, means the same and prints
 * the same again, also where it is read back as running rules; the formatted file has the same
 * canonical text and formats to itself.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "language/language.h"

#define MAIN "main"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what, const struct buffer *text)
{
	if (holds)
		return;
	fprintf(stderr, "%s:\n%s\n", what, buffer_text(text));
	abort();
}

static struct ruleset *parse(const char *path, const char *text, size_t length)
{
	static const char list[] = "192.0.2.0/24\n2001:db8::/32\n";
	static const char included[] = "define one = 1\nset two { 192.0.2.2 }\n";
	const struct source_file files[] = {
		{ path, text, length },
		{ "f", list, sizeof(list) - 1 },
		{ "i", included, sizeof(included) - 1 },
	};
	const struct file_reader reader = file_reader_memory(files, 3);
	struct ruleset *ruleset = NULL;
	struct diagnostics diagnostics;

	diagnostics_init(&diagnostics);
	ruleset_parse_text(&files[0], &reader, &diagnostics, &ruleset);
	if (!ruleset && getenv("FUZZ_SHOW"))
		diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	return ruleset;
}

static bool same_match(const struct match *a, const struct match *b)
{
	if (a->kind != b->kind || a->negated != b->negated || a->written.count != b->written.count)
		return false;
	switch (a->kind) {
	case MATCH_FRAGMENT:
		return true;
	case MATCH_FAMILY:
		return a->family == b->family;
	case MATCH_INTERFACE:
		return a->names.count == b->names.count;
	case MATCH_FLAGS:
		return a->flags.set == b->flags.set && a->flags.mask == b->flags.mask;
	case MATCH_STATE:
		return a->states == b->states;
	case MATCH_SOURCE:
	case MATCH_DESTINATION:
		return a->addresses.any == b->addresses.any &&
		       a->addresses.set_count == b->addresses.set_count &&
		       a->addresses.ranges.inet_count == b->addresses.ranges.inet_count &&
		       a->addresses.ranges.inet6_count == b->addresses.ranges.inet6_count;
	default:
		return a->ranges.count == b->ranges.count &&
		       !memcmp(a->ranges.items, b->ranges.items,
			       a->ranges.count * sizeof(a->ranges.items[0]));
	}
}

static bool same_rule(const struct rule *a, const struct rule *b)
{
	if (a->action != b->action || a->families != b->families || a->log != b->log ||
	    a->log_sample != b->log_sample || a->keep_state != b->keep_state ||
	    a->syncookie != b->syncookie || a->match_count != b->match_count ||
	    !a->limit != !b->limit || strcmp(a->text, b->text) != 0)
		return false;
	if (a->limit && (a->limit->rate != b->limit->rate || a->limit->burst != b->limit->burst ||
			 a->limit->unit != b->limit->unit || a->limit->per != b->limit->per ||
			 a->limit->seconds != b->limit->seconds))
		return false;
	for (size_t i = 0; i < a->match_count; i++)
		if (!same_match(&a->matches[i], &b->matches[i]))
			return false;
	return true;
}

static bool same_rules(const struct ruleset *a, const struct ruleset *b)
{
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		const struct block *x = &a->blocks[hook], *y = &b->blocks[hook];

		if (x->count != y->count || x->default_action != y->default_action)
			return false;
		for (size_t i = 0; i < x->count; i++)
			if (!same_rule(&x->rules[i], &y->rules[i]))
				return false;
	}
	return a->set_count == b->set_count && a->define_count == b->define_count &&
	       a->interface_count == b->interface_count &&
	       !memcmp(a->options.timeouts, b->options.timeouts, sizeof(a->options.timeouts));
}

/* Parses the text, checks that it prints as expected and compares what it means. */
static void check_same(const struct ruleset *ruleset, const char *path, const struct buffer *text,
		       const struct buffer *expected)
{
	struct ruleset *again = parse(path, buffer_text(text), text->length);
	struct buffer printed = { 0 };

	check(again, "does not parse", text);
	ruleset_print(again, &printed);
	check(!strcmp(buffer_text(&printed), buffer_text(expected)), "prints differently", text);
	check(same_rules(ruleset, again), "means something else", text);
	buffer_free(&printed);
	ruleset_free(&again);
}

static void check_format(const struct ruleset *ruleset, const char *text, size_t length,
			 const struct buffer *printed)
{
	struct source_file file = { MAIN, text, length };
	struct buffer formatted = { 0 }, twice = { 0 };
	struct diagnostics diagnostics;

	diagnostics_init(&diagnostics);
	check(!format_text(&file, &diagnostics, &formatted), "cannot be formatted", printed);
	file.text = buffer_text(&formatted);
	file.length = formatted.length;
	check(!format_text(&file, &diagnostics, &twice), "cannot be formatted twice", &formatted);
	check(!strcmp(buffer_text(&formatted), buffer_text(&twice)), "formats differently",
	      &formatted);
	check_same(ruleset, MAIN, &formatted, printed);
	diagnostics_free(&diagnostics);
	buffer_free(&formatted);
	buffer_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ruleset *ruleset = parse(MAIN, (const char *)data, size);
	struct buffer printed = { 0 };

	if (!ruleset)
		return 0;
	ruleset_print(ruleset, &printed);
	check_same(ruleset, MAIN, &printed, &printed);
	check_same(ruleset, RUNNING_RULES, &printed, &printed);
	check_format(ruleset, (const char *)data, size, &printed);
	buffer_free(&printed);
	ruleset_free(&ruleset);
	return 0;
}
