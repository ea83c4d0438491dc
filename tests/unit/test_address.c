/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses, prefixes and ranges, against inet_pton and against arithmetic done the slow way. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/address.h"
#include "base/ranges.h"

/* Good ones and bad ones. */
static const char *const spellings[] = {
	"0.0.0.0",
	"255.255.255.255",
	"192.0.2.1",
	"256.0.0.1",
	"1.2.3",
	"1.2.3.4.5",
	"",
	"01.2.3.4",
	"1.2.3.04",
	"1..2.3",
	"1.2.3.",
	".1.2.3",
	"1.2.3.4a",
	"a.b.c.d",
	"1234.1.1.1",
	"::",
	"::1",
	"1::",
	"2001:db8::1",
	"2001:DB8::1",
	"1:2:3:4:5:6:7:8",
	"1:2:3:4:5:6:7",
	"1:2:3:4:5:6:7:8:9",
	"1::2::3",
	":::",
	":1",
	"1:",
	"1:2:3:4:5:6:7::",
	"::2:3:4:5:6:7:8",
	"1:2:3:4:5:6:7::8",
	"::1.2.3.4",
	"::ffff:192.0.2.1",
	"1:2:3:4:5:6:1.2.3.4",
	"1:2:3:4:5:6:7:1.2.3.4",
	"::1.2.3.4:5",
	"::1.2.3",
	"12345::",
	"g::",
	"::%1",
	"1:::2",
	"fe80::1%eth0",
	"::ffff:1.2.3.256",
	"00001::",
	"0:0:0:0:0:0:0:0",
	"::0:0:0:0:0:0:0",
};

static void address_agrees_with_the_system(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		const char *text = spellings[i];
		int family = strchr(text, ':') ? AF_INET6 : AF_INET;
		uint32_t words[4] = { 0 };
		struct address address;
		bool expected = inet_pton(family, text, words) == 1;

		if (address_parse(text, strlen(text), &address) != expected)
			fail_msg("%s: %s", text, expected ? "refused" : "taken");
		if (!expected)
			continue;
		assert_int_equal(address.family, family == AF_INET ? FW_INET : FW_INET6);
		for (int word = 0; word < 4; word++)
			assert_int_equal(address.word[word], ntohl(words[word]));
	}
}

static void address_prints_what_it_reads(void **state)
{
	static const char *const texts[] = {
		"0.0.0.0",	  "192.0.2.100",     "255.255.255.255", "::", "::1", "2001:db8::1",
		"2001:db8:0:1::", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1"
	};
	char printed[ADDRESS_TEXT_MAX];
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(address_parse(texts[i], strlen(texts[i]), &address));
		address_print(&address, printed);
		assert_string_equal(printed, texts[i]);
	}
}

static bool bit(const uint32_t word[4], unsigned index)
{
	return word[index / 32] >> (31 - index % 32) & 1;
}

static void prefix_has_its_bounds_at_every_length(void **state)
{
	static const char *const texts[] = { "198.51.100.183",
					     "2001:db8:5a5a:a5a5:1234:5678:9abc:def1" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct address address, low, high;
		unsigned bits = i ? 128 : 32;

		assert_true(address_parse(texts[i], strlen(texts[i]), &address));
		for (unsigned length = 0; length <= bits; length++) {
			prefix_bounds(&address, length, &low, &high);
			for (unsigned at = 0; at < bits; at++) {
				bool mine = bit(address.word, at);

				assert_int_equal(bit(low.word, at), at < length ? mine : 0);
				assert_int_equal(bit(high.word, at), at < length ? mine : 1);
			}
			assert_int_equal(range_prefix_length(&low, &high), length);
		}
	}
}

static void ranges_of_no_prefix_have_no_length(void **state)
{
	struct address low, high;

	(void)state;
	assert_true(address_parse("192.0.2.1", 9, &low));
	assert_true(address_parse("192.0.2.2", 9, &high));
	assert_int_equal(range_prefix_length(&low, &high), -1);
	assert_true(address_parse("::1", 3, &low));
	assert_true(address_parse("::1:0:0:1", 9, &high));
	assert_int_equal(range_prefix_length(&low, &high), -1);
}

static void add(struct ranges_builder *builder, uint32_t low, uint32_t high)
{
	const struct address first = { .family = FW_INET, .word = { low } };
	const struct address last = { .family = FW_INET, .word = { high } };

	ranges_add(builder, &first, &last);
}

static void add6(struct ranges_builder *builder, const uint32_t low[4], const uint32_t high[4])
{
	struct address first = { .family = FW_INET6 }, last = { .family = FW_INET6 };

	memcpy(first.word, low, sizeof(first.word));
	memcpy(last.word, high, sizeof(last.word));
	ranges_add(builder, &first, &last);
}

static void ranges_that_touch_are_merged(void **state)
{
	static const uint32_t a[4] = { 0, 0, 0, UINT32_MAX }, b[4] = { 0, 0, 1, 0 };
	static const uint32_t c[4] = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
	struct ranges_builder builder = { 0 };
	struct address_ranges ranges;
	struct arena *arena = arena_new();

	(void)state;
	add(&builder, 20, 30);
	add(&builder, 0, 9);
	add(&builder, 10, 10);
	add(&builder, UINT32_MAX, UINT32_MAX);
	add(&builder, UINT32_MAX - 1, UINT32_MAX);
	add(&builder, 25, 27);
	add6(&builder, c, c);
	add6(&builder, b, b);
	add6(&builder, a, a);
	assert_int_equal(ranges_finish_counting(&builder, arena, &ranges), 2);
	assert_int_equal(ranges.inet_count, 3);
	assert_int_equal(ranges.inet[0].high, 10);
	assert_int_equal(ranges.inet[1].low, 20);
	assert_int_equal(ranges.inet[1].high, 30);
	assert_int_equal(ranges.inet[2].low, UINT32_MAX - 1);
	assert_int_equal(ranges.inet6_count, 2);
	assert_memory_equal(ranges.inet6[0].low, a, sizeof(a));
	assert_memory_equal(ranges.inet6[0].high, b, sizeof(b));
	arena_free(&arena);
}

/* Enough of them for the radix sort, checked value by value against a plain bitmap. */
static void ranges_contain_what_was_put_in(void **state)
{
	enum { SPACE = 1 << 20, COUNT = 20000 };
	bool *expected = calloc(SPACE, sizeof(*expected));
	struct ranges_builder builder = { 0 };
	struct address_ranges ranges;
	struct arena *arena = arena_new();

	(void)state;
	assert_non_null(expected);
	srandom(1);
	for (int i = 0; i < COUNT; i++) {
		uint32_t low = (uint32_t)random() % SPACE;
		uint32_t high = low + (uint32_t)random() % 32;

		if (high >= SPACE)
			high = SPACE - 1;
		memset(expected + low, 1, high - low + 1);
		/* Spread over all bytes of an address, in order. */
		add(&builder, low << 12, high << 12 | 0xfff);
	}
	ranges_finish(&builder, arena, &ranges);
	for (size_t i = 1; i < ranges.inet_count; i++)
		assert_true(ranges.inet[i - 1].high + 1ULL < ranges.inet[i].low);
	for (uint32_t i = 0; i < SPACE; i++) {
		uint32_t word[4] = { i << 12 };

		assert_int_equal(ranges_contain(&ranges, FW_INET, word), expected[i]);
		word[0] |= 0xfff;
		assert_int_equal(ranges_contain(&ranges, FW_INET, word), expected[i]);
		assert_false(ranges_contain(&ranges, FW_INET6, word));
	}
	free(expected);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_agrees_with_the_system),
		cmocka_unit_test(address_prints_what_it_reads),
		cmocka_unit_test(prefix_has_its_bounds_at_every_length),
		cmocka_unit_test(ranges_of_no_prefix_have_no_length),
		cmocka_unit_test(ranges_that_touch_are_merged),
		cmocka_unit_test(ranges_contain_what_was_put_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
