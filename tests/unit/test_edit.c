/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules put into a ruleset and taken out of it one by one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "language/language.h"

struct fixture {
	struct ruleset *ruleset;
	struct diagnostics diagnostics;
};

static int setup(void **state)
{
	static const char text[] = "define web = { 80, 443 }\nset admins { 192.0.2.1 }\n"
				   "ingress default drop {\n    pass tcp label a\n"
				   "    pass udp\n}\n";
	static const struct source_file file = { .path = "x",
						 .text = text,
						 .length = sizeof(text) - 1 };
	static struct fixture fixture;

	diagnostics_init(&fixture.diagnostics);
	*state = &fixture;
	return ruleset_parse_text(&file, &file_reader_system, &fixture.diagnostics,
				  &fixture.ruleset);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	ruleset_free(&fixture->ruleset);
	diagnostics_free(&fixture->diagnostics);
	return 0;
}

static int add(struct fixture *fixture, enum place_kind kind, const char *identity, size_t at,
	       const char *text)
{
	const struct rule_place place = {
		.hook = FW_INGRESS, .kind = kind, .index = at, .identity = identity
	};
	size_t index;
	int err = rule_parse_into(fixture->ruleset, &place, text, &fixture->diagnostics, &index);

	if (!err)
		assert_string_equal(
			rule_identity(&fixture->ruleset->blocks[FW_INGRESS].rules[index]), text);
	return err;
}

static void expect_rules(struct fixture *fixture, const char *const *texts)
{
	const struct block *block = &fixture->ruleset->blocks[FW_INGRESS];
	size_t i = block->builtin_count;

	for (; *texts; texts++, i++) {
		assert_true(i < block->count);
		assert_string_equal(block->rules[i].text, *texts);
	}
	assert_int_equal(i, block->count);
}

static void rules_go_where_they_are_told(void **state)
{
	static const char *const all[] = { "pass proto 1-2",
					   "pass tcp label a",
					   "pass proto 3-4",
					   "pass gre",
					   "pass udp",
					   "pass esp",
					   NULL };
	struct fixture *fixture = *state;
	size_t builtin = fixture->ruleset->blocks[FW_INGRESS].builtin_count;

	assert_int_equal(add(fixture, PLACE_END, NULL, 0, "pass esp"), 0);
	assert_int_equal(add(fixture, PLACE_BEFORE, "a", 0, "pass proto 1-2"), 0);
	assert_int_equal(add(fixture, PLACE_AFTER, "a", 0, "pass proto 3-4"), 0);
	assert_int_equal(add(fixture, PLACE_INDEX, NULL, builtin + 3, "pass gre"), 0);
	expect_rules(fixture, all);
}

static void names_of_the_ruleset_are_known(void **state)
{
	static const char *const all[] = { "pass tcp label a", "pass udp",
					   "pass from @admins to port $web", NULL };
	struct fixture *fixture = *state;
	const struct match *match;

	fixture->ruleset->sets[0].used = false;
	assert_int_equal(add(fixture, PLACE_END, NULL, 0, "pass from @admins to port $web"), 0);
	expect_rules(fixture, all);
	match = rule_find_match(&fixture->ruleset->blocks[FW_INGRESS]
					 .rules[fixture->ruleset->blocks[FW_INGRESS].count - 1],
				MATCH_SOURCE);
	assert_ptr_equal(match->addresses.sets[0], &fixture->ruleset->sets[0]);
	assert_true(fixture->ruleset->sets[0].used);
	assert_true(fixture->ruleset->defines[0].used);
}

static void expect_refused(struct fixture *fixture, enum place_kind kind, const char *identity,
			   size_t at, const char *text)
{
	static const char *const all[] = { "pass tcp label a", "pass udp", NULL };
	size_t files = fixture->ruleset->file_count;
	size_t errors = fixture->diagnostics.error_count;

	assert_int_equal(add(fixture, kind, identity, at, text), -EINVAL);
	assert_true(fixture->diagnostics.error_count > errors);
	assert_string_equal(fixture->diagnostics.items[fixture->diagnostics.count - 1].path,
			    "<command line>");
	assert_int_equal(fixture->ruleset->file_count, files);
	expect_rules(fixture, all);
}

static void a_wrong_rule_changes_nothing(void **state)
{
	struct fixture *fixture = *state;

	expect_refused(fixture, PLACE_END, NULL, 0, "pass tcp to port 65536");
	expect_refused(fixture, PLACE_END, NULL, 0, "");
	expect_refused(fixture, PLACE_END, NULL, 0, "pass gre\npass esp");
	expect_refused(fixture, PLACE_END, NULL, 0, "pass from @nobody");
	expect_refused(fixture, PLACE_END, NULL, 0, "pass gre }");
	expect_refused(fixture, PLACE_END, NULL, 0, "pass to {");
	expect_refused(fixture, PLACE_END, NULL, 0, "pass gre label a");
	expect_refused(fixture, PLACE_END, NULL, 0, "pass gre label builtin:arp");
	expect_refused(fixture, PLACE_END, NULL, 0, "pass udp");
	expect_refused(fixture, PLACE_BEFORE, "nobody", 0, "pass gre");
	expect_refused(fixture, PLACE_INDEX, NULL, 0, "pass gre");
	expect_refused(fixture, PLACE_INDEX, NULL, 1000, "pass gre");
	expect_refused(fixture, PLACE_BEFORE, "builtin:arp", 0, "pass gre");
}

static void a_hook_without_block_takes_no_rule(void **state)
{
	const struct rule_place place = { .hook = FW_EGRESS };
	struct fixture *fixture = *state;
	size_t index;

	assert_int_equal(
		rule_parse_into(fixture->ruleset, &place, "pass", &fixture->diagnostics, &index),
		-EINVAL);
	assert_string_equal(fixture->diagnostics.items[fixture->diagnostics.count - 1].text,
			    "the rules have no egress block");
}

static void rules_can_be_taken_out(void **state)
{
	static const char *const left[] = { "pass udp", NULL };
	struct fixture *fixture = *state;
	size_t index;

	assert_int_equal(rule_find(fixture->ruleset, FW_INGRESS, "a", &index), 0);
	assert_int_equal(rule_remove(fixture->ruleset, FW_INGRESS, index), 0);
	expect_rules(fixture, left);
	assert_int_equal(rule_find(fixture->ruleset, FW_INGRESS, "a", &index), -ENOENT);
	assert_int_equal(rule_find(fixture->ruleset, FW_INGRESS, "pass udp", &index), 0);
	assert_int_equal(rule_remove(fixture->ruleset, FW_INGRESS, 0), -EPERM);
	assert_int_equal(rule_remove(fixture->ruleset, FW_INGRESS, index + 1), -ENOENT);
	assert_int_equal(rule_remove(fixture->ruleset, FW_EGRESS, 0), -ENOENT);
}

static void a_changed_ruleset_prints_what_parses_to_it(void **state)
{
	struct fixture *fixture = *state;
	struct buffer text = { 0 }, again = { 0 };
	struct ruleset *ruleset;
	struct source_file file = { .path = "again" };

	assert_int_equal(add(fixture, PLACE_AFTER, "a", 0, "drop to port { $web, 22 }"), 0);
	ruleset_print(fixture->ruleset, &text);
	file.text = buffer_text(&text);
	file.length = text.length;
	assert_int_equal(
		ruleset_parse_text(&file, &file_reader_system, &fixture->diagnostics, &ruleset), 0);
	ruleset_print(ruleset, &again);
	assert_string_equal(buffer_text(&again), buffer_text(&text));
	ruleset_free(&ruleset);
	buffer_free(&text);
	buffer_free(&again);
}

static void a_rule_is_known_by_any_spelling(void **state)
{
	struct fixture *fixture = *state;
	size_t count = fixture->ruleset->blocks[FW_INGRESS].count;
	size_t files = fixture->ruleset->file_count;
	const char *text = NULL;

	assert_int_equal(rule_text_canonical(fixture->ruleset,
					     "pass   udp from @admins to port {$web}", &text),
			 0);
	assert_string_equal(text, "pass udp from @admins to port $web");
	assert_int_equal(rule_text_canonical(fixture->ruleset, "pass  udp", &text), 0);
	assert_string_equal(text, "pass udp");
	assert_int_equal(rule_text_canonical(fixture->ruleset, "a", &text), -EINVAL);
	assert_int_equal(rule_text_canonical(fixture->ruleset, "pass udp pass tcp", &text),
			 -EINVAL);
	assert_string_equal(text, "pass udp");
	assert_int_equal(fixture->ruleset->blocks[FW_INGRESS].count, count);
	assert_int_equal(fixture->ruleset->file_count, files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rules_go_where_they_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(names_of_the_ruleset_are_known, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wrong_rule_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hook_without_block_takes_no_rule, setup,
						teardown),
		cmocka_unit_test_setup_teardown(rules_can_be_taken_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rule_is_known_by_any_spelling, setup, teardown),
		cmocka_unit_test_setup_teardown(a_changed_ruleset_prints_what_parses_to_it, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
