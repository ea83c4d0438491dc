/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes to tokens, with their places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "language/lexer.h"

static struct lexer lexer_of(const char *text)
{
	struct lexer lexer;

	lexer_init(&lexer, text, strlen(text), 3);
	return lexer;
}

static void expect(struct lexer *lexer, enum token_kind kind, const char *text, unsigned line,
		   unsigned column)
{
	struct token token;

	lexer_next(lexer, &token);
	assert_int_equal(token.kind, kind);
	assert_int_equal(token.at.line, line);
	assert_int_equal(token.at.column, column);
	assert_int_equal(token.at.file, 3);
	if (text) {
		assert_int_equal(token.length, strlen(text));
		assert_memory_equal(token.text, text, token.length);
	}
}

static void tokens_have_exact_places(void **state)
{
	struct lexer lexer = lexer_of("pass\ttcp { $web,@s } = \"a b\"\n 10.0.0.1/8");

	(void)state;
	expect(&lexer, TOKEN_WORD, "pass", 1, 1);
	expect(&lexer, TOKEN_WORD, "tcp", 1, 6);
	expect(&lexer, TOKEN_OPEN, "{", 1, 10);
	expect(&lexer, TOKEN_DEFINE, "web", 1, 12);
	expect(&lexer, TOKEN_COMMA, ",", 1, 16);
	expect(&lexer, TOKEN_SET, "s", 1, 17);
	expect(&lexer, TOKEN_CLOSE, "}", 1, 20);
	expect(&lexer, TOKEN_EQUALS, "=", 1, 22);
	expect(&lexer, TOKEN_STRING, "a b", 1, 24);
	expect(&lexer, TOKEN_NEWLINE, NULL, 1, 29);
	expect(&lexer, TOKEN_WORD, "10.0.0.1/8", 2, 2);
	expect(&lexer, TOKEN_END, NULL, 2, 12);
	expect(&lexer, TOKEN_END, NULL, 2, 12);
}

static void comments_are_left_out_or_kept(void **state)
{
	struct lexer lexer = lexer_of("a # b  \n# c\n");

	(void)state;
	expect(&lexer, TOKEN_WORD, "a", 1, 1);
	expect(&lexer, TOKEN_NEWLINE, NULL, 1, 8);
	expect(&lexer, TOKEN_NEWLINE, NULL, 2, 4);
	expect(&lexer, TOKEN_END, NULL, 3, 1);
	lexer = lexer_of("a # b  \r\n");
	lexer.keep_comments = true;
	expect(&lexer, TOKEN_WORD, "a", 1, 1);
	expect(&lexer, TOKEN_COMMENT, "# b", 1, 3);
	expect(&lexer, TOKEN_NEWLINE, NULL, 1, 8);
}

static void a_backslash_continues_the_line(void **state)
{
	struct lexer lexer = lexer_of("a \\ \t\r\n  b \\\nc \\");

	(void)state;
	expect(&lexer, TOKEN_WORD, "a", 1, 1);
	expect(&lexer, TOKEN_WORD, "b", 2, 3);
	expect(&lexer, TOKEN_WORD, "c", 3, 1);
	expect(&lexer, TOKEN_END, NULL, 3, 4);
}

static void what_is_no_text_is_one_error(void **state)
{
	struct lexer lexer;
	struct token token;

	(void)state;
	lexer_init(&lexer, "a\0\1\377b \"x\n", 10, 3);
	expect(&lexer, TOKEN_WORD, "a", 1, 1);
	expect(&lexer, TOKEN_ERROR, NULL, 1, 2);
	assert_string_equal(lexer.error, "byte 0x00 is not text");
	expect(&lexer, TOKEN_WORD, "b", 1, 5);
	lexer_next(&lexer, &token);
	assert_int_equal(token.kind, TOKEN_ERROR);
	assert_int_equal(token.at.length, 2);
	expect(&lexer, TOKEN_NEWLINE, NULL, 1, 9);
}

static void names_are_letters_first(void **state)
{
	(void)state;
	assert_true(text_is_name("a", 1));
	assert_true(text_is_name("_9.-x", 5));
	assert_false(text_is_name("", 0));
	assert_false(text_is_name("9a", 2));
	assert_false(text_is_name("-a", 2));
	assert_false(text_is_name("a:b", 3));
	assert_false(text_is_name("a b", 3));
}

static void utf8_is_told_from_other_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} cases[] = {
		{ "\xc3\xa4", 2 },
		{ "\xe2\x82\xac", 3 },
		{ "\xf0\x9f\x94\xa5", 4 },
		{ "a", 0 },
		{ "\xc3", 0 },
		{ "\xc0\x80", 0 },
		{ "\xe0\x80\x80", 0 },
		{ "\xed\xa0\x80", 0 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf0\x80\x80\x80", 0 },
		{ "\xff", 0 },
		{ "\x80", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			text_utf8_length(cases[i].text, cases[i].text + strlen(cases[i].text)),
			cases[i].length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_have_exact_places),
		cmocka_unit_test(comments_are_left_out_or_kept),
		cmocka_unit_test(a_backslash_continues_the_line),
		cmocka_unit_test(what_is_no_text_is_one_error),
		cmocka_unit_test(names_are_letters_first),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
