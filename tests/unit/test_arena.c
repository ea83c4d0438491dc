/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory and text that grow: arena, buffer, table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/table.h"

static void arena_pieces_are_zeroed_aligned_and_apart(void **state)
{
	struct arena *arena = arena_new();
	unsigned char *pieces[2000];
	size_t sizes[2000];

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		sizes[i] = i % 7 ? i * 3 % 200 : i * 101;
		pieces[i] = arena_alloc(arena, sizes[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i % 255) + 1, sizes[i]);
	}
	for (size_t i = 0; i < 2000; i++)
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], i % 255 + 1);
	arena_free(&arena);
	assert_null(arena);
	arena_free(&arena);
}

static void arena_copies_text(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(arena, "", 0), "");
	assert_string_equal(arena_printf(arena, "%s-%d", "x", 5), "x-5");
	assert_memory_equal(arena_memdup(arena, "a\0b", 3), "a\0b", 3);
	arena_free(&arena);
}

static void buffer_grows_and_ends_with_nul(void **state)
{
	struct buffer buffer = { 0 };
	char *text;

	(void)state;
	assert_string_equal(buffer_text(&buffer), "");
	buffer_puts(&buffer, "a");
	buffer_putc(&buffer, 'b');
	buffer_number(&buffer, UINT64_MAX);
	buffer_number(&buffer, 0);
	buffer_printf(&buffer, "%04x", 0xbeU);
	buffer_add(&buffer, "cdef", 1);
	assert_string_equal(buffer_text(&buffer), "ab18446744073709551615000bec");
	for (int i = 0; i < 10000; i++)
		buffer_putc(&buffer, 'x');
	assert_int_equal(strlen(buffer_text(&buffer)), buffer.length);
	buffer_clear(&buffer);
	assert_string_equal(buffer_text(&buffer), "");
	text = buffer_take(&buffer);
	assert_string_equal(text, "");
	free(text);
	text = buffer_take(&buffer);
	assert_string_equal(text, "");
	free(text);
	buffer_free(&buffer);
}

static void table_finds_what_was_added(void **state)
{
	enum { COUNT = 5000 };
	static char keys[COUNT][16];
	struct table table = { 0 };

	(void)state;
	assert_null(table_find(&table, "x", 1));
	for (uint32_t i = 0; i < COUNT; i++) {
		snprintf(keys[i], sizeof(keys[i]), "key-%u", i);
		assert_true(table_add(&table, keys[i], strlen(keys[i]), i));
		assert_false(table_add(&table, keys[i], strlen(keys[i]), 0));
	}
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(*table_find(&table, keys[i], strlen(keys[i])), i);
	assert_null(table_find(&table, "key-", 4));
	assert_null(table_find(&table, "key-5000", 8));
	assert_true(table_add(&table, "", 0, 1));
	assert_int_equal(*table_find(&table, "", 0), 1);
	table_free(&table);
	assert_null(table_find(&table, "key-1", 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(arena_copies_text),
		cmocka_unit_test(buffer_grows_and_ends_with_nul),
		cmocka_unit_test(table_finds_what_was_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
