/* SPDX-License-Identifier: GPL-2.0-only */
/* What lint says: which rule, shown by which packet, and of how many rules it did not look. */
#include "analysis_random.h"

#include "analysis/lint.h"

static unsigned rule_line(const struct ruleset *ruleset, const struct lint_finding *finding)
{
	return ruleset->blocks[finding->hook].rules[finding->rule].at.line;
}

static void warnings_name_the_rule_and_show_a_packet(void **state)
{
	static const char wanted[] = "'ssh' (line 2) takes all its packets";
	struct diagnostics diagnostics;
	struct lint_report report;
	struct ruleset *ruleset;

	(void)state;
	ruleset = parse("ingress default drop {\n"
			"pass tcp to port 22 label ssh\n"
			"drop tcp from 192.0.2.0/24 to port 22\n"
			"}\n",
			true);
	lint(ruleset, LINT_ALL, &report);
	diagnostics_init(&diagnostics);
	lint_warn(ruleset, &report, &diagnostics);
	assert_int_equal(diagnostics.warning_count, 1);
	assert_int_equal(diagnostics.items[0].at.line, 3);
	assert_non_null(strstr(diagnostics.items[0].text, wanted));
	assert_non_null(strstr(diagnostics.items[0].hint,
			       "tcp 192.0.2.1:50000 > 198.51.100.1:22 flags S goes to 'ssh'"));
	diagnostics_free(&diagnostics);
	lint_report_free(&report);
	ruleset_free(&ruleset);
}

static void rules_for_states_that_no_such_packet_has_match_nothing(void **state)
{
	struct lint_report report;
	struct ruleset *ruleset;

	(void)state;
	ruleset = parse("ingress default drop {\n"
			"pass tcp state related\n"
			"pass icmp type 8 state related\n"
			"pass icmp type 3 state established\n"
			"pass icmp6 type 1 state related\n"
			"pass tcp state new, established\n"
			"pass tcp from 192.0.2.1\n"
			"}\n",
			true);
	lint(ruleset, LINT_ALL, &report);
	assert_int_equal(report.count, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(report.findings[i].kind, LINT_EMPTY);
		assert_int_equal(rule_line(ruleset, &report.findings[i]), 2 + i);
		assert_int_equal(report.findings[i].clash[1]->kind, MATCH_STATE);
	}
	assert_int_equal(report.findings[3].kind, LINT_HIDDEN);
	lint_report_free(&report);
	ruleset_free(&ruleset);
}

/* Each rule in part over each other, so that nothing is told by a corner. */
static void rules_beyond_the_bound_of_work_are_counted_and_said_in_a_line(void **state)
{
	enum { RULES = 1500, WORK = 200000 };
	_cleanup_buffer_ struct buffer file = { 0 };
	struct diagnostics diagnostics;
	struct lint_report report;
	struct ruleset *ruleset;
	bool said = false;

	(void)state;
	buffer_puts(&file, "ingress default drop {\n");
	for (unsigned i = 0; i < RULES; i++)
		buffer_printf(&file, "pass udp from port %u-%u to port %u-%u\n", 1 + i, 30000 + i,
			      RULES - i, 40000 - i);
	buffer_puts(&file, "pass udp\n}\n");
	ruleset = parse(buffer_text(&file), true);
	lint_within(ruleset, LINT_SHOWN, WORK, &report);
	assert_true(report.unseen_hidden + report.unseen_redundant > RULES / 2);
	/* A question may exceed its bound by what one rule costs. */
	assert_true(report.work < 2 * (2 * WORK + 300000));
	diagnostics_init(&diagnostics);
	lint_warn(ruleset, &report, &diagnostics);
	for (size_t i = 0; i < diagnostics.warning_count && i < 2; i++)
		said |= strstr(diagnostics.items[i].text, "was not looked into for") != NULL;
	assert_true(said);
	diagnostics_free(&diagnostics);
	lint_report_free(&report);
	ruleset_free(&ruleset);
}

static void a_label_says_that_a_superfluous_rule_is_there_to_count(void **state)
{
	struct diagnostics diagnostics;
	struct lint_report report;
	struct ruleset *ruleset;

	(void)state;
	ruleset = parse("ingress default drop {\n"
			"drop tcp to port 22 label ssh\n"
			"drop tcp to port 23\n"
			"drop tcp from 192.0.2.1 to port 22 label one\n"
			"pass inet from 2001:db8::1 label nothing\n"
			"}\n",
			true);
	lint(ruleset, LINT_ALL, &report);
	assert_int_equal(report.count, 4);
	diagnostics_init(&diagnostics);
	lint_warn(ruleset, &report, &diagnostics);
	assert_int_equal(diagnostics.warning_count, 3);
	assert_int_equal(diagnostics.items[0].at.line, 3); /* no label: superfluous */
	assert_int_equal(diagnostics.items[1].at.line, 4); /* a label counts nothing if hidden, */
	assert_int_equal(diagnostics.items[2].at.line, 5); /* or empty */
	diagnostics_free(&diagnostics);
	lint_report_free(&report);
	ruleset_free(&ruleset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warnings_name_the_rule_and_show_a_packet),
		cmocka_unit_test(rules_for_states_that_no_such_packet_has_match_nothing),
		cmocka_unit_test(rules_beyond_the_bound_of_work_are_counted_and_said_in_a_line),
		cmocka_unit_test(a_label_says_that_a_superfluous_rule_is_there_to_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
