/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lint against plain enumeration in small universes, and against faults that were planted among a
 * thousand rules. Random, from a seed that is printed and that FW_TEST_SEED sets.
 */
#include "analysis_random.h"

#include "analysis/effect.h"
#include "analysis/lint.h"

#define ROUNDS	    400
#define RULES_MAX   10
#define PACKETS_MAX 30000

static const struct lint_finding *finding_of(const struct lint_report *report, size_t rule)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].hook == FW_INGRESS && report->findings[i].rule == rule)
			return &report->findings[i];
	return NULL;
}

/* What becomes of a packet without the rules that are left out: who decides, and what may drop it
 * before, as far as that matters. */
struct fate {
	size_t judge;
	enum fw_action action;
	bool plain;
	size_t limits[RULES_MAX];
	size_t limit_count;
};

static void judge(const struct ruleset *ruleset, const bool *left_out,
		  const struct fw_packet *packet, const char *interface, struct fate *fate)
{
	const struct block *block = &ruleset->blocks[FW_INGRESS];
	size_t limits[RULES_MAX], count = 0;

	*fate = (struct fate){ .judge = EVALUATE_DEFAULT, .action = block->default_action };
	for (size_t i = 0; i < block->count; i++) {
		const struct rule *rule = &block->rules[i];

		if (left_out[i] || rule->action == FW_COUNT ||
		    rule_failing_match(rule, packet, interface))
			continue;
		if (rule_decides(rule)) {
			fate->judge = i;
			fate->action = rule->action;
			break;
		}
		limits[count++] = i;
	}
	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &block->rules[limits[i]];

		if (rule->action != fate->action || rule->log)
			fate->limits[fate->limit_count++] = limits[i];
	}
}

static bool judges_equal(const struct block *block, const struct fate *a, const struct fate *b)
{
	const struct rule *x, *y;

	if (a->action != b->action || a->limit_count != b->limit_count ||
	    memcmp(a->limits, b->limits, a->limit_count * sizeof(a->limits[0])) != 0)
		return false;
	x = a->judge == EVALUATE_DEFAULT ? NULL : &block->rules[a->judge];
	y = b->judge == EVALUATE_DEFAULT ? NULL : &block->rules[b->judge];
	if (x && y)
		return effects_equal(x, y) && logs_equal(x, y);
	return (!x || effect_is_plain(x)) && (!y || effect_is_plain(y));
}

/* Is a rule ever reached, matched at all, and does anything change without the rules left out? */
static bool is_reached(const struct ruleset *ruleset, const struct universe *universe, size_t rule,
		       bool *ret_matches)
{
	const struct block *block = &ruleset->blocks[FW_INGRESS];

	*ret_matches = false;
	for (size_t i = 0; i < universe->count; i++) {
		size_t first = 0;

		if (rule_failing_match(&block->rules[rule], &universe->packets[i],
				       universe->interfaces[i]))
			continue;
		*ret_matches = true;
		while (first < rule &&
		       (!rule_decides(&block->rules[first]) ||
			rule_failing_match(&block->rules[first], &universe->packets[i],
					   universe->interfaces[i])))
			first++;
		if (first == rule)
			return true;
	}
	return false;
}

static bool changes_without(const struct ruleset *ruleset, const struct universe *universe,
			    const bool *left_out)
{
	static const bool nothing[RULES_MAX];

	for (size_t i = 0; i < universe->count; i++) {
		struct fate before, after;

		judge(ruleset, nothing, &universe->packets[i], universe->interfaces[i], &before);
		judge(ruleset, left_out, &universe->packets[i], universe->interfaces[i], &after);
		if (!judges_equal(&ruleset->blocks[FW_INGRESS], &before, &after))
			return true;
	}
	return false;
}

static void check_hidden(const struct ruleset *ruleset, const struct universe *universe,
			 const struct lint_report *report)
{
	for (size_t i = 0; i < ruleset->blocks[FW_INGRESS].count; i++) {
		const struct lint_finding *finding = finding_of(report, i);
		bool matches, reached = is_reached(ruleset, universe, i, &matches);
		bool empty = finding && finding->kind == LINT_EMPTY;
		bool hidden = finding && finding->kind == LINT_HIDDEN;

		assert_false(finding && finding->kind >= LINT_UNDECIDED_HIDDEN);
		assert_int_equal(empty, !matches);
		assert_int_equal(hidden, matches && !reached);
		if (hidden) {
			assert_true(finding->is_checked);
			assert_true(finding->by_count > 0);
			assert_true(finding->taker < i);
		}
	}
}

/* Those reported can go one by one, and all at once; every other rule is needed once they are. */
static void check_redundant(const struct ruleset *ruleset, const struct universe *universe,
			    const struct lint_report *report)
{
	const struct block *block = &ruleset->blocks[FW_INGRESS];
	bool all[RULES_MAX] = { false };

	for (size_t i = 0; i < block->count; i++) {
		const struct lint_finding *finding = finding_of(report, i);
		bool alone[RULES_MAX] = { false };

		if (!finding)
			continue;
		if (finding->kind == LINT_REDUNDANT) {
			alone[i] = true;
			assert_false(changes_without(ruleset, universe, alone));
		}
		all[i] = true;
	}
	assert_false(changes_without(ruleset, universe, all));
	for (size_t i = 0; i < block->count; i++) {
		bool one_more[RULES_MAX], alone[RULES_MAX] = { false };

		if (all[i] || !rule_decides(&block->rules[i]))
			continue;
		memcpy(one_more, all, sizeof(all));
		one_more[i] = alone[i] = true;
		if (changes_without(ruleset, universe, one_more) ||
		    changes_without(ruleset, universe, alone))
			continue;
		for (size_t j = 0; j < block->count; j++)
			print_message("%s%s\n", all[j] ? "reported: " : "", block->rules[j].text);
		fail_msg("%s is not needed", block->rules[i].label);
	}
}

static void agrees_with_enumeration_in_small_universes(void **state)
{
	size_t hidden = 0, empty = 0, redundant = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		unsigned asks = random_asks();
		char *text = random_file(asks, 2 + random_below(RULES_MAX - 2));
		struct ruleset *ruleset = parse(text, true);
		struct universe universe = { 0 };
		struct lint_report report;

		universe_build(asks, &universe);
		lint(ruleset, LINT_ALL, &report);
		for (size_t i = 0; i < report.count; i++) {
			hidden += report.findings[i].kind == LINT_HIDDEN;
			empty += report.findings[i].kind == LINT_EMPTY;
			redundant += report.findings[i].kind == LINT_REDUNDANT;
		}
		check_hidden(ruleset, &universe, &report);
		check_redundant(ruleset, &universe, &report);
		lint_report_free(&report);
		universe_free(&universe);
		ruleset_free(&ruleset);
		free(text);
	}
	print_message("%zu hidden, %zu empty, %zu redundant rules\n", hidden, empty, redundant);
	assert_true(hidden > 50 && empty > 5 && redundant > 50);
}

/* Rules that have nothing in common: each has a destination network of its own. */
enum plant {
	PLANT_NOTHING,
	PLANT_HIDDEN,	 /* a narrower rule behind a wider one */
	PLANT_JOINT,	 /* behind two halves */
	PLANT_REDUNDANT, /* a narrower rule before a wider one that does the same */
	PLANT_DEFAULT,	 /* what the default does anyway */
	PLANT_EMPTY,
	PLANTS,
};

#define PLANTED_RULES 1000

static void plant(enum plant plant, unsigned number, struct buffer *file, struct buffer *expected)
{
	unsigned a = number / 256, b = number % 256;
	unsigned port = 1 + random_below(60000);
	const char *protocol;

	switch (plant) {
	case PLANT_HIDDEN:
		buffer_printf(file, "pass tcp to 10.%u.%u.0/24\n", a, b);
		buffer_printf(file, "%s tcp to 10.%u.%u.%u port %u label p%u\n",
			      ONE_OF("drop", "pass", "reject"), a, b, random_below(256), port,
			      number);
		break;
	case PLANT_JOINT:
		buffer_printf(file, "pass proto { tcp, udp } to 10.%u.%u.0/25\n", a, b);
		buffer_printf(file, "pass proto { tcp, udp, sctp } to 10.%u.%u.128/25\n", a, b);
		buffer_printf(file, "%s udp to 10.%u.%u.0/24 port %u-%u label p%u\n",
			      ONE_OF("drop", "pass", "reject"), a, b, port, port + 100, number);
		break;
	case PLANT_REDUNDANT:
		buffer_printf(file, "pass udp from 192.0.2.0/24 to 10.%u.%u.0/24 label p%u\n", a, b,
			      number);
		buffer_printf(file, "pass proto { udp, gre } to 10.%u.%u.0/23\n", a, b);
		break;
	case PLANT_DEFAULT:
		buffer_printf(file, "drop inet to 10.%u.%u.0/24 label p%u\n", a, b, number);
		break;
	case PLANT_EMPTY:
		buffer_printf(file, "pass fragment to 10.%u.%u.0/24 port %u label p%u\n", a, b,
			      port, number);
		break;
	default:
		protocol = ONE_OF("tcp", "udp");
		buffer_printf(file, "pass %s to 10.%u.%u.0/24 port %u\n", protocol, a, b, port);
		buffer_printf(file, "drop %s from 172.16.%u.0/24 to 10.%u.%u.0/24\n", protocol, b,
			      a, b);
		buffer_printf(file, "pass proto { tcp, udp } to 10.%u.%u.0/24\n", a, b);
		return;
	}
	buffer_printf(expected, " p%u=%d", number, (int)plant);
}

static enum lint_kind kind_of_plant(int plant)
{
	if (plant == PLANT_HIDDEN || plant == PLANT_JOINT)
		return LINT_HIDDEN;
	return plant == PLANT_EMPTY ? LINT_EMPTY : LINT_REDUNDANT;
}

static void finds_what_was_planted_among_a_thousand_rules_and_nothing_else(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		_cleanup_buffer_ struct buffer file = { 0 }, expected = { 0 };
		struct lint_report report;
		struct ruleset *ruleset;
		size_t planted = 0;

		buffer_puts(&file, "ingress default drop {\n");
		/* Rules that overlap all the others in part, and hide none. */
		for (unsigned i = 0; i < 40; i++)
			buffer_printf(&file, "reject from 172.31.%u.0/24 to port %u\n", i,
				      9000 + i);
		for (unsigned i = 0; i < PLANTED_RULES; i += 2) {
			enum plant kind = chance(90) ? PLANT_NOTHING
						     : (enum plant)(1 + random_below(PLANTS - 1));

			planted += kind != PLANT_NOTHING;
			plant(kind, i, &file, &expected);
		}
		buffer_puts(&expected, " ");
		buffer_puts(&file, "}\n");
		ruleset = parse(buffer_text(&file), true);
		assert_true(ruleset->blocks[FW_INGRESS].count > PLANTED_RULES);
		lint(ruleset, LINT_ALL, &report);
		for (size_t i = 0; i < report.count; i++) {
			const struct lint_finding *finding = &report.findings[i];
			const struct rule *rule = &ruleset->blocks[FW_INGRESS].rules[finding->rule];
			char wanted[32];
			const char *found;

			assert_non_null(rule->label);
			snprintf(wanted, sizeof(wanted), " %s=", rule->label);
			found = strstr(buffer_text(&expected), wanted);
			assert_non_null(found);
			assert_int_equal(finding->kind,
					 kind_of_plant(atoi(found + strlen(wanted))));
			if (finding->kind == LINT_HIDDEN)
				assert_int_equal(finding->by_count,
						 atoi(found + strlen(wanted)) == PLANT_JOINT ? 2
											     : 1);
		}
		print_message("%zu planted, %zu found\n", planted, report.count);
		assert_int_equal(report.count, planted);
		lint_report_free(&report);
		ruleset_free(&ruleset);
	}
}

/* The number of findings, and the first one. */
static size_t lint_text(const char *text, struct ruleset **ret_ruleset,
			struct lint_report *ret_report)
{
	*ret_ruleset = parse(text, true);
	lint(*ret_ruleset, LINT_ALL, ret_report);
	return ret_report->count;
}

static void count_and_limiting_rules_hide_nothing(void **state)
{
	struct lint_report report;
	struct ruleset *ruleset;

	(void)state;
	assert_int_equal(lint_text("option essential off\n"
				   "ingress default pass {\n"
				   "count tcp\n"
				   "drop tcp limit 10/s\n"
				   "reject tcp to port 22 limit 10/s\n"
				   "drop tcp to port 22\n"
				   "}\n",
				   &ruleset, &report),
			 0);
	lint_report_free(&report);
	ruleset_free(&ruleset);
}

static void a_passing_limit_hides_what_follows(void **state)
{
	struct lint_report report;
	struct ruleset *ruleset;

	(void)state;
	assert_int_equal(lint_text("ingress default pass {\n"
				   "pass tcp limit 10/s\n"
				   "drop tcp to port 22\n"
				   "}\n",
				   &ruleset, &report),
			 1);
	assert_int_equal(report.findings[0].kind, LINT_HIDDEN);
	assert_int_equal(report.findings[0].rule, 1);
	lint_report_free(&report);
	ruleset_free(&ruleset);
}

static void built_in_rules_hide_but_are_not_reported(void **state)
{
	struct lint_report report;
	struct ruleset *ruleset;
	const struct lint_finding *finding;

	(void)state;
	assert_int_equal(lint_text("ingress default drop {\n"
				   "pass icmp6 type packet-too-big label mine\n"
				   "drop tcp to port 22 log\n"
				   "}\n",
				   &ruleset, &report),
			 1);
	finding = &report.findings[0];
	assert_int_equal(finding->kind, LINT_HIDDEN);
	assert_true(ruleset->blocks[FW_INGRESS].rules[finding->by[0]].builtin);
	lint_report_free(&report);
	ruleset_free(&ruleset);
}

static void lists_of_a_million_addresses_are_no_burden(void **state)
{
	_cleanup_buffer_ struct buffer file = { 0 };
	struct lint_report report;
	struct ruleset *ruleset;

	(void)state;
	buffer_puts(&file, "set big {\n");
	for (uint32_t i = 0; i < 200000; i++)
		buffer_printf(&file, "%s%u.%u.%u.%u", i ? ",\n" : "", 11 + (i >> 15), i >> 7 & 255,
			      i << 1 & 255, 1);
	buffer_puts(&file, "}\noption essential off\ningress default drop {\n"
			   "drop from @big label big log\n"
			   "pass tcp from not @big to port 22\n"
			   "pass tcp from 11.0.0.1 to port 22 label hidden\n"
			   "pass tcp to port 22 label redundant\n"
			   "pass udp from 11.0.0.0/8\n"
			   "}\n");
	assert_int_equal(lint_text(buffer_text(&file), &ruleset, &report), 2);
	assert_int_equal(report.findings[0].kind, LINT_HIDDEN);
	assert_int_equal(report.findings[0].rule, 2);
	assert_int_equal(report.findings[1].kind, LINT_HIDDEN); /* by the two together */
	assert_int_equal(report.findings[1].rule, 3);
	assert_int_equal(report.findings[1].by_count, 2);
	lint_report_free(&report);
	ruleset_free(&ruleset);
}

static void one_rule_can_be_asked_about_alone(void **state)
{
	struct lint_report report;
	struct ruleset *ruleset = parse("option essential off\n"
					"ingress default drop {\n"
					"pass tcp\n"
					"pass tcp to port 22 label a\n"
					"drop udp label b\n"
					"}\n",
					true);

	(void)state;
	lint_one(ruleset, FW_INGRESS, 1, &report);
	assert_int_equal(report.count, 1);
	assert_int_equal(report.findings[0].kind, LINT_HIDDEN);
	assert_int_equal(report.findings[0].taker, 0);
	lint_report_free(&report);
	lint_one(ruleset, FW_INGRESS, 2, &report);
	assert_int_equal(report.count, 0);
	lint_report_free(&report);
	ruleset_free(&ruleset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_enumeration_in_small_universes),
		cmocka_unit_test(finds_what_was_planted_among_a_thousand_rules_and_nothing_else),
		cmocka_unit_test(count_and_limiting_rules_hide_nothing),
		cmocka_unit_test(a_passing_limit_hides_what_follows),
		cmocka_unit_test(built_in_rules_hide_but_are_not_reported),
		cmocka_unit_test(lists_of_a_million_addresses_are_no_burden),
		cmocka_unit_test(one_rule_can_be_asked_about_alone),
	};

	return cmocka_run_group_tests(tests, random_seed, NULL);
}
