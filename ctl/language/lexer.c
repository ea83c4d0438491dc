/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lexer. A word is a run of the bytes that names, numbers, addresses and patterns are made
 * of; what it means is the parser's business. What is not text is an error token, skipped by the
 * next call.
 */
#include "language/lexer.h"

#include <stdio.h>
#include <string.h>

#include "language/language.h"

enum {
	BYTE_WORD = 1,
	BYTE_NAME_START = 2,
	BYTE_NAME = 4,
};

static const uint8_t byte_classes[256] = {
	['a' ... 'z'] = BYTE_WORD | BYTE_NAME_START | BYTE_NAME,
	['A' ... 'Z'] = BYTE_WORD | BYTE_NAME_START | BYTE_NAME,
	['_'] = BYTE_WORD | BYTE_NAME_START | BYTE_NAME,
	['0' ... '9'] = BYTE_WORD | BYTE_NAME,
	['.'] = BYTE_WORD | BYTE_NAME,
	['-'] = BYTE_WORD | BYTE_NAME,
	[':'] = BYTE_WORD,
	['/'] = BYTE_WORD,
	['+'] = BYTE_WORD,
	['*'] = BYTE_WORD,
	['?'] = BYTE_WORD,
};

static bool is_class(char byte, uint8_t class)
{
	return byte_classes[(uint8_t)byte] & class;
}

bool text_is_name(const char *text, size_t length)
{
	if (!length || !is_class(text[0], BYTE_NAME_START))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!is_class(text[i], BYTE_NAME))
			return false;
	return true;
}

void lexer_init(struct lexer *lexer, const char *text, size_t length, uint16_t file)
{
	*lexer = (struct lexer){
		.cursor = text,
		.end = text + length,
		.line_start = text,
		.line = 1,
		.file = file,
	};
}

static void token_set(const struct lexer *lexer, enum token_kind kind, const char *start,
		      const char *end, struct token *token)
{
	token->kind = kind;
	token->keyword = 0;
	token->text = start;
	token->length = (uint32_t)(end - start);
	token->at.line = lexer->line;
	token->at.column = (uint32_t)(start - lexer->line_start) + 1;
	token->at.length = token->length;
	token->at.file = lexer->file;
}

static void error_set(struct lexer *lexer, const char *start, const char *end,
		      struct token *ret_token)
{
	lexer->hint = NULL;
	token_set(lexer, TOKEN_ERROR, start, end, ret_token);
	lexer->cursor = end;
}

static const char *line_end(const struct lexer *lexer, const char *from)
{
	const char *newline = memchr(from, '\n', (size_t)(lexer->end - from));

	return newline ? newline : lexer->end;
}

size_t text_utf8_length(const char *text, const char *end)
{
	uint8_t first = (uint8_t)text[0];
	size_t length = first < 0xc2   ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
			: first < 0xf5 ? 4
				       : 0;
	uint8_t second;

	if (!length || (size_t)(end - text) < length)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (((uint8_t)text[i] & 0xc0) != 0x80)
			return 0;
	second = (uint8_t)text[1];
	if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
	    (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
		return 0;
	return length;
}

static bool is_text(char byte)
{
	return byte == '\t' || (byte >= ' ' && byte <= '~');
}

/* A byte that cannot stand where it stands; the error takes a whole run of such bytes. */
static void lex_bad_byte(struct lexer *lexer, const char *start, struct token *ret_token)
{
	uint8_t byte = (uint8_t)*start;
	const char *end = start + 1;
	size_t length = text_utf8_length(start, lexer->end);

	if (length) {
		while (end < lexer->end && (uint8_t)*end >= 0x80)
			end++;
		error_set(lexer, start, end, ret_token);
		snprintf(lexer->error, sizeof(lexer->error), "a letter that is not ASCII");
		lexer->hint = "UTF-8 stands in comments only";
		return;
	}
	if (is_text((char)byte)) {
		error_set(lexer, start, end, ret_token);
		snprintf(lexer->error, sizeof(lexer->error), "unexpected character '%c'", byte);
		if (byte == ';')
			lexer->hint = "one statement a line, without semicolon";
		else if (byte == '!')
			lexer->hint = "write 'not'";
		return;
	}
	while (end < lexer->end && !is_text(*end) && *end != '\n' && *end != '\r')
		end++;
	error_set(lexer, start, end, ret_token);
	snprintf(lexer->error, sizeof(lexer->error), "byte 0x%02x is not text", byte);
}

static void lex_string(struct lexer *lexer, const char *start, struct token *ret_token)
{
	const char *cursor = start + 1;

	while (cursor < lexer->end && *cursor != '"' && is_text(*cursor))
		cursor++;
	if (cursor == lexer->end || *cursor == '\n' || *cursor == '\r') {
		error_set(lexer, start, cursor, ret_token);
		snprintf(lexer->error, sizeof(lexer->error), "the string is not closed");
		lexer->hint = "strings end with '\"' on the same line";
		return;
	}
	if (*cursor != '"') {
		lex_bad_byte(lexer, cursor, ret_token);
		lexer->cursor = line_end(lexer, cursor);
		return;
	}
	token_set(lexer, TOKEN_STRING, start, cursor + 1, ret_token);
	ret_token->text++;
	ret_token->length -= 2;
	lexer->cursor = cursor + 1;
}

static void lex_reference(struct lexer *lexer, const char *start, struct token *ret_token)
{
	const char *cursor = start + 1;

	while (cursor < lexer->end && is_class(*cursor, BYTE_WORD))
		cursor++;
	if (!text_is_name(start + 1, (size_t)(cursor - start - 1))) {
		error_set(lexer, start, cursor, ret_token);
		snprintf(lexer->error, sizeof(lexer->error), "'%c' needs a name behind it", *start);
		return;
	}
	token_set(lexer, *start == '$' ? TOKEN_DEFINE : TOKEN_SET, start, cursor, ret_token);
	ret_token->text++;
	ret_token->length--;
	lexer->cursor = cursor;
}

/* Bytes up to the end of the line. False and an error token if one of them is not text. */
static bool lex_comment(struct lexer *lexer, const char *start, struct token *ret_token)
{
	const char *end = line_end(lexer, start);
	const char *cursor = start;

	if (end > start && end < lexer->end && end[-1] == '\r')
		end--;
	while (cursor < end) {
		size_t length = is_text(*cursor) ? 1 : text_utf8_length(cursor, end);

		if (!length) {
			lex_bad_byte(lexer, cursor, ret_token);
			snprintf(lexer->error, sizeof(lexer->error), "byte 0x%02x is not text",
				 (uint8_t)*cursor);
			lexer->cursor = end;
			return false;
		}
		cursor += length;
	}
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	token_set(lexer, TOKEN_COMMENT, start, end, ret_token);
	lexer->cursor = cursor;
	return true;
}

/* Moves behind "\n" or "\r\n". False if there is no line end here. */
static bool take_line_end(struct lexer *lexer, struct token *ret_token)
{
	const char *start = lexer->cursor;
	const char *cursor = start;

	if (*cursor == '\r' && lexer->end - cursor > 1)
		cursor++;
	if (*cursor != '\n')
		return false;
	token_set(lexer, TOKEN_NEWLINE, start, start, ret_token);
	lexer->cursor = cursor + 1;
	lexer->line_start = cursor + 1;
	lexer->line++;
	lexer->line_checked = false;
	return true;
}

/* At a backslash: goes on behind the line end, else makes an error token and returns false. */
static bool continue_line(struct lexer *lexer, struct token *ret_token)
{
	const char *start = lexer->cursor++;

	while (lexer->cursor < lexer->end && (*lexer->cursor == ' ' || *lexer->cursor == '\t'))
		lexer->cursor++;
	if (lexer->cursor == lexer->end || take_line_end(lexer, ret_token))
		return true;
	error_set(lexer, start, start + 1, ret_token);
	snprintf(lexer->error, sizeof(lexer->error), "'\\' stands only at the end of a line");
	return false;
}

/* Once a line: false and an error token that takes all of it, if it is too long. */
static bool check_line(struct lexer *lexer, struct token *ret_token)
{
	const char *end = line_end(lexer, lexer->cursor);

	lexer->line_checked = true;
	if ((size_t)(end - lexer->line_start) <= LINE_LENGTH_MAX)
		return true;
	error_set(lexer, lexer->cursor, lexer->cursor + 1, ret_token);
	snprintf(lexer->error, sizeof(lexer->error), "the line is longer than %u bytes",
		 LINE_LENGTH_MAX);
	lexer->cursor = end;
	return false;
}

static enum token_kind punctuation(char byte)
{
	switch (byte) {
	case '{':
		return TOKEN_OPEN;
	case '}':
		return TOKEN_CLOSE;
	case ',':
		return TOKEN_COMMA;
	case '=':
		return TOKEN_EQUALS;
	}
	return TOKEN_ERROR;
}

static void lex_token(struct lexer *lexer, struct token *ret_token)
{
	const char *start = lexer->cursor, *cursor = start;
	enum token_kind kind;

	if (*start == '"') {
		lex_string(lexer, start, ret_token);
		return;
	}
	if (*start == '$' || *start == '@') {
		lex_reference(lexer, start, ret_token);
		return;
	}
	kind = punctuation(*start);
	if (kind == TOKEN_ERROR) {
		lex_bad_byte(lexer, start, ret_token);
		return;
	}
	token_set(lexer, kind, start, cursor + 1, ret_token);
	lexer->cursor = start + 1;
}

void lexer_next(struct lexer *lexer, struct token *ret_token)
{
	while (lexer->cursor < lexer->end) {
		const char *start = lexer->cursor, *cursor = start;

		if (!lexer->line_checked && !check_line(lexer, ret_token))
			return;
		while (cursor < lexer->end && is_class(*cursor, BYTE_WORD))
			cursor++;
		if (cursor > start) {
			token_set(lexer, TOKEN_WORD, start, cursor, ret_token);
			lexer->cursor = cursor;
			return;
		}
		if (*start == ' ' || *start == '\t') {
			lexer->cursor++;
		} else if (*start == '\\') {
			if (!continue_line(lexer, ret_token))
				return;
		} else if (*start == '#') {
			if (!lex_comment(lexer, start, ret_token) || lexer->keep_comments)
				return;
		} else {
			if (!take_line_end(lexer, ret_token))
				lex_token(lexer, ret_token);
			return;
		}
	}
	token_set(lexer, TOKEN_END, lexer->cursor, lexer->cursor, ret_token);
}
