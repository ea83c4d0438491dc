/* SPDX-License-Identifier: GPL-2.0-only */
/* What the compiler promises beside the right verdicts: bounds with a reason, and the forecast. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "compiler/forecast.h"
#include "fw/classify.h"
#include "language/language.h"
#include "rules.h"

/* All counters are 0. Returns what the compiler returns. */
static int forecast_text(const char *text, enum compile_form form, struct forecast *forecast,
			 char **error)
{
	struct ruleset *ruleset = rules_read(text);
	struct compile_input input = { .ruleset = ruleset, .form = form };
	_cleanup_free_ uint32_t *counters = calloc(ruleset->blocks[FW_INGRESS].count + 1, 4);
	uint32_t none = 0;
	int result;

	input.counters[FW_INGRESS] = counters;
	input.counters[FW_EGRESS] = &none;
	result = forecast_make(&input, forecast, error);
	ruleset_free(&ruleset);
	return result;
}

static void refuses_17_count_rules_that_one_packet_meets_and_names_some(void **unused)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	_cleanup_free_ char *error = NULL;
	struct forecast forecast;

	(void)unused;
	buffer_puts(&text, "option essential off\ningress default pass {\n");
	for (int i = 0; i < 17; i++)
		buffer_printf(&text, "count to 192.0.2.0/24 label c%d\n", i);
	buffer_puts(&text, "}\n");
	assert_int_equal(forecast_text(buffer_text(&text), COMPILE_CHEAPEST, &forecast, &error),
			 -E2BIG);
	assert_non_null(strstr(error, "more than 16"));
	assert_non_null(strstr(error, "'c0'"));
}

static void takes_100_count_rules_of_which_no_packet_meets_17(void **unused)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	_cleanup_free_ char *error = NULL;
	struct forecast forecast;

	(void)unused;
	buffer_puts(&text, "option essential off\ningress default pass {\n");
	for (int i = 0; i < 100; i++)
		buffer_printf(&text, "count to 192.0.%d.0/24 label c%d\n", i, i);
	buffer_puts(&text, "}\n");
	assert_int_equal(forecast_text(buffer_text(&text), COMPILE_CHEAPEST, &forecast, &error), 0);
}

static void forecasts_groups_chains_and_the_rules_that_overlap(void **unused)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	_cleanup_free_ char *error = NULL;
	struct forecast forecast;

	(void)unused;
	buffer_puts(&text, "option essential off\ningress default pass {\n");
	for (int i = 8; i < 24; i++) /* nested prefixes: a group each */
		buffer_printf(&text, "drop from 10.0.0.0/%d label n%d\n", i, i);
	for (int i = 0; i < 5; i++) /* one key with five port ranges */
		buffer_printf(&text, "drop tcp to 192.0.2.1 port %d-%d label p%d\n", 10 * i,
			      10 * i + 9, i);
	buffer_puts(&text, "}\n");
	assert_int_equal(forecast_text(buffer_text(&text), COMPILE_GROUPS, &forecast, &error), 0);
	assert_int_equal(forecast.count, 1); /* all rules are for IPv4 */
	assert_int_equal(forecast.parts[0].form, COMPILE_GROUPS);
	assert_int_equal(forecast.parts[0].bits, 16 + 2); /* five records are two buckets */
	assert_int_equal(forecast.parts[0].longest_chain, 5);
	assert_int_equal(forecast.parts[0].candidates, 17); /* all prefixes, one port range */
	assert_int_equal(forecast.parts[0].rule_count, FORECAST_RULES);
	assert_int_equal(forecast.parts[0].rules[0], 0);
	assert_true(forecast.parts[0].exact);
}

/* One row for all three fields would be one of 1.1 million, in 72 MB. */
static void fields_of_many_values_need_no_product_of_them_all(void **unused)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	_cleanup_free_ char *error = NULL;
	struct forecast forecast;

	(void)unused;
	buffer_puts(&text, "option essential off\ningress default pass {\n");
	for (int i = 0; i < 133; i++) {
		buffer_printf(&text, "drop from any ttl %d\n", i + 1);
		buffer_printf(&text, "drop from any length %d-%d\n", 40 + 7 * i, 43 + 7 * i);
		buffer_printf(&text, "drop from any dscp %d label d%d\n", i % 64, i);
	}
	buffer_puts(&text, "}\n");
	assert_int_equal(forecast_text(buffer_text(&text), COMPILE_CHEAPEST, &forecast, &error), 0);
	assert_in_range(forecast.image_bytes, 1, 4 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_17_count_rules_that_one_packet_meets_and_names_some),
		cmocka_unit_test(takes_100_count_rules_of_which_no_packet_meets_17),
		cmocka_unit_test(forecasts_groups_chains_and_the_rules_that_overlap),
		cmocka_unit_test(fields_of_many_values_need_no_product_of_them_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
