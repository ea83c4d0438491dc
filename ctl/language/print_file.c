/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole ruleset as text. Statements keep their order, since a name stands before its use; the
 * blocks come last. What was included stands in its place.
 */
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/ranges.h"
#include "language/parser.h"

/* Kinds are told apart by an empty line. */
enum statement_kind {
	STATEMENT_INTERFACE,
	STATEMENT_OPTION,
	STATEMENT_DEFINE,
	STATEMENT_SET,
};

struct statement {
	enum statement_kind kind;
	uint32_t order;
	size_t index;
};

static const char *const mode_words[] = {
	[ATTACH_AUTO] = "auto",
	[ATTACH_NATIVE] = "native",
	[ATTACH_GENERIC] = "generic",
};

/* All interfaces of one statement, from the first of them. */
static void print_interfaces(const struct ruleset *ruleset, size_t first, struct buffer *buffer)
{
	const struct interface *all = ruleset->interfaces, *last = &all[first];
	const char *define = NULL;

	buffer_puts(buffer, "interface ");
	for (size_t i = first; i < ruleset->interface_count && all[i].order == last->order; i++) {
		if (all[i].define && all[i].define == define)
			continue;
		define = all[i].define;
		if (i > first)
			buffer_puts(buffer, ", ");
		if (define)
			buffer_printf(buffer, "$%s", define);
		else
			text_print_quoted(all[i].pattern, buffer);
	}
	if (last->mode != ATTACH_AUTO)
		buffer_printf(buffer, " mode %s", mode_words[last->mode]);
}

static void print_define(const struct define *define, struct buffer *buffer)
{
	bool braces = define->written.count != 1;

	buffer_printf(buffer, "define %s = %s", define->name, braces ? "{ " : "");
	element_list_print(MATCH_KINDS, false, &define->written, buffer);
	buffer_puts(buffer, braces ? " }" : "");
}

static void print_elements(const struct set *set, struct buffer *buffer)
{
	if (!set->written.count) {
		buffer_puts(buffer, " { }");
		return;
	}
	buffer_puts(buffer, " { ");
	element_list_print(MATCH_SOURCE, false, &set->written, buffer);
	buffer_puts(buffer, " }");
}

static void print_set(const struct set *set, struct buffer *buffer)
{
	buffer_printf(buffer, "set %s", set->name);
	if (set->kind == SET_FILE) {
		buffer_printf(buffer, " file \"%s\"", set->path);
		return;
	}
	if (set->kind == SET_LIVE) {
		buffer_puts(buffer, " live");
		if (set->size_text)
			buffer_printf(buffer, " size %s", set->size_text);
		if (set->timeout_text)
			buffer_printf(buffer, " timeout %s", set->timeout_text);
		if (set->counters)
			buffer_puts(buffer, " counters");
	}
	if (set->kind == SET_INLINE || set->written.count)
		print_elements(set, buffer);
}

static int compare_statements(const void *a, const void *b)
{
	const struct statement *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static struct statement *collect_statements(const struct ruleset *ruleset, size_t *ret_count)
{
	size_t all = ruleset->interface_count + ruleset->option_count + ruleset->define_count +
		     ruleset->set_count;
	struct statement *statements = calloc(all + 1, sizeof(*statements));
	size_t count = 0;

	if (!statements)
		message_out_of_memory();
	for (size_t i = 0; i < ruleset->interface_count; i++)
		if (!i || ruleset->interfaces[i].order != ruleset->interfaces[i - 1].order)
			statements[count++] = (struct statement){ STATEMENT_INTERFACE,
								  ruleset->interfaces[i].order, i };
	for (size_t i = 0; i < ruleset->option_count; i++)
		statements[count++] =
			(struct statement){ STATEMENT_OPTION, ruleset->option_lines[i].order, i };
	for (size_t i = 0; i < ruleset->define_count; i++)
		statements[count++] =
			(struct statement){ STATEMENT_DEFINE, ruleset->defines[i].order, i };
	for (size_t i = 0; i < ruleset->set_count; i++)
		statements[count++] =
			(struct statement){ STATEMENT_SET, ruleset->sets[i].order, i };
	qsort(statements, count, sizeof(*statements), compare_statements);
	*ret_count = count;
	return statements;
}

/*
 * Adds one statement and its newline. Behind `width` bytes it is broken at commas between braces,
 * where a newline means nothing: a line has its bound (LINE_LENGTH_MAX), a list has none.
 */
static void add_broken(struct buffer *buffer, const char *text, size_t width)
{
	bool in_string = false, in_braces = false;
	size_t column = 0, length = strlen(text);

	if (length < width) {
		buffer_add(buffer, text, length);
		text += length;
	}
	for (; *text; text++) {
		if (in_braces && !in_string && text[0] == ' ' && text[-1] == ',' &&
		    column + strcspn(text + 1, " ") >= width) {
			buffer_puts(buffer, "\n        ");
			column = strlen("        ");
			continue;
		}
		if (*text == '"')
			in_string = !in_string;
		else if (!in_string && (*text == '{' || *text == '}'))
			in_braces = *text == '{';
		buffer_putc(buffer, *text);
		column++;
	}
	buffer_putc(buffer, '\n');
}

#define STATEMENT_WIDTH 100
#define RULE_WIDTH	4000 /* a rule stays on its line as long as anyone reads it */

static void print_statement(const struct ruleset *ruleset, const struct statement *statement,
			    struct buffer *buffer)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	const struct option *option;

	switch (statement->kind) {
	case STATEMENT_INTERFACE:
		print_interfaces(ruleset, statement->index, &text);
		break;
	case STATEMENT_OPTION:
		option = &ruleset->option_lines[statement->index];
		buffer_printf(&text, "option %s %s", option->name, option->value);
		break;
	case STATEMENT_DEFINE:
		print_define(&ruleset->defines[statement->index], &text);
		break;
	case STATEMENT_SET:
		print_set(&ruleset->sets[statement->index], &text);
		break;
	}
	add_broken(buffer, buffer_text(&text), STATEMENT_WIDTH);
}

static void print_block(const struct block *block, const char *hook, bool builtin,
			struct buffer *buffer)
{
	buffer_printf(buffer, "%s default %s {\n", hook, action_name(block->default_action));
	for (size_t i = builtin ? 0 : block->builtin_count; i < block->count; i++) {
		buffer_puts(buffer, block->rules[i].builtin ? "    # " : "    ");
		add_broken(buffer, block->rules[i].text, RULE_WIDTH);
	}
	buffer_puts(buffer, "}\n");
}

static void print_all(const struct ruleset *ruleset, bool builtin, struct buffer *buffer)
{
	static const char *const hooks[FW_HOOKS] = { "ingress", "egress" };
	struct statement *statements;
	size_t count;

	statements = collect_statements(ruleset, &count);
	for (size_t i = 0; i < count; i++) {
		if (i && statements[i].kind != statements[i - 1].kind)
			buffer_putc(buffer, '\n');
		print_statement(ruleset, &statements[i], buffer);
	}
	free(statements);
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		if (!ruleset->blocks[hook].present)
			continue;
		if (count++)
			buffer_putc(buffer, '\n');
		print_block(&ruleset->blocks[hook], hooks[hook], builtin, buffer);
	}
}

void ruleset_print(const struct ruleset *ruleset, struct buffer *buffer)
{
	print_all(ruleset, false, buffer);
}

void ruleset_print_all(const struct ruleset *ruleset, struct buffer *buffer)
{
	print_all(ruleset, true, buffer);
}

static void print_range(const struct address *low, const struct address *high,
			struct buffer *buffer)
{
	int length = range_prefix_length(low, high);
	char text[ADDRESS_TEXT_MAX];

	address_print(low, text);
	buffer_puts(buffer, text);
	if (length < 0) {
		address_print(high, text);
		buffer_putc(buffer, '-');
		buffer_puts(buffer, text);
	} else if (length < (low->family == FW_INET ? 32 : 128)) {
		buffer_putc(buffer, '/');
		buffer_number(buffer, (unsigned)length);
	}
	buffer_putc(buffer, '\n');
}

void address_ranges_print(const struct address_ranges *ranges, struct buffer *buffer)
{
	struct address low = { .family = FW_INET }, high = { .family = FW_INET };

	for (size_t i = 0; i < ranges->inet_count; i++) {
		low.word[0] = ranges->inet[i].low;
		high.word[0] = ranges->inet[i].high;
		print_range(&low, &high, buffer);
	}
	low.family = high.family = FW_INET6;
	for (size_t i = 0; i < ranges->inet6_count; i++) {
		memcpy(low.word, ranges->inet6[i].low, sizeof(low.word));
		memcpy(high.word, ranges->inet6[i].high, sizeof(high.word));
		print_range(&low, &high, buffer);
	}
}
