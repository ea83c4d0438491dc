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

/* `count` rules of two address lengths and a port, none of which is another's. */
static void write_crossed(struct buffer *text, int sources, int destinations, int repeats)
{
	buffer_puts(text, "option essential off\ningress default pass {\n");
	for (int repeat = 0; repeat < repeats; repeat++)
		for (int i = 0; i < sources; i++)
			for (int k = 0; k < destinations; k++)
				buffer_printf(text,
					      "drop tcp from 10.0.0.0/%d to 192.168.0.0/%d port %d "
					      "label r%d-%d-%d\n",
					      8 + i, 16 + k, 1 + repeat, repeat, i, k);
	buffer_puts(text, "}\n");
}

static void forecasts_the_form_that_is_built_and_what_its_worst_packet_meets(void **unused)
{
	/* 5 x 6 tables that one packet may have to ask; of few rules, a bit each. */
	static const struct {
		int repeats;
		enum compile_form form;
		size_t bits, candidates;
	} cases[] = {
		{ 34, COMPILE_TERMS, 1020, 30 },
		{ 35, COMPILE_GROUPS, 30, 30 },
		{ 200, COMPILE_GROUPS, 30, 30 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buffer_ struct buffer text = { 0 };
		_cleanup_free_ char *error = NULL;
		struct forecast forecast;
		const struct forecast_part *part = &forecast.parts[0];

		write_crossed(&text, 5, 6, cases[i].repeats);
		assert_int_equal(
			forecast_text(buffer_text(&text), COMPILE_CHEAPEST, &forecast, &error), 0);
		assert_int_equal(part->form, cases[i].form);
		assert_int_equal(part->bits, cases[i].bits);
		assert_int_equal(part->candidates, cases[i].candidates);
		assert_true(part->exact);
		assert_int_equal(part->rule_count, FORECAST_RULES);
		assert_true(part->worst_ns >= part->typical_ns);
		assert_int_equal(forecast.count, 1);
	}
}

/* What groups cost grows with each candidate, and names the rules in their order. */
static void forecasts_more_for_rules_that_overlap_more(void **unused)
{
	double before = 0;

	(void)unused;
	for (int lengths = 1; lengths <= 6; lengths++) {
		_cleanup_buffer_ struct buffer text = { 0 };
		_cleanup_free_ char *error = NULL;
		struct forecast forecast;

		write_crossed(&text, lengths, lengths, 1);
		assert_int_equal(
			forecast_text(buffer_text(&text), COMPILE_GROUPS, &forecast, &error), 0);
		assert_int_equal(forecast.parts[0].candidates, lengths * lengths);
		assert_true(forecast.parts[0].worst_ns > before);
		before = forecast.parts[0].worst_ns;
		for (size_t i = 0; i < forecast.parts[0].rule_count; i++)
			assert_int_equal(forecast.parts[0].rules[i], i);
	}
}

static void refuses_257_conditions_that_count_and_names_the_bound(void **unused)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	_cleanup_free_ char *error = NULL;
	struct forecast forecast;

	(void)unused;
	buffer_puts(&text, "option essential off\ningress default pass {\n");
	for (int i = 0; i < 257; i++)
		buffer_printf(&text, "count to 192.%d.%d.1\n", i / 200, i % 200);
	buffer_puts(&text, "}\n");
	assert_int_equal(forecast_text(buffer_text(&text), COMPILE_CHEAPEST, &forecast, &error),
			 -E2BIG);
	assert_non_null(strstr(error, "257 conditions"));
	assert_non_null(strstr(error, "at most 256"));
}

/* Only the instance of other frames needs them: no IP packet has that type. */
static void rules_of_an_ethertype_are_in_its_family_only(void **unused)
{
	_cleanup_free_ char *error = NULL;
	struct forecast forecast;

	(void)unused;
	assert_int_equal(forecast_text("option essential off\ningress default pass {\n"
				       "drop ethertype arp\ndrop ethertype 0x0800 from any\n"
				       "drop ethertype not 0x86dd\n}\n",
				       COMPILE_CHEAPEST, &forecast, &error),
			 0);
	assert_int_equal(forecast.count, 2);
	assert_int_equal(forecast.parts[0].family, FW_OTHER);
	assert_int_equal(forecast.parts[0].bits, 2);
	assert_int_equal(forecast.parts[1].family, FW_INET);
	assert_int_equal(forecast.parts[1].bits, 2);
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

/* As `apply` compiles before it knows them. */
static void counters_that_are_put_in_later_make_the_same_image(void **unused)
{
	struct ruleset *ruleset =
		rules_read("option essential off\n"
			   "ingress default drop {\n"
			   "pass tcp to port 22 limit 5/s label a\n"
			   "pass udp to port 53 label b\n"
			   "count from 192.0.2.0/24 limit 9/s per source label c\n"
			   "}\n"
			   "egress default pass {\n"
			   "drop to 198.51.100.0/24 limit 7/min label d\n"
			   "}\n");
	const uint32_t counters[FW_HOOKS][4] = { { 7, 5, 3, 11 }, { 2, 13 } };
	const struct fw_limit_place places[FW_HOOKS][4] = {
		{ { 17, 1 }, { 0, 0 }, { 19, 0 } },
		{ { 23, 2 } },
	};
	struct compile_input later = { .ruleset = ruleset }, now = { .ruleset = ruleset };
	struct image first = { 0 }, second = { 0 };
	char *error = NULL;

	(void)unused;
	for (int hook = 0; hook < FW_HOOKS; hook++) {
		now.counters[hook] = counters[hook];
		now.limits[hook] = places[hook];
	}
	assert_int_equal(compile(&now, &first, &error), 0);
	assert_int_equal(compile(&later, &second, &error), 0);
	assert_int_equal(first.size, second.size);
	assert_memory_not_equal(first.bytes, second.bytes, first.size);
	image_number(&second, &now);
	assert_memory_equal(first.bytes, second.bytes, first.size);
	image_free(&first);
	image_free(&second);
	ruleset_free(&ruleset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_17_count_rules_that_one_packet_meets_and_names_some),
		cmocka_unit_test(takes_100_count_rules_of_which_no_packet_meets_17),
		cmocka_unit_test(forecasts_groups_chains_and_the_rules_that_overlap),
		cmocka_unit_test(forecasts_the_form_that_is_built_and_what_its_worst_packet_meets),
		cmocka_unit_test(forecasts_more_for_rules_that_overlap_more),
		cmocka_unit_test(refuses_257_conditions_that_count_and_names_the_bound),
		cmocka_unit_test(rules_of_an_ethertype_are_in_its_family_only),
		cmocka_unit_test(fields_of_many_values_need_no_product_of_them_all),
		cmocka_unit_test(counters_that_are_put_in_later_make_the_same_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
