/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The canonical layout of a file that people keep by hand: words, order and comments stay as they
 * are, blanks, indentation and empty lines follow one rule. Line breaks inside lists and behind a
 * backslash are the author's; lists that get too wide are broken as well.
 */
#include <errno.h>
#include <string.h>

#include "language/parser.h"

#define INDENT	   4U
#define WIDTH	   100U
#define WIDTH_HARD (LINE_LENGTH_MAX / 2) /* where a line is broken even outside a list */

/* A line of the result; comments are put in at the end, so that neighbours can be aligned. */
struct line {
	size_t start; /* of its code in the text */
	size_t length;
	const char *comment; /* or NULL */
	size_t comment_length;
	bool has_code;	    /* more than indentation */
	size_t indentation; /* comments are aligned among lines of the same */
};

struct formatter {
	struct lexer lexer;
	struct token token;
	struct vector lines;
	struct buffer text; /* the code of all lines */
	size_t line_start;
	unsigned block;	    /* 1 inside a block */
	unsigned lists;	    /* braces of lists that are open */
	bool block_head;    /* the statement opens a block */
	bool statement;	    /* something of the statement stands already */
	uint32_t last_line; /* of the token before */
	enum token_kind last;
};

static size_t column(const struct formatter *formatter)
{
	return formatter->text.length - formatter->line_start;
}

static void indent(struct formatter *formatter)
{
	unsigned depth = formatter->block + (formatter->lists || formatter->statement);

	if (formatter->token.kind == TOKEN_CLOSE && formatter->lists == 1)
		depth--;
	for (unsigned i = 0; i < depth * INDENT; i++)
		buffer_putc(&formatter->text, ' ');
}

static size_t indentation(const char *text, size_t length)
{
	size_t blanks = 0;

	while (blanks < length && text[blanks] == ' ')
		blanks++;
	return blanks;
}

static void end_line(struct formatter *formatter)
{
	struct line *line = vector_add(&formatter->lines, sizeof(*line));

	line->start = formatter->line_start;
	line->length = column(formatter);
	line->indentation = indentation(buffer_text(&formatter->text) + line->start, line->length);
	line->has_code = line->indentation < line->length;
	formatter->line_start = formatter->text.length;
}

/* An empty line: not two of them, none at the start of the file or of a block. */
static void end_empty_line(struct formatter *formatter)
{
	const struct line *lines = formatter->lines.items, *last;
	const char *text = buffer_text(&formatter->text);

	if (!formatter->lines.count || formatter->lists)
		return;
	last = &lines[formatter->lines.count - 1];
	if (!last->length && !last->comment)
		return;
	if (last->length && text[last->start + last->length - 1] == '{')
		return;
	end_line(formatter);
}

static void drop_empty_line(struct formatter *formatter)
{
	const struct line *lines = formatter->lines.items;

	if (!formatter->lines.count)
		return;
	lines += formatter->lines.count - 1;
	if (!lines->length && !lines->comment)
		formatter->lines.count--;
}

/* The bytes that the token takes with the sign or the quotes that belong to it. */
static size_t token_width(const struct token *token)
{
	return token->length + (token->kind == TOKEN_STRING				  ? 2
				: token->kind == TOKEN_DEFINE || token->kind == TOKEN_SET ? 1
											  : 0);
}

static void put_token(struct formatter *formatter)
{
	const struct token *token = &formatter->token;
	struct buffer *text = &formatter->text;

	if (token->kind == TOKEN_STRING || token->kind == TOKEN_DEFINE || token->kind == TOKEN_SET)
		buffer_putc(text, token->kind == TOKEN_STRING	? '"'
				  : token->kind == TOKEN_DEFINE ? '$'
								: '@');
	buffer_add(text, token->text, token->length);
	if (token->kind == TOKEN_STRING)
		buffer_putc(text, '"');
	formatter->statement = true;
	formatter->last = token->kind;
	formatter->last_line = token->at.line;
}

/* What stands between this token and the one before it. */
static void put_space(struct formatter *formatter)
{
	size_t width = column(formatter) + 1 + token_width(&formatter->token);
	enum token_kind kind = formatter->token.kind;

	if (!column(formatter)) {
		indent(formatter);
		return;
	}
	if (kind == TOKEN_COMMA)
		return;
	if (formatter->lists && kind != TOKEN_CLOSE && formatter->last == TOKEN_COMMA &&
	    width >= WIDTH) {
		end_line(formatter);
		indent(formatter);
		return;
	}
	if (!formatter->lists &&
	    (formatter->last_line != formatter->token.at.line || width > WIDTH_HARD)) {
		buffer_puts(&formatter->text, " \\");
		end_line(formatter);
		indent(formatter);
		return;
	}
	buffer_putc(&formatter->text, ' ');
}

static void end_statement(struct formatter *formatter)
{
	if (column(formatter))
		end_line(formatter);
	formatter->statement = false;
	formatter->block_head = false;
}

static void format_comment(struct formatter *formatter)
{
	struct line *line;

	/* The brace of a block has ended its line already. */
	if (column(formatter) || formatter->last == TOKEN_NEWLINE) {
		if (!column(formatter))
			indent(formatter);
		end_line(formatter);
	}
	line = (struct line *)formatter->lines.items + formatter->lines.count - 1;
	line->comment = formatter->token.text;
	line->comment_length = formatter->token.length;
	formatter->last = TOKEN_COMMENT;
}

static void format_newline(struct formatter *formatter)
{
	bool empty = formatter->last == TOKEN_NEWLINE;

	if (column(formatter))
		end_line(formatter);
	else if (empty)
		end_empty_line(formatter);
	if (!formatter->lists) {
		formatter->statement = false;
		formatter->block_head = false;
	}
	formatter->last = TOKEN_NEWLINE;
}

static void format_open(struct formatter *formatter)
{
	put_space(formatter);
	put_token(formatter);
	if (!formatter->block_head) {
		formatter->lists++;
		return;
	}
	end_statement(formatter);
	formatter->block = 1;
}

static void format_close(struct formatter *formatter)
{
	if (formatter->lists) {
		put_space(formatter);
		put_token(formatter);
		formatter->lists--;
		return;
	}
	end_statement(formatter);
	drop_empty_line(formatter);
	formatter->block = 0;
	put_space(formatter);
	put_token(formatter);
	end_statement(formatter);
}

static void format_token(struct formatter *formatter)
{
	const struct token *token = &formatter->token;

	switch (token->kind) {
	case TOKEN_NEWLINE:
		format_newline(formatter);
		break;
	case TOKEN_COMMENT:
		format_comment(formatter);
		break;
	case TOKEN_OPEN:
		format_open(formatter);
		break;
	case TOKEN_CLOSE:
		format_close(formatter);
		break;
	default:
		if (!formatter->statement)
			formatter->block_head =
				token_is(token, "ingress") || token_is(token, "egress");
		put_space(formatter);
		put_token(formatter);
	}
}

/* Comments are aligned from one line to the next if both have code, equally indented. */
static bool is_run(const struct line *line, const struct line *next)
{
	return line->comment && line->has_code && next->comment && next->has_code &&
	       line->indentation == next->indentation;
}

/* The code's width that the comments of a run of lines are aligned behind. */
static size_t comment_column(const struct line *lines, size_t first, size_t count)
{
	size_t widest = lines[first].length <= WIDTH ? lines[first].length : 0;

	for (size_t i = first + 1; i < count && is_run(&lines[i - 1], &lines[i]); i++)
		if (lines[i].length > widest && lines[i].length <= WIDTH)
			widest = lines[i].length;
	return widest;
}

/* A comment that only just fits into a line goes without indentation. */
static void write_comment(const struct line *line, size_t widest, struct buffer *ret_text)
{
	size_t blanks = !line->has_code ? 0 : line->length > widest ? 2 : widest - line->length + 2;

	if (line->length + blanks + line->comment_length > LINE_LENGTH_MAX)
		blanks = 0;
	for (size_t i = 0; i < blanks; i++)
		buffer_putc(ret_text, ' ');
	buffer_add(ret_text, line->comment, line->comment_length);
}

static void write_lines(const struct formatter *formatter, struct buffer *ret_text)
{
	const struct line *lines = formatter->lines.items;
	const char *text = buffer_text(&formatter->text);
	size_t widest = 0;

	for (size_t i = 0; i < formatter->lines.count; i++) {
		const struct line *line = &lines[i];

		if (line->has_code || line->length + line->comment_length <= LINE_LENGTH_MAX)
			buffer_add(ret_text, text + line->start, line->length);
		if (!i || !is_run(&lines[i - 1], line))
			widest = comment_column(lines, i, formatter->lines.count);
		if (line->comment)
			write_comment(line, widest, ret_text);
		buffer_putc(ret_text, '\n');
	}
}

int format_text(const struct source_file *file, struct diagnostics *diagnostics,
		struct buffer *ret_text)
{
	struct formatter formatter = { .last = TOKEN_NEWLINE };

	if (parser_check_alone(file, diagnostics))
		return -EINVAL;
	lexer_init(&formatter.lexer, file->text, file->length, 0);
	formatter.lexer.keep_comments = true;
	lexer_next(&formatter.lexer, &formatter.token);
	while (formatter.token.kind != TOKEN_END) {
		format_token(&formatter);
		lexer_next(&formatter.lexer, &formatter.token);
	}
	end_statement(&formatter);
	drop_empty_line(&formatter);
	write_lines(&formatter, ret_text);
	vector_free(&formatter.lines);
	buffer_free(&formatter.text);
	return 0;
}
