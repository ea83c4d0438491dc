/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rules mean: the model that the parser makes. How rules are printed and what is said of
 * wrong ones is for the golden tests.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "language/language.h"

static struct ruleset *parse(const char *text, struct diagnostics *diagnostics)
{
	const struct source_file files[] = {
		{ .path = "dir/main.conf", .text = text, .length = strlen(text) },
		{ .path = "dir/list.txt", .text = "192.0.2.0/24\n::1\n", .length = 17 },
		{ .path = "dir/sub/b.conf",
		  .text = "set sub file \"../list.txt\"\n",
		  .length = 27 },
		{ .path = "dir/sub/../list.txt", .text = "192.0.2.9\n", .length = 10 },
		{ .path = "dir/sub/a.conf", .text = "define first = 1\n", .length = 17 },
		{ .path = "dir/sub/.hidden.conf", .text = "wrong\n", .length = 6 },
	};
	const struct file_reader reader =
		file_reader_memory(files, sizeof(files) / sizeof(files[0]));
	struct ruleset *ruleset = NULL;

	if (ruleset_parse("dir/main.conf", &reader, diagnostics, &ruleset))
		assert_null(ruleset);
	return ruleset;
}

/* Parses the rules of an ingress block that must be right. */
static struct ruleset *parse_rules(const char *rules)
{
	struct buffer text = { 0 };
	struct diagnostics diagnostics;
	struct ruleset *ruleset;

	diagnostics_init(&diagnostics);
	buffer_printf(&text,
		      "set one { 192.0.2.1 }\nset two live\nset three live\n"
		      "ingress default pass {\n%s\n}\n",
		      rules);
	ruleset = parse(buffer_text(&text), &diagnostics);
	if (!ruleset)
		diagnostics_print(&diagnostics, stderr);
	assert_non_null(ruleset);
	diagnostics_free(&diagnostics);
	buffer_free(&text);
	return ruleset;
}

static void families_follow_from_the_matches(void **state)
{
	static const struct {
		const char *rule;
		uint8_t families;
	} cases[] = {
		{ "drop", FAMILY_ANY },
		{ "drop on eth0", FAMILY_ANY },
		{ "drop vlan 5 ethertype arp smac 00:00:5e:00:53:01 dmac 00:00:5e:00:53:01",
		  FAMILY_ANY },
		{ "drop inet", FAMILY_BIT(FW_INET) },
		{ "drop inet6 on eth0", FAMILY_BIT(FW_INET6) },
		{ "drop from any", FAMILY_IP },
		{ "drop from 192.0.2.1", FAMILY_BIT(FW_INET) },
		{ "drop from not 192.0.2.1", FAMILY_BIT(FW_INET) },
		{ "drop to 2001:db8::/32", FAMILY_BIT(FW_INET6) },
		{ "drop to { 192.0.2.1, 2001:db8::/32 }", FAMILY_IP },
		{ "drop from @one", FAMILY_IP },
		{ "drop from not @two", FAMILY_IP },
		{ "drop from { @one, 192.0.2.1 }", FAMILY_IP },
		{ "drop from 192.0.2.1 to 2001:db8::1", 0 },
		{ "drop from 192.0.2.1 to @one", FAMILY_BIT(FW_INET) },
		{ "drop icmp", FAMILY_IP },
		{ "drop icmp type echo-request", FAMILY_BIT(FW_INET) },
		{ "drop icmp6 type 1 code 0", FAMILY_BIT(FW_INET6) },
		{ "drop icmp6 type 1 inet", 0 },
		{ "drop tcp", FAMILY_IP },
		{ "drop to port 53", FAMILY_IP },
		{ "drop flags S/SA", FAMILY_IP },
		{ "drop state new", FAMILY_IP },
		{ "drop fragment", FAMILY_IP },
		{ "drop length 100", FAMILY_IP },
		{ "drop ttl 1", FAMILY_IP },
		{ "drop dscp ef", FAMILY_IP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ruleset *ruleset = parse_rules(cases[i].rule);

		if (ruleset->blocks[FW_INGRESS].rules[0].families != cases[i].families)
			fail_msg("%s", cases[i].rule);
		ruleset_free(&ruleset);
		assert_null(ruleset);
	}
}

static void values_are_sorted_and_merged(void **state)
{
	struct ruleset *ruleset = parse_rules("drop to port { 90, 80-89, 1, 65535, 3-4, 4-7 }");
	const struct match *match =
		rule_find_match(&ruleset->blocks[FW_INGRESS].rules[0], MATCH_DESTINATION_PORT);
	static const struct range expected[] = { { 1, 1 }, { 3, 7 }, { 80, 90 }, { 65535, 65535 } };

	(void)state;
	assert_int_equal(match->ranges.count, 4);
	assert_memory_equal(match->ranges.items, expected, sizeof(expected));
	assert_int_equal(match->written.count, 6);
	ruleset_free(&ruleset);
}

static void addresses_keep_literals_and_sets_apart(void **state)
{
	struct ruleset *ruleset = parse_rules(
		"drop from not { @two, 192.0.2.4/31, 192.0.2.6, @one, @three, 2001:db8::/32 }");
	const struct match *match =
		rule_find_match(&ruleset->blocks[FW_INGRESS].rules[0], MATCH_SOURCE);

	(void)state;
	assert_true(match->negated);
	assert_false(match->addresses.any);
	assert_int_equal(match->addresses.ranges.inet_count, 1);
	assert_int_equal(match->addresses.ranges.inet[0].low, 0xc0000204);
	assert_int_equal(match->addresses.ranges.inet[0].high, 0xc0000206);
	assert_int_equal(match->addresses.ranges.inet6_count, 1);
	assert_int_equal(match->addresses.set_count, 3);
	assert_ptr_equal(match->addresses.sets[0], &ruleset->sets[1]);
	assert_ptr_equal(match->addresses.sets[1], &ruleset->sets[0]);
	assert_ptr_equal(match->addresses.sets[2], &ruleset->sets[2]);
	assert_int_equal(ruleset->sets[1].live_index, 0);
	assert_int_equal(ruleset->sets[2].live_index, 1);
	ruleset_free(&ruleset);
}

static void flags_states_and_limits_are_numbers(void **state)
{
	struct ruleset *ruleset = parse_rules("pass flags S/SA\n"
					      "pass state established, related\n"
					      "pass limit 5 mbit/s burst 100 kbit per destination\n"
					      "pass limit 7/min burst 3 per source\n"
					      "pass tcp log sample 1/8 keep state syncookie");
	const struct rule *rules = ruleset->blocks[FW_INGRESS].rules;
	const struct match *match = rule_find_match(&rules[0], MATCH_FLAGS);

	(void)state;
	assert_int_equal(match->flags.set, 0x02);
	assert_int_equal(match->flags.mask, 0x12);
	match = rule_find_match(&rules[1], MATCH_STATE);
	assert_int_equal(match->states, FW_STATE_ESTABLISHED | FW_STATE_RELATED);
	assert_int_equal(rules[2].limit->unit, LIMIT_BITS);
	assert_int_equal(rules[2].limit->rate, 5000000);
	assert_int_equal(rules[2].limit->seconds, 1);
	assert_int_equal(rules[2].limit->burst, 100000);
	assert_int_equal(rules[2].limit->per, LIMIT_DESTINATION);
	assert_int_equal(rules[3].limit->unit, LIMIT_PACKETS);
	assert_int_equal(rules[3].limit->rate, 7);
	assert_int_equal(rules[3].limit->seconds, 60);
	assert_int_equal(rules[3].limit->burst, 3);
	assert_int_equal(rules[3].limit->per, LIMIT_SOURCE);
	assert_true(rules[4].log && rules[4].keep_state && rules[4].syncookie);
	assert_int_equal(rules[4].log_sample, 8);
	ruleset_free(&ruleset);
}

static void defines_stand_for_their_values(void **state)
{
	struct ruleset *ruleset = parse_rules("drop");
	struct diagnostics diagnostics;
	const struct match *match;

	(void)state;
	ruleset_free(&ruleset);
	diagnostics_init(&diagnostics);
	ruleset = parse("define a = { 80, ssh }\ndefine b = { $a, 1-2 }\n"
			"ingress default pass {\n drop to port { $b, 3 }\n}\n",
			&diagnostics);
	assert_non_null(ruleset);
	assert_int_equal(diagnostics.warning_count, 0);
	match = rule_find_match(&ruleset->blocks[FW_INGRESS].rules[0], MATCH_DESTINATION_PORT);
	assert_int_equal(match->ranges.count, 3);
	assert_int_equal(match->ranges.items[0].high, 3);
	assert_int_equal(match->ranges.items[1].low, 22);
	assert_int_equal(match->ranges.items[2].low, 80);
	ruleset_free(&ruleset);
	diagnostics_free(&diagnostics);
}

static void options_have_their_defaults(void **state)
{
	struct ruleset *ruleset = parse_rules("drop");
	struct diagnostics diagnostics;

	(void)state;
	assert_true(ruleset->options.essential);
	assert_false(ruleset->options.fail_drop);
	assert_false(ruleset->options.malformed_pass);
	assert_false(ruleset->options.pickup);
	assert_int_equal(ruleset->options.reject_rate, 100);
	assert_int_equal(ruleset->options.syncookie_after, 1000);
	assert_null(ruleset->options.ban_set);
	ruleset_free(&ruleset);
	diagnostics_init(&diagnostics);
	ruleset = parse("option essential off\noption fail-policy drop\noption malformed pass\n"
			"option reject-rate 7/s\noption flows 99\noption pickup on\n"
			"option recheck-flows on\noption timeout tcp-closing 2min\n"
			"option ban-set s\nset s live\noption syncookie-after 0/s\n",
			&diagnostics);
	assert_non_null(ruleset);
	assert_false(ruleset->options.essential);
	assert_true(ruleset->options.fail_drop);
	assert_true(ruleset->options.malformed_pass);
	assert_true(ruleset->options.pickup);
	assert_true(ruleset->options.recheck_flows);
	assert_int_equal(ruleset->options.reject_rate, 7);
	assert_int_equal(ruleset->options.syncookie_after, 0);
	assert_int_equal(ruleset->options.flows, 99);
	assert_int_equal(ruleset->options.timeouts[TIMEOUT_TCP_CLOSING], 120);
	assert_string_equal(ruleset->options.ban_set, "s");
	ruleset_free(&ruleset);
	diagnostics_free(&diagnostics);
}

static void built_in_rules_come_first_where_the_default_is_drop(void **state)
{
	struct diagnostics diagnostics;
	struct ruleset *ruleset;
	size_t index;

	(void)state;
	diagnostics_init(&diagnostics);
	ruleset = parse("ingress default drop {\n pass label mine\n}\n"
			"egress default pass {\n}\n",
			&diagnostics);
	assert_non_null(ruleset);
	assert_true(ruleset->blocks[FW_INGRESS].builtin_count > 0);
	assert_int_equal(ruleset->blocks[FW_INGRESS].builtin_count + 1,
			 ruleset->blocks[FW_INGRESS].count);
	assert_int_equal(ruleset->blocks[FW_EGRESS].builtin_count, 0);
	for (size_t i = 0; i < ruleset->blocks[FW_INGRESS].builtin_count; i++)
		assert_true(ruleset->blocks[FW_INGRESS].rules[i].builtin);
	assert_int_equal(rule_find(ruleset, FW_INGRESS, "builtin:nd", &index), 0);
	assert_int_equal(ruleset->blocks[FW_INGRESS].rules[index].families, FAMILY_BIT(FW_INET6));
	assert_int_equal(rule_find(ruleset, FW_INGRESS, "mine", &index), 0);
	assert_int_equal(index, ruleset->blocks[FW_INGRESS].builtin_count);
	ruleset_free(&ruleset);
	diagnostics_free(&diagnostics);
}

static void included_files_find_what_lies_beside_them(void **state)
{
	struct diagnostics diagnostics;
	struct ruleset *ruleset;

	(void)state;
	diagnostics_init(&diagnostics);
	ruleset = parse("include \"sub/*.conf\"\nset here file \"list.txt\"\n"
			"ingress default pass {\n drop from @sub to @here from port $first\n}\n",
			&diagnostics);
	if (!ruleset)
		diagnostics_print(&diagnostics, stderr);
	assert_non_null(ruleset);
	assert_string_equal(ruleset->sets[0].path, "sub/../list.txt");
	assert_int_equal(ruleset->sets[0].ranges.inet[0].low, 0xc0000209);
	assert_string_equal(ruleset->sets[1].path, "list.txt");
	assert_int_equal(ruleset->sets[1].ranges.inet6_count, 1);
	assert_string_equal(ruleset->files[ruleset->sets[1].file].path, "dir/list.txt");
	ruleset_free(&ruleset);
	diagnostics_free(&diagnostics);
}

static void more_rules_than_a_block_holds_are_an_error(void **state)
{
	struct buffer text = { 0 };
	struct diagnostics diagnostics;

	(void)state;
	diagnostics_init(&diagnostics);
	buffer_puts(&text, "ingress default pass {\n");
	for (unsigned i = 0; i <= FW_MAX_RULES; i++)
		buffer_printf(&text, "drop label r%u\n", i);
	buffer_puts(&text, "}\n");
	assert_null(parse(buffer_text(&text), &diagnostics));
	assert_int_equal(diagnostics.error_count, 1);
	assert_string_equal(diagnostics.items[0].text, "a block has at most 250000 rules");
	assert_int_equal(diagnostics.items[0].at.line, FW_MAX_RULES + 2);
	diagnostics_free(&diagnostics);
	buffer_free(&text);
}

static void a_missing_file_is_named(void **state)
{
	const struct file_reader reader = file_reader_memory(NULL, 0);
	struct ruleset *ruleset = NULL;
	struct diagnostics diagnostics;

	(void)state;
	diagnostics_init(&diagnostics);
	assert_int_equal(ruleset_parse("none.conf", &reader, &diagnostics, &ruleset), -EINVAL);
	assert_string_equal(diagnostics.items[0].path, "none.conf");
	assert_string_equal(diagnostics.items[0].text,
			    "cannot read the file: No such file or directory");
	diagnostics_free(&diagnostics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_follow_from_the_matches),
		cmocka_unit_test(values_are_sorted_and_merged),
		cmocka_unit_test(addresses_keep_literals_and_sets_apart),
		cmocka_unit_test(flags_states_and_limits_are_numbers),
		cmocka_unit_test(defines_stand_for_their_values),
		cmocka_unit_test(options_have_their_defaults),
		cmocka_unit_test(built_in_rules_come_first_where_the_default_is_drop),
		cmocka_unit_test(included_files_find_what_lies_beside_them),
		cmocka_unit_test(more_rules_than_a_block_holds_are_an_error),
		cmocka_unit_test(a_missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
