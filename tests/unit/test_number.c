/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers and durations: whole tokens, within bounds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/number.h"

static int parse(const char *text, enum number_form form, uint64_t *value)
{
	static const uint64_t bounds[2] = { 1, 65535 };

	return number_parse(text, strlen(text), form, bounds, value);
}

static void number_takes_whole_tokens_only(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "22abc", "1.0", "0x", "x" };
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i], NUMBER_ANY, &value), -EINVAL);
	assert_int_equal(parse("0x10", NUMBER_DECIMAL, &value), -EINVAL);
	assert_int_equal(value, 7);
}

static void number_tells_what_is_out_of_range(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_int_equal(parse("0", NUMBER_DECIMAL, &value), -ERANGE);
	assert_int_equal(parse("65536", NUMBER_DECIMAL, &value), -ERANGE);
	assert_int_equal(parse("18446744073709551617", NUMBER_DECIMAL, &value), -ERANGE);
	assert_int_equal(parse("99999999999999999999999999", NUMBER_DECIMAL, &value), -ERANGE);
	assert_int_equal(value, 7);
}

static void number_reads_its_bounds(void **state)
{
	static const uint64_t all[2] = { 0, UINT64_MAX };
	uint64_t value;

	(void)state;
	assert_int_equal(parse("1", NUMBER_DECIMAL, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(parse("0XfFfF", NUMBER_ANY, &value), 0);
	assert_int_equal(value, 65535);
	assert_int_equal(number_parse("18446744073709551615", 20, NUMBER_DECIMAL, all, &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(number_parse("123", 2, NUMBER_DECIMAL, all, &value), 0);
	assert_int_equal(value, 12);
	assert_int_equal(number_parse_text("42", 0, 50, &value), 0);
	assert_int_equal(value, 42);
	assert_int_equal(number_parse_text("51", 0, 50, &value), -ERANGE);
}

static void duration_adds_its_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
		const char *printed;
	} cases[] = {
		{ "0s", 0, "0s" },	   { "90s", 90, "1min30s" },
		{ "5m", 300, "5min" },	   { "5min", 300, "5min" },
		{ "1h", 3600, "1h" },	   { "1h30min", 5400, "1h30min" },
		{ "1d1h", 90000, "1d1h" }, { "1w", 604800, "1w" },
		{ "8d", 691200, "1w1d" },  { "2147483647s", 2147483647, "3550w5d3h14min7s" },
	};
	char printed[DURATION_TEXT_MAX];
	uint64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text;

		assert_int_equal(duration_parse(text, strlen(text), &seconds), 0);
		assert_int_equal(seconds, cases[i].seconds);
		duration_print(seconds, printed);
		assert_string_equal(printed, cases[i].printed);
		assert_int_equal(duration_parse(printed, strlen(printed), &seconds), 0);
		assert_int_equal(seconds, cases[i].seconds);
	}
}

static void duration_refuses_what_is_none(void **state)
{
	static const char *const bad[] = { "", "5", "h", "5x", "1h5", "-1h", "1.5h", "5 s", "s5" };
	uint64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration_parse(bad[i], strlen(bad[i]), &seconds), -EINVAL);
	assert_int_equal(duration_parse("2147483648s", 11, &seconds), -ERANGE);
	assert_int_equal(duration_parse("99999999999999999999s", 21, &seconds), -ERANGE);
	assert_int_equal(duration_parse("2147483647s1s", 13, &seconds), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_takes_whole_tokens_only),
		cmocka_unit_test(number_tells_what_is_out_of_range),
		cmocka_unit_test(number_reads_its_bounds),
		cmocka_unit_test(duration_adds_its_units),
		cmocka_unit_test(duration_refuses_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
