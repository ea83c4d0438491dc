/* SPDX-License-Identifier: GPL-2.0-only */
/* The model of what a packet costs: more of anything costs more, and what it says is measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "commands/forecast_report.h"
#include "language/language.h"

static const struct cost plain = { .words = 1, .candidates = 1, .image_bytes = 1 << 16 };

static void more_of_anything_costs_more(void **state)
{
	struct cost more[13];

	(void)state;
	for (size_t i = 0; i < 13; i++)
		more[i] = plain;
	more[0].words = 2;
	more[1].words = 16;
	more[2].grouped = true;
	more[3].wide = true;
	more[4].counted = 1;
	more[5].limits = 1;
	more[6].sets = 1;
	more[7].state = true;
	more[8].new_flow = true;
	more[9].image_bytes = 16 << 20;
	more[10].full_sets = 1;
	more[11].sets_row = true;
	more[12].cookie = true;
	for (size_t i = 0; i < 13; i++)
		assert_true(cost_ns(&more[i]) > cost_ns(&plain));
	assert_true(cost_ns(&more[10]) > cost_ns(&more[6]));
	assert_true(cost_ns(&more[8]) > cost_ns(&more[7]));
}

static void each_further_group_word_rule_and_limit_costs_more(void **state)
{
	struct cost groups = plain, words = plain, counted = plain, limits = plain;

	(void)state;
	groups.grouped = true;
	for (size_t i = 1; i < 64; i++) {
		struct cost before[] = { groups, words, counted, limits };

		groups.candidates++;
		words.words++;
		counted.counted++;
		limits.limits++;
		assert_true(cost_ns(&groups) > cost_ns(&before[0]));
		assert_true(cost_ns(&words) > cost_ns(&before[1]));
		assert_true(cost_ns(&counted) > cost_ns(&before[2]));
		assert_true(cost_ns(&limits) > cost_ns(&before[3]));
	}
}

static void larger_tables_cost_more_and_candidates_in_them_even_more(void **state)
{
	struct cost small = plain, large = plain;
	double small_ns, large_ns;

	(void)state;
	small.grouped = large.grouped = true;
	for (size_t bytes = 1 << 20; bytes < 256U << 20; bytes += bytes / 4) {
		large.image_bytes = bytes;
		small.image_bytes = bytes - bytes / 4;
		assert_true(cost_ns(&large) >= cost_ns(&small));
	}
	small.image_bytes = plain.image_bytes;
	small_ns = cost_ns(&small);
	large_ns = cost_ns(&large);
	small.candidates = large.candidates = 2;
	assert_true(cost_ns(&large) - large_ns > cost_ns(&small) - small_ns);
}

/* docs/performance.md, `fwbench classify`: the trace of sets of each size, within a half. */
static void typical_packets_cost_what_was_measured(void **state)
{
	static const struct {
		struct cost cost;
		double measured;
	} sets[] = {
		{ { .words = 15, .image_bytes = 943718 }, 40 }, /* acl1_1k */
		{ { .grouped = true, .candidates = 1, .image_bytes = 1992294 },
		  110 }, /* acl1_10k */
		{ { .grouped = true, .candidates = 1, .image_bytes = 3355443 },
		  131 }, /* ipc1_10k */
		{ { .grouped = true, .candidates = 1, .image_bytes = 14680064 },
		  229 }, /* acl1_100k */
		{ { .grouped = true, .candidates = 1, .image_bytes = 15728640 },
		  171 },					  /* fw1_100k */
		{ { .words = 1, .image_bytes = 41943040 }, 166 }, /* list_both */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		assert_true(cost_ns(&sets[i].cost) < 1.5 * sets[i].measured);
		assert_true(cost_ns(&sets[i].cost) > sets[i].measured / 1.5);
	}
}

static double worst_of(const char *rules, struct forecast_part *ret_part)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	struct source_file file = { .path = "fw.conf" };
	struct diagnostics diagnostics;
	struct file_reader reader;
	struct ruleset *ruleset = NULL;
	struct forecast forecast;
	char *reason = NULL;

	buffer_printf(&text,
		      "option essential off\nset small live size 9\nset other live size 9\n"
		      "set large live\ningress default pass {\n%s}\n",
		      rules);
	file.text = buffer_text(&text);
	file.length = text.length;
	reader = file_reader_memory(&file, 1);
	diagnostics_init(&diagnostics);
	assert_int_equal(ruleset_parse("fw.conf", &reader, &diagnostics, &ruleset), 0);
	diagnostics_free(&diagnostics);
	assert_int_equal(forecast_of(ruleset, &forecast, &reason), 0);
	ruleset_free(&ruleset);
	*ret_part = forecast.parts[0];
	return forecast.parts[0].worst_ns;
}

/* docs/classifier.md: (A_i, B'_j) and (A'_i, B_j), so that each pair of lengths is a candidate. */
static void an_adversarial_set_costs_more_than_a_plain_one(void **state)
{
	_cleanup_buffer_ struct buffer plain_rules = { 0 }, crossed = { 0 };
	struct forecast_part a, b;

	(void)state;
	for (int i = 0; i < 600; i++) {
		int k = i % 5;

		buffer_printf(&plain_rules,
			      "drop tcp from 10.%d.%d.1 to 192.0.2.1 port %d\n"
			      "drop tcp from 10.%d.%d.2 to 192.0.2.1 port %d\n",
			      i >> 8, i & 255, i + 1, i >> 8, i & 255, i + 1);
		buffer_printf(&crossed,
			      "drop from 10.0.0.0/%d to 203.%d.0.0/%d\n"
			      "drop from 11.%d.0.0/%d to 192.168.0.0/%d\n",
			      8 + k, i / 5, 16 + i % 3, i / 5, 16 + k, 16 + i % 3);
	}
	worst_of(buffer_text(&plain_rules), &a);
	worst_of(buffer_text(&crossed), &b);
	assert_true(b.worst_ns > a.worst_ns);
	assert_true(b.worst_ns / b.typical_ns > a.worst_ns / a.typical_ns);
}

static void state_limits_and_rules_that_go_on_are_in_the_forecast(void **state)
{
	struct forecast_part part;
	double plain_ns = worst_of("pass tcp to port 22\n", &part);

	(void)state;
	assert_true(worst_of("pass tcp to port 22 limit 9/s\n", &part) > plain_ns);
	assert_int_equal(part.worst.limits, 1);
	assert_true(worst_of("pass tcp to port 22 keep state\n", &part) > plain_ns);
	assert_true(part.worst.new_flow && part.typical.state && !part.typical.new_flow);
	assert_true(worst_of("count tcp label a\npass tcp to port 22\n", &part) > plain_ns);
	assert_int_equal(part.worst.counted, 1);
	assert_int_equal(part.typical.counted, 0); /* not every packet is TCP */
	worst_of("count label a\ncount inet label b limit 9/s\npass inet\n", &part);
	assert_int_equal(part.family, FW_OTHER);
	assert_int_equal(part.typical.counted, 1);
	/* Of two that no packet meets both, the worst meets one. */
	worst_of("count from 10.0.0.1 label a\ncount from 10.0.0.2 label b\npass inet\n", &part);
	assert_int_equal(part.worst.counted, 1);
}

/* docs/performance.md, `fwbench sets`: of one set, of two, and of two that hold the packet. */
static void each_live_set_is_asked_for_itself(void **state)
{
	struct forecast_part part;
	double none, one, two;

	(void)state;
	none = worst_of("pass tcp to port 22\n", &part);
	one = worst_of("drop tcp from @small to port 22\n", &part);
	assert_int_equal(part.worst.sets, 1);
	assert_false(part.worst.sets_row);
	assert_in_range((int)(one - none), 30, 60);
	two = worst_of("drop from { @small, @other }\n", &part);
	assert_int_equal(part.worst.sets, 2);
	assert_in_range((int)(two - one), 60, 100);
	/* The same set on both sides is asked twice; a set in several rules once. */
	worst_of("drop tcp from @small\ndrop udp from @small\ndrop to @small\n", &part);
	assert_int_equal(part.worst.sets, 2);
	assert_true(worst_of("drop from @large\ndrop to @small\n", &part) > two);
	assert_int_equal(part.worst.full_sets, 1);
	assert_int_equal(part.worst.sets, 1);
	assert_int_equal(part.typical.full_sets, 0);
	assert_int_equal(part.typical.sets, 2);
	/* A family whose rules name no set asks none. */
	worst_of("drop inet6 from @small\npass inet\n", &part);
	assert_int_equal(part.family, FW_INET);
	assert_int_equal(part.worst.sets, 0);
}

static void a_syn_that_is_answered_is_dear_but_no_cause_for_a_warning(void **state)
{
	struct forecast_part part;
	double plain_ns = worst_of("pass tcp to port 22\n", &part);
	double answered_ns = worst_of("pass tcp to port 22 syncookie\n", &part);

	(void)state;
	assert_true(part.worst.cookie && !part.typical.cookie);
	/* docs/flows.md: 780 ns where a SYN that passes takes 140. */
	assert_in_range((int)(answered_ns - plain_ns), 600, 680);
	assert_true(part.worst_ns > 10 * part.typical_ns);
	assert_false(forecast_part_is_uneven(&part));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_of_anything_costs_more),
		cmocka_unit_test(each_further_group_word_rule_and_limit_costs_more),
		cmocka_unit_test(larger_tables_cost_more_and_candidates_in_them_even_more),
		cmocka_unit_test(typical_packets_cost_what_was_measured),
		cmocka_unit_test(an_adversarial_set_costs_more_than_a_plain_one),
		cmocka_unit_test(state_limits_and_rules_that_go_on_are_in_the_forecast),
		cmocka_unit_test(each_live_set_is_asked_for_itself),
		cmocka_unit_test(a_syn_that_is_answered_is_dear_but_no_cause_for_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
