/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Command lines. Not getopt: global options may stand anywhere, but what follows the first
 * operand of `add` is a rule, in which nothing is an option.
 */
#include "commands/command.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/message.h"
#include "base/number.h"

#define WAIT_SECONDS_MAX 86400

/* Reads the command line one word at a time. */
struct cursor {
	int at;
	int count;
	char **words;
	bool failed;
};

/* "--name" or "--name=value" against a name; the value, or NULL, behind the '='. */
static bool word_names(const char *word, const char *name, const char **ret_value)
{
	size_t length = strlen(name);

	if (strncmp(word, name, length) || (word[length] && word[length] != '='))
		return false;
	*ret_value = word[length] == '=' ? word + length + 1 : NULL;
	return true;
}

/* The value of an option: behind its '=' or the next word. */
static const char *value_take(const struct context *context, struct cursor *cursor,
			      const char *attached)
{
	const char *name = cursor->words[cursor->at - 1];

	if (attached)
		return attached;
	if (cursor->at < cursor->count)
		return cursor->words[cursor->at++];
	usage_error(context, "%s needs a value", name);
	cursor->failed = true;
	return NULL;
}

static void flag_set(const struct context *context, struct cursor *cursor, const char *attached,
		     bool *flag)
{
	if (attached) {
		usage_error(context, "%s takes no value", cursor->words[cursor->at - 1]);
		cursor->failed = true;
	}
	*flag = true;
}

/* A global option, if the word is one. `attached` may be set only then. */
static bool global_take(struct context *context, struct cursor *cursor, const char *word)
{
	const char *attached = NULL;
	const char *text;
	uint64_t seconds;

	if (word_names(word, "--pin-dir", &attached)) {
		text = value_take(context, cursor, attached);
		if (text)
			context->pin_dir = text;
	} else if (word_names(word, "--wait", &attached)) {
		text = value_take(context, cursor, attached);
		if (text && number_parse_text(text, 0, WAIT_SECONDS_MAX, &seconds)) {
			usage_error(context, "--wait %s: not a number of seconds up to %d", text,
				    WAIT_SECONDS_MAX);
			cursor->failed = true;
		} else if (text) {
			context->wait_seconds = (unsigned int)seconds;
		}
	} else if (!strcmp(word, "-q") || word_names(word, "--quiet", &attached)) {
		flag_set(context, cursor, attached, &context->quiet);
	} else if (!strcmp(word, "-v") || word_names(word, "--verbose", &attached)) {
		flag_set(context, cursor, attached, &context->verbose);
	} else if (!strcmp(word, "-h") || word_names(word, "--help", &attached)) {
		flag_set(context, cursor, attached, &context->help);
	} else {
		return false;
	}
	return true;
}

static bool argument_take(const struct context *context, const struct argument *arguments,
			  struct cursor *cursor, const char *word)
{
	const char *attached = NULL;
	const char *text;

	for (; arguments->name; arguments++) {
		bool is_letter = word[0] == '-' && word[1] == arguments->letter &&
				 arguments->letter && !word[2];

		if (!is_letter && !word_names(word, arguments->name, &attached))
			continue;
		if (arguments->kind == ARGUMENT_FLAG) {
			flag_set(context, cursor, attached, arguments->value);
		} else {
			text = value_take(context, cursor, attached);
			if (text)
				*(const char **)arguments->value = text;
		}
		return true;
	}
	return false;
}

bool arguments_take(struct context *context, const struct argument *arguments,
		    enum operand_order order, int *argc, char **argv)
{
	struct cursor cursor = { .count = *argc, .words = argv };
	bool options_ended = false;
	int operands = 0;

	while (cursor.at < cursor.count && !cursor.failed) {
		char *word = cursor.words[cursor.at++];
		bool is_option = !options_ended && word[0] == '-' && word[1];

		if (is_option && !strcmp(word, "--")) {
			options_ended = true;
		} else if (!is_option) {
			argv[operands++] = word;
			options_ended |= order == OPERANDS_LAST;
		} else if (!argument_take(context, arguments, &cursor, word) &&
			   !global_take(context, &cursor, word)) {
			usage_error(context, "there is no option %s", word);
			return false;
		}
	}
	*argc = operands;
	if (context->verbose)
		message_set_level(MESSAGE_DETAIL);
	else if (context->quiet)
		message_set_level(MESSAGE_ERROR);
	return !cursor.failed && !context->help;
}

bool arguments_take_alone(struct context *context, const struct argument *arguments, int argc,
			  char **argv)
{
	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return false;
	if (argc)
		usage_error(context, "it takes no operand");
	return !argc;
}

bool arguments_take_file(struct context *context, const struct argument *arguments, int argc,
			 char **argv, const char **ret_path)
{
	if (!arguments_take(context, arguments, OPERANDS_ANYWHERE, &argc, argv))
		return false;
	if (argc > 1)
		usage_error(context, "one rule file, not %d", argc);
	*ret_path = argc ? argv[0] : DEFAULT_RULE_FILE;
	return argc <= 1;
}
