/* SPDX-License-Identifier: GPL-2.0-only */
/* Warnings about state: each fault is warned of at its line, and right rules are left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/state_lint.h"
#include "language/language.h"

/* Warnings that hold `text`, of rules; *ret_all is how many there are at all. */
static size_t count_warnings(const char *rules, const char *text, size_t *ret_all)
{
	const struct source_file file = { "test", rules, strlen(rules) };
	struct diagnostics diagnostics;
	struct ruleset *ruleset = NULL;
	size_t count = 0;

	diagnostics_init(&diagnostics);
	assert_int_equal(ruleset_parse_text(&file, &file_reader_system, &diagnostics, &ruleset), 0);
	diagnostics.count = diagnostics.warning_count = 0;
	state_warn(ruleset, &diagnostics);
	for (size_t i = 0; i < diagnostics.count; i++)
		count += strstr(diagnostics.items[i].text, text) != NULL;
	*ret_all = diagnostics.count;
	ruleset_free(&ruleset);
	diagnostics_free(&diagnostics);
	return count;
}

static void assert_one(const char *rules, const char *text)
{
	size_t all;

	assert_int_equal(count_warnings(rules, text, &all), 1);
	assert_int_equal(all, 1);
}

#define BOTH(ingress) "ingress default drop {\n" ingress "\n}\negress default drop {\n"

static void right_rules_are_left_alone(void **state)
{
	size_t all;

	(void)state;
	count_warnings("option flows 1000\noption timeout udp-replied 1min\n" BOTH(
			       "pass state established, related\npass tcp to port 22 keep state\n"
			       "drop tcp state new flags not S/SA") "pass keep state\n}\n",
		       "", &all);
	assert_int_equal(all, 0);
	count_warnings("ingress default drop {\npass tcp to port 22\n}\n", "", &all);
	assert_int_equal(all, 0);
	count_warnings(
		BOTH("pass state established\npass tcp flags S/SA keep state\n"
		     "pass tcp flags not A/A keep state\npass udp state new keep state") "}\n",
		"", &all);
	assert_int_equal(all, 0);
}

static void states_without_flows_are_warned_of(void **state)
{
	(void)state;
	assert_one(BOTH("pass state established, related") "}\n", "can never match: no rule keeps");
	assert_one(BOTH("pass tcp state not new") "}\n", "can never match: no rule keeps");
	assert_one(BOTH("pass tcp state new") "}\n", "no rule keeps state, so every packet is new");
	assert_one("option flows 10\n" BOTH("pass tcp") "}\n", "option 'flows' does nothing");
	assert_one("option timeout tcp-closed 1s\n" BOTH("pass tcp") "}\n",
		   "option 'timeout tcp-closed' does nothing");
}

static void flows_that_nobody_asks_for_are_warned_of(void **state)
{
	(void)state;
	assert_one(BOTH("pass tcp keep state") "}\n", "no rule asks for 'state'");
}

static void flows_that_cannot_begin_are_warned_of(void **state)
{
	static const char picked_up[] = "option pickup on\n" BOTH(
		"pass state established\npass tcp flags A/SA keep state") "}\n";
	size_t all;

	(void)state;
	assert_one(BOTH("pass state established keep state") "}\n", "packets of flows that");
	assert_one(BOTH("pass state not new keep state") "}\n", "packets of flows that");
	assert_one(BOTH("pass state established\npass tcp flags A/SA keep state") "}\n",
		   "which the rule's flags exclude");
	assert_one(BOTH("pass state established\npass tcp flags not S/SA keep state") "}\n",
		   "which the rule's flags exclude");
	count_warnings(picked_up, "", &all);
	assert_int_equal(all, 0);
}

/* What begins no flow, and what is never answered, by kinds of packets. */
static void rules_that_get_nothing_of_what_they_ask_for_are_warned_of(void **state)
{
	static const char *const begin_none[] = {
		"icmp type echo-reply",	   "icmp type destination-unreachable",
		"icmp6 type echo-reply",   "icmp6 type nd-neighbor-solicit",
		"from 192.0.2.1 fragment", "tcp flags R/R",
		"tcp flags SA/SA",
	};
	static const char *const begin[] = {
		"icmp",
		"icmp type { echo-reply, echo-request }",
		"icmp6 type echo-request",

		"tcp flags not R/R",
		"proto 89",
		"to 224.0.0.251",
	};
	static const char *const never[] = {
		"tcp flags R/R", "icmp type time-exceeded", "icmp6 type packet-too-big",
		"udp fragment",	 "to 224.0.0.0/4",	    "to { 255.255.255.255, ff02::1 }",
		"ethertype arp",
	};
	static const char *const some[] = {
		"tcp",
		"tcp flags S/S",
		"icmp",
		"icmp6 type echo-request",
		"to { 224.0.0.1, 10.0.0.1 }",

		"smac 02:00:00:00:00:01",
	};
	char rules[512];
	size_t all;

	(void)state;
	for (size_t i = 0; i < sizeof(begin_none) / sizeof(begin_none[0]); i++) {
		snprintf(rules, sizeof(rules),
			 BOTH("pass state established\npass %s keep state") "}\n", begin_none[i]);
		assert_one(rules, "'keep state' does nothing here");
	}
	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++) {
		snprintf(rules, sizeof(rules),
			 BOTH("pass state established\npass %s keep state") "}\n", begin[i]);
		count_warnings(rules, "", &all);
		assert_int_equal(all, 0);
	}
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		snprintf(rules, sizeof(rules), "ingress default drop {\nreject %s\n}\n", never[i]);
		assert_one(rules, "'reject' answers no packet of this rule");
	}
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		snprintf(rules, sizeof(rules), "ingress default drop {\nreject %s\n}\n", some[i]);
		count_warnings(rules, "", &all);
		assert_int_equal(all, 0);
	}
}

static void one_sided_flows_are_warned_of(void **state)
{
	(void)state;
	assert_one("ingress default drop {\npass state established\npass tcp keep state\n}\n",
		   "there is no egress block");
	assert_one("egress default drop {\npass state established\npass tcp keep state\n}\n",
		   "there is no ingress block");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_rules_are_left_alone),
		cmocka_unit_test(states_without_flows_are_warned_of),
		cmocka_unit_test(flows_that_nobody_asks_for_are_warned_of),
		cmocka_unit_test(flows_that_cannot_begin_are_warned_of),
		cmocka_unit_test(rules_that_get_nothing_of_what_they_ask_for_are_warned_of),
		cmocka_unit_test(one_sided_flows_are_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
