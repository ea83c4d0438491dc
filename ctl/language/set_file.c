/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File sets: one address, prefix or span a line, '#' comments, blank lines. Lists of more than a
 * million come this way, so nothing is kept of an element but its range, and doubts about many
 * elements become one warning.
 */
#include <errno.h>
#include <string.h>

#include "language/parser.h"

/* Doubts, counted; where the first of a kind is. */
struct doubts {
	size_t host_bits;
	struct location first;
	const char *hint;
};

/* What is drawn from the lines of one file. */
struct reading {
	struct ranges_builder builder;
	struct doubts doubts;
};

static const char *skip_blanks(const char *text, const char *end)
{
	while (text < end && (*text == ' ' || *text == '\t' || *text == '\r'))
		text++;
	return text;
}

static void line_error(struct parser *parser, const struct location *at, const char *text)
{
	const struct token token = { .kind = TOKEN_WORD, .text = text, .length = at->length };
	struct location byte = { .line = at->line, .length = 1, .file = at->file };
	struct token copy = token;
	struct element element;

	for (uint32_t i = 0; i < at->length; i++) {
		if (text[i] >= ' ' && text[i] <= '~')
			continue;
		byte.column = at->column + i;
		parser_error(parser, &byte, NULL, "byte 0x%02x is not text", (uint8_t)text[i]);
		return;
	}
	copy.at = *at;
	address_of_token(parser, &copy, &element);
}

static void doubt_host_bits(struct parser *parser, struct doubts *doubts, const char *text,
			    const struct location *at, const struct element *element)
{
	const char *slash = memchr(text, '/', at->length);
	char network[ADDRESS_TEXT_MAX];
	struct address address;

	if (!slash || !address_parse(text, (size_t)(slash - text), &address) ||
	    !words_compare(address.word, element->address.low.word))
		return;
	if (doubts->host_bits++)
		return;
	address_print(&element->address.low, network);
	doubts->first = *at;
	doubts->hint = diagnostics_hint(parser->diagnostics, "the network is %s/%u", network,
					element->address.prefix_length);
}

/* One line without its end. */
static void read_line(struct parser *parser, struct reading *reading, const char *line,
		      const char *end, struct location at)
{
	const char *text = skip_blanks(line, end), *stop = text;
	struct token token = { .kind = TOKEN_WORD, .text = text };
	struct element element;

	while (stop < end && *stop != ' ' && *stop != '\t' && *stop != '\r' && *stop != '#')
		stop++;
	at.column = (uint32_t)(text - line) + 1;
	at.length = token.length = (uint32_t)(stop - text);
	if (stop > text) {
		if (!token_is_address(&token, &element)) {
			line_error(parser, &at, text);
			return;
		}
		ranges_add(&reading->builder, &element.address.low, &element.address.high);
		if (element.kind == ELEMENT_PREFIX)
			doubt_host_bits(parser, &reading->doubts, text, &at, &element);
	}
	text = skip_blanks(stop, end);
	if (text < end && *text != '#') {
		at.column = (uint32_t)(text - line) + 1;
		at.length = 1;
		parser_error(parser, &at, "a file holds one address, prefix or span a line",
			     "more than one element stands on this line");
	}
}

static void read_lines(struct parser *parser, const struct source_file *file, uint16_t index,
		       struct reading *reading)
{
	const char *line = file->text, *end = file->text + file->length;
	struct location at = { .line = 1, .column = 1, .length = 1, .file = index };

	for (; line < end && !diagnostics_is_full(parser->diagnostics); at.line++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		if (!newline)
			newline = end;
		if (newline - line > LINE_LENGTH_MAX)
			parser_error(parser, &at, NULL, "the line is longer than %u bytes",
				     LINE_LENGTH_MAX);
		else
			read_line(parser, reading, line, newline, at);
		line = newline < end ? newline + 1 : end;
	}
}

/* Elements that are needless count as such once sorted; which they were is not known then. */
static void warn_doubts(struct parser *parser, const struct set *set, const struct doubts *doubts,
			size_t read, size_t needless)
{
	if (doubts->host_bits == 1)
		parser_warn(parser, &doubts->first, doubts->hint,
			    "the element has bits set behind its prefix length");
	else if (doubts->host_bits)
		parser_warn(
			parser, &doubts->first, doubts->hint,
			"%zu elements have bits set behind their prefix length, this is the first",
			doubts->host_bits);
	if (needless)
		parser_warn(parser, &set->at, NULL,
			    "%zu of the %zu elements of set %s are covered by others", needless,
			    read, set->name);
}

int set_file_read(struct parser *parser, struct set *set, const struct token *name)
{
	struct reading reading = { 0 };
	struct source_file file;
	const char *written, *path, *here;
	size_t read, needless;
	int err;

	written = arena_strndup(parser->arena, name->text, name->length);
	here = parser->include_path[parser->depth - 1];
	path = path_beside(parser->arena, here, written);
	set->path = path_below(parser->arena, parser->include_path[0], path);
	err = parser->files.count >= FILES_MAX
		      ? -EMFILE
		      : parser->reader->read(parser->reader, path, parser->arena, &file);
	if (err) {
		parser_error(parser, &name->at, NULL, "cannot read \"%s\": %s", path,
			     file_error_text(err));
		return err;
	}
	set->file = (uint16_t)parser->files.count;
	*(struct source_file *)vector_add(&parser->files, sizeof(file)) = file;
	read_lines(parser, &file, set->file, &reading);
	read = reading.builder.inet_count + reading.builder.inet6_count;
	if (read > FW_MAX_PREFIXES)
		parser_error(parser, &name->at, NULL, "\"%s\" has more than %u elements", path,
			     FW_MAX_PREFIXES);
	needless = ranges_finish_counting(&reading.builder, parser->arena, &set->ranges);
	warn_doubts(parser, set, &reading.doubts, read, needless);
	return 0;
}
