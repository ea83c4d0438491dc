/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes to tokens. Knows lines, strings, comments and which bytes are text; knows no keyword.
 * Re-entrant, allocates nothing; a token points into the text.
 */
#ifndef FWCTL_LANGUAGE_LEXER_H
#define FWCTL_LANGUAGE_LEXER_H

#include "language/model.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NEWLINE, /* also of lines that hold nothing else */
	TOKEN_WORD,    /* names, numbers, addresses, ranges: all that stands together */
	TOKEN_STRING,  /* text and length without the quotes */
	TOKEN_DEFINE,  /* $name; text and length without the sign */
	TOKEN_SET,     /* @name; likewise */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_EQUALS,
	TOKEN_COMMENT, /* only if lexer.keep_comments; with its # */
	TOKEN_ERROR,   /* lexer.error says what is wrong with it */
};

struct token {
	enum token_kind kind;
	uint32_t length;
	uint32_t keyword; /* of a word: enum keyword, set by the parser */
	const char *text;
	struct location at;
};

struct lexer {
	const char *cursor;
	const char *end;
	const char *line_start;
	uint32_t line;
	uint16_t file;
	bool keep_comments;
	bool line_checked;
	char error[80];
	const char *hint; /* to the error, or NULL */
};

void lexer_init(struct lexer *lexer, const char *text, size_t length, uint16_t file);

/* After TOKEN_END it returns TOKEN_END again. */
void lexer_next(struct lexer *lexer, struct token *ret_token);

/* True if the bytes are one name: [A-Za-z_][A-Za-z0-9_.-]*. Keywords are not asked for. */
bool text_is_name(const char *text, size_t length);

/* The length of the UTF-8 sequence at `text`, or 0 if there is none (RFC 3629); ASCII is none. */
size_t text_utf8_length(const char *text, const char *end);

#endif
