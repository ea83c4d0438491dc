/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Diff against plain enumeration in small universes, and against changes that were planted among a
 * thousand rules. Random, from a seed that is printed and that FW_TEST_SEED sets.
 */
#include "analysis_random.h"

#include "analysis/diff.h"
#include "analysis/diff_print.h"
#include "analysis/effect.h"

#define ROUNDS	  300
#define RULES_MAX 9

static const struct diff_region *region_of(const struct diff_report *report, size_t old_rule,
					   size_t new_rule)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->regions[i].old_rule == old_rule &&
		    report->regions[i].new_rule == new_rule)
			return &report->regions[i];
	return NULL;
}

static bool has_limits_that_drop(const struct ruleset *ruleset)
{
	const struct block *block = &ruleset->blocks[FW_INGRESS];

	for (size_t i = 0; i < block->count; i++)
		if (block->rules[i].action != FW_COUNT && !rule_decides(&block->rules[i]))
			return true;
	return false;
}

static const struct rule *judge_of(const struct ruleset *ruleset, size_t rule)
{
	static const struct rule pass = { .action = FW_PASS }, drop = { .action = FW_DROP };

	if (rule != EVALUATE_DEFAULT)
		return &ruleset->blocks[FW_INGRESS].rules[rule];
	return ruleset->blocks[FW_INGRESS].default_action == FW_PASS ? &pass : &drop;
}

/* Every pair of judges that differ on a packet must be reported, and no other. */
static void compare_with_enumeration(const struct ruleset *a, const struct ruleset *b,
				     const struct universe *universe,
				     const struct diff_report *report)
{
	static bool seen[RULES_MAX + 1][RULES_MAX + 1];
	bool limits = has_limits_that_drop(a) || has_limits_that_drop(b);
	size_t verdicts = 0, expected = 0;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < universe->count; i++) {
		struct evaluation x, y;
		size_t row, column;

		evaluate(a, FW_INGRESS, &universe->packets[i], universe->interfaces[i], &x);
		evaluate(b, FW_INGRESS, &universe->packets[i], universe->interfaces[i], &y);
		if (effects_equal(judge_of(a, x.rule), judge_of(b, y.rule)))
			continue;
		row = x.rule == EVALUATE_DEFAULT ? RULES_MAX : x.rule;
		column = y.rule == EVALUATE_DEFAULT ? RULES_MAX : y.rule;
		if (!seen[row][column]) {
			expected++;
			assert_non_null(region_of(report, x.rule, y.rule));
		}
		seen[row][column] = true;
	}
	for (size_t i = 0; i < report->count; i++) {
		const struct diff_region *region = &report->regions[i];
		const struct rule *x = judge_of(a, region->old_rule);
		const struct rule *y = judge_of(b, region->new_rule);

		/* A rule that only limits is no judge. */
		verdicts += rule_decides(x) && rule_decides(y);
		assert_true(limits || (rule_decides(x) && rule_decides(y)));
	}
	assert_int_equal(verdicts, expected);
	assert_int_equal(report->undecided, 0);
}

/* The same file with some lines gone, moved or replaced. */
static char *change_file(const char *text, unsigned asks)
{
	_cleanup_buffer_ struct buffer rule = { 0 }, alone = { 0 };
	struct buffer changed = { 0 };
	const char *line = text;
	unsigned number = 100;

	while (*line) {
		size_t length = strcspn(line, "\n") + 1;
		bool is_rule = strstr(line, " label ") && strstr(line, " label ") < line + length;
		struct ruleset *parsed = NULL;

		if (!is_rule || chance(70))
			buffer_add(&changed, line, length);
		if (is_rule && chance(20)) {
			random_rule(asks, number++, &rule);
			buffer_clear(&alone);
			buffer_printf(&alone, HEADER "drop {\n%s\n}\n", buffer_text(&rule));
			parsed = parse(buffer_text(&alone), false);
		}
		if (parsed)
			buffer_printf(&changed, "%s\n", buffer_text(&rule));
		ruleset_free(&parsed);
		line += length;
	}
	return buffer_take(&changed);
}

static void agrees_with_enumeration_in_small_universes(void **state)
{
	size_t regions = 0, same = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		unsigned asks = random_asks();
		char *old_text = random_file(asks, 2 + random_below(RULES_MAX - 5));
		char *new_text = chance(80) ? change_file(old_text, asks)
					    : random_file(asks, random_below(RULES_MAX - 2));
		struct ruleset *a = parse(old_text, true), *b = parse(new_text, true);
		struct universe universe = { 0 };
		struct diff_report report;

		assert_true(b->blocks[FW_INGRESS].count <= RULES_MAX);
		universe_build(asks, &universe);
		diff(a, b, &report);
		compare_with_enumeration(a, b, &universe, &report);
		regions += report.count;
		same += !report.count;
		diff_report_free(&report);
		universe_free(&universe);
		ruleset_free(&a);
		ruleset_free(&b);
		free(old_text);
		free(new_text);
	}
	print_message("%zu regions, %zu pairs of files that mean the same\n", regions, same);
	assert_true(regions > 100 && same > 20);
}

#define PLANTED_RULES 1000

/* A thousand rules that overlap, the same but for the planted changes. */
static void add_rule(unsigned number, bool changed, struct buffer *file)
{
	unsigned a = number / 256, b = number % 256;
	const char *action = changed ? "drop" : "pass";

	if (number % 10 == 0)
		buffer_printf(file, "drop from 172.16.%u.0/24 label w%u\n", b, number);
	buffer_printf(file, "%s proto { tcp, udp } to 10.%u.%u.0/24 port %u-%u label r%u\n", action,
		      a, b, number, number + 1000, number);
}

static void finds_each_planted_change_among_a_thousand_rules_and_nothing_else(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		_cleanup_buffer_ struct buffer old_file = { 0 }, new_file = { 0 };
		bool changed[PLANTED_RULES];
		struct ruleset *a, *b;
		struct diff_report report;
		size_t planted = 0;

		buffer_puts(&old_file, "ingress default drop {\n");
		buffer_puts(&new_file, "ingress default drop {\n");
		for (unsigned i = 0; i < PLANTED_RULES; i++) {
			changed[i] = chance(3);
			planted += changed[i];
			add_rule(i, false, &old_file);
			add_rule(i, changed[i], &new_file);
		}
		/* Means nothing: a rule that is hidden, and one that the default replaces. */
		buffer_puts(&new_file, "pass tcp to 10.0.0.0/24 port 500 label hidden\n"
				       "drop gre label as-default\n");
		buffer_puts(&old_file, "}\n");
		buffer_puts(&new_file, "}\n");
		a = parse(buffer_text(&old_file), true);
		b = parse(buffer_text(&new_file), true);
		diff(a, b, &report);
		/* If rule 0 is one of them, the rule that it hid comes to light. */
		planted += changed[0];
		assert_int_equal(report.undecided, 0);
		assert_int_equal(report.count, planted);
		for (size_t i = 0; i < report.count; i++) {
			const struct rule *rule =
				&a->blocks[FW_INGRESS].rules[report.regions[i].old_rule];

			assert_int_equal(report.regions[i].change, DIFF_VERDICT);
			assert_non_null(rule->label);
			assert_true(changed[atoi(rule->label + 1)] ||
				    report.regions[i].old_rule == EVALUATE_DEFAULT);
		}
		print_message("%zu planted, %zu found\n", planted, report.count);
		diff_report_free(&report);
		ruleset_free(&a);
		ruleset_free(&b);
	}
}

static void expect_text(const char *old_text, const char *new_text, const char *wanted)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	struct ruleset *a = parse(old_text, true), *b = parse(new_text, true);
	struct diff_input input = { .old_ruleset = a, .new_ruleset = b };
	struct diff_report report;

	diff(a, b, &report);
	input.report = &report;
	diff_print(&input, &text);
	if (!strstr(buffer_text(&text), wanted))
		fail_msg("got: %swanted: %s", buffer_text(&text), wanted);
	diff_report_free(&report);
	ruleset_free(&a);
	ruleset_free(&b);
}

static void says_so_when_nothing_changes_in_meaning(void **state)
{
	(void)state;
	expect_text("ingress default drop {\npass tcp to port { 22, 80 }\n}\n",
		    "define p = 80\ningress default drop {\npass tcp to port 22\n"
		    "pass tcp to port $p log\ncount udp\n}\n",
		    "no packet is judged differently\n");
}

static void names_the_packet_and_both_judges(void **state)
{
	(void)state;
	expect_text("ingress default drop {\npass tcp to port 22 label ssh\n}\n",
		    "ingress default drop {\npass tcp from 192.0.2.0/24 to port 22\n}\n",
		    "    old: pass by 'ssh' (test:2)\n    new: drop by the default (drop)\n");
}

static void a_hook_without_a_block_passes(void **state)
{
	(void)state;
	expect_text("ingress default pass {\n}\n", "egress default pass {\n}\n",
		    "no packet is judged differently\n");
	expect_text("ingress default pass {\n}\n", "egress default drop {\n}\n",
		    "new: drop by the default (drop)\n");
}

static void a_set_with_other_contents_is_a_change(void **state)
{
	(void)state;
	expect_text("set s { 192.0.2.1, 192.0.2.2 }\ningress default drop {\npass from @s\n}\n",
		    "set s { 192.0.2.1, 192.0.2.3 }\ningress default drop {\npass from @s\n}\n",
		    "2 regions of packets are judged differently\n");
}

static void live_sets_are_the_same_by_name_not_by_place(void **state)
{
	(void)state;
	expect_text("set a live\nset b live\ningress default pass {\ndrop from @a\ndrop to @b\n}\n",
		    "set b live\nset a live\ningress default pass {\ndrop to @b\ndrop from @a\n}\n",
		    "no packet is judged differently\n");
	expect_text("set a live\nset b live\ningress default pass {\ndrop from @a\ndrop to @b\n}\n",
		    "set b live\nset a live\ningress default pass {\ndrop from @b\ndrop to @a\n}\n",
		    ", source in @a\n");
}

static void another_limit_is_a_change_and_another_option_is_told(void **state)
{
	(void)state;
	expect_text("ingress default pass {\npass udp limit 10/s\n}\n",
		    "ingress default pass {\npass udp limit 20/s\n}\n", "(another limit)\n");
	expect_text("ingress default pass {\ndrop udp limit 10/s\n}\n",
		    "ingress default pass {\ndrop udp limit 20/s\n}\n", "(another limit)\n");
	expect_text("ingress default pass {\n}\n", "option pickup on\ningress default pass {\n}\n",
		    "not compared: the option statements, which differ\n");
}

static void what_answers_syns_has_words_of_its_own(void **state)
{
	(void)state;
	expect_text("ingress default drop {\npass tcp to port 80\n}\n",
		    "ingress default drop {\npass tcp to port 80 syncookie\n}\n",
		    "(another answer to SYNs)\n");
	expect_text("ingress default drop {\npass tcp to port 80\n}\n",
		    "ingress default drop {\npass tcp to port 80 keep state\n}\n",
		    "(other flows)\n");
	expect_text("ingress default drop {\npass tcp to port 80\n}\n",
		    "ingress default drop {\npass tcp to port 80 keep state syncookie\n}\n",
		    "(other flows, another answer to SYNs)\n");
}

/* Only ICMP errors are related, and only queries of ICMP established (include/fw/flow_track.h). */
static void states_are_those_that_a_packet_can_have(void **state)
{
	(void)state;
	expect_text("ingress default drop {\npass tcp state established, related\n}\n",
		    "ingress default drop {\npass tcp state established\n}\n",
		    "no packet is judged differently\n");
	expect_text("ingress default drop {\npass icmp state established, related\n}\n",
		    "ingress default drop {\npass icmp state established\n}\n", "state related\n");
	expect_text("ingress default drop {\npass icmp type 3 state new, related\n}\n",
		    "ingress default drop {\npass icmp type 3\n}\n",
		    "no packet is judged differently\n");
	expect_text("ingress default drop {\npass icmp type 8 state new\n}\n",
		    "ingress default drop {\npass icmp type 8\n}\n", "state established\n");
	expect_text("ingress default drop {\npass icmp fragment state new\n}\n",
		    "ingress default drop {\npass icmp fragment state new, related\n}\n",
		    "state related\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_enumeration_in_small_universes),
		cmocka_unit_test(finds_each_planted_change_among_a_thousand_rules_and_nothing_else),
		cmocka_unit_test(says_so_when_nothing_changes_in_meaning),
		cmocka_unit_test(names_the_packet_and_both_judges),
		cmocka_unit_test(a_hook_without_a_block_passes),
		cmocka_unit_test(a_set_with_other_contents_is_a_change),
		cmocka_unit_test(live_sets_are_the_same_by_name_not_by_place),
		cmocka_unit_test(another_limit_is_a_change_and_another_option_is_told),
		cmocka_unit_test(what_answers_syns_has_words_of_its_own),
		cmocka_unit_test(states_are_those_that_a_packet_can_have),
	};

	return cmocka_run_group_tests(tests, random_seed, NULL);
}
