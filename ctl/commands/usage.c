/* SPDX-License-Identifier: GPL-2.0-only */
/* How a command is called: in full for --help, and behind a message if that fits on its line. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/message.h"
#include "commands/command.h"

#define COLUMNS	   80
#define ONE_LINE   64 /* of operands, so that the message before them is not lost */
#define FIRST_WORD "usage: "

enum exit_status usage_error(const struct context *context, const char *format, ...)
{
	const struct command *command = context->command;
	_cleanup_buffer_ struct buffer text = { 0 };
	va_list arguments;

	va_start(arguments, format);
	buffer_vprintf(&text, format, arguments);
	va_end(arguments);
	if (!command)
		message_error("%s; `fwctl --help` lists the commands", buffer_text(&text));
	else if (strlen(command->operands) > ONE_LINE)
		message_error("%s: %s; `fwctl %s --help` shows how it is used", command->name,
			      buffer_text(&text), command->name);
	else
		message_error("%s: %s; usage: fwctl %s%s%s", command->name, buffer_text(&text),
			      command->name, *command->operands ? " " : "", command->operands);
	return EXIT_USAGE;
}

/* What is not to be torn apart: a word, or all between brackets. */
static size_t unit_length(const char *text, size_t most)
{
	size_t length = 0;
	int depth = 0;

	while (length < most && (depth || text[length] != ' ')) {
		depth += text[length] == '[' || text[length] == '(';
		depth -= text[length] == ']' || text[length] == ')';
		length++;
	}
	return length;
}

/* One way to call it, on as many lines as it takes. */
static void form_print(const struct command *command, const char *operands, size_t length,
		       const char *before)
{
	int indent = printf("%*sfwctl %s", (int)strlen(FIRST_WORD), before, command->name);
	int column = indent;

	for (size_t at = 0; at < length;) {
		size_t unit = unit_length(operands + at, length - at);

		if (column + 1 + (int)unit > COLUMNS)
			column = printf("\n%*s", indent, "") - 1;
		column += printf(" %.*s", (int)unit, operands + at);
		at += unit + 1;
	}
	putchar('\n');
}

void usage_print(const struct command *command)
{
	const char *operands = command->operands, *before = FIRST_WORD;

	for (;;) {
		size_t length = strcspn(operands, "\n");

		form_print(command, operands, length, before);
		if (!operands[length])
			break;
		operands += length + 1;
		before = "";
	}
	printf("\n%s\n", command->summary);
}
