/* SPDX-License-Identifier: GPL-2.0-only */
/* When `fwctl check` warns of what rules cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "commands/forecast_report.h"
#include "language/language.h"

static struct ruleset *parse(void)
{
	static const char text[] = "option essential off\n"
				   "ingress default pass {\n"
				   "drop tcp to port 22\n"
				   "drop tcp to port 23 label telnet\n"
				   "}\n";
	const struct source_file file = { "fw.conf", text, sizeof(text) - 1 };
	const struct file_reader reader = file_reader_memory(&file, 1);
	struct diagnostics diagnostics;
	struct ruleset *ruleset = NULL;

	diagnostics_init(&diagnostics);
	assert_int_equal(ruleset_parse("fw.conf", &reader, &diagnostics, &ruleset), 0);
	diagnostics_free(&diagnostics);
	return ruleset;
}

static void packets_that_cost_over_ten_times_the_typical_one_are_warned_of(void **state)
{
	struct forecast forecast = {
		.parts = { {
			.hook = FW_INGRESS,
			.family = FW_INET,
			.candidates = 3,
			.typical_ns = 50,
			.worst_ns = 501,
			.rules = { 0, 1 },
			.rule_count = 2,
		} },
		.count = 1,
	};
	struct ruleset *ruleset = parse();
	struct diagnostics diagnostics;

	(void)state;
	diagnostics_init(&diagnostics);
	forecast_warn(ruleset, &forecast, &diagnostics);
	assert_int_equal(diagnostics.warning_count, 1);
	assert_int_equal(diagnostics.items[0].at.line, 2);
	assert_string_equal(diagnostics.items[0].text,
			    "the worst inet packet costs over 10 times the typical one: about "
			    "501 ns, not 50");
	assert_string_equal(diagnostics.items[0].hint,
			    "it has to be compared with 'drop tcp to port 22' (line 3), 'telnet' "
			    "(line 4), ...");
	forecast.parts[0].worst_ns = 500;
	forecast_warn(ruleset, &forecast, &diagnostics);
	assert_int_equal(diagnostics.warning_count, 1);
	diagnostics_free(&diagnostics);
	ruleset_free(&ruleset);
}

static void the_forecast_of_rules_is_that_of_their_image(void **state)
{
	struct ruleset *ruleset = parse();
	struct forecast forecast;
	char *reason = NULL;

	(void)state;
	assert_int_equal(forecast_of(ruleset, &forecast, &reason), 0);
	assert_null(reason);
	assert_int_equal(forecast.count, 2);
	assert_int_equal(forecast.parts[0].family, FW_INET);
	assert_int_equal(forecast.parts[0].bits, 2);
	assert_int_equal(forecast.parts[0].candidates, 1);
	assert_true(forecast.image_bytes > 0);
	ruleset_free(&ruleset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_that_cost_over_ten_times_the_typical_one_are_warned_of),
		cmocka_unit_test(the_forecast_of_rules_is_that_of_their_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
