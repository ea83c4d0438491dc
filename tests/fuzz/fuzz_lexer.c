/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes: every token lies in the text, behind the one before it, where its place says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "language/lexer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Where line `line` starts; the lexer counts newlines as this does. */
static const char *line_start(const char *text, const char *end, uint32_t line)
{
	while (--line) {
		text = memchr(text, '\n', (size_t)(end - text));
		check(text);
		text++;
	}
	return text;
}

static void lex(const char *text, size_t size, bool keep_comments)
{
	const char *end = text + size, *behind = text;
	struct lexer lexer;
	struct token token;
	size_t tokens = 0;

	lexer_init(&lexer, text, size, 0);
	lexer.keep_comments = keep_comments;
	do {
		lexer_next(&lexer, &token);
		check(token.text >= behind && token.length <= (size_t)(end - token.text));
		check(tokens++ <= size);
		check(token.kind != TOKEN_COMMENT || keep_comments);
		if (size < 4096) {
			const char *start =
				line_start(text, end, token.at.line) + token.at.column - 1;
			bool has_sign = token.kind == TOKEN_STRING || token.kind == TOKEN_DEFINE ||
					token.kind == TOKEN_SET;

			check(token.text == start + has_sign);
		}
		behind = token.text + token.length;
	} while (token.kind != TOKEN_END);
	check(token.text == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of the exact size lets the sanitizer see a read behind the end. */
	char *text = malloc(size ? size : 1);

	check(text);
	memcpy(text, data, size);
	lex(text, size, false);
	lex(text, size, true);
	free(text);
	return 0;
}
