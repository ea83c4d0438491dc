// SPDX-License-Identifier: GPL-2.0-only
/* Counters across changes of the rules: they follow the identity, only grow, and none is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "prog_run.h"

static void apply_block(struct filter *filter, const char *rules)
{
	_cleanup_buffer_ struct buffer text = {};

	buffer_printf(&text, "option essential off\ningress default drop {\n%s\n}\n", rules);
	filter_apply(filter, buffer_text(&text));
}

static void feed(struct filter *filter, const char *name, unsigned times)
{
	struct frame frame = frame_named(name);

	while (times--)
		filter_run(filter, FW_INGRESS, &frame);
}

static uint64_t packets_of(struct filter *filter, const char *identity)
{
	return filter_rule(filter, FW_INGRESS, identity).packets;
}

static uint64_t total_of(struct filter *filter)
{
	struct hook_total total = filter_hook(filter, FW_INGRESS);

	return total.pass.packets + total.drop.packets;
}

static void label_keeps_its_counter_when_the_rule_changes(void **state)
{
	apply_block(*state, "pass tcp to port 22 label ssh");
	feed(*state, "tcp_syn", 3);
	apply_block(*state, "drop udp\n pass tcp to port 20-30 label ssh");
	feed(*state, "tcp_syn", 2);
	assert_int_equal(packets_of(*state, "ssh"), 5);
}

static void text_is_the_identity_without_a_label(void **state)
{
	apply_block(*state, "pass   udp to   port 53");
	feed(*state, "udp", 2);
	apply_block(*state, "drop tcp\npass udp to port 53");
	feed(*state, "udp", 1);
	assert_int_equal(packets_of(*state, "pass udp to port 53"), 3);
}

static void rule_that_returns_goes_on_counting(void **state)
{
	apply_block(*state, "pass tcp label back");
	feed(*state, "tcp_syn", 4);
	apply_block(*state, "pass udp");
	feed(*state, "tcp_syn", 1);
	assert_int_equal(packets_of(*state, "back"), 4);
	apply_block(*state, "pass tcp label back");
	feed(*state, "tcp_syn", 1);
	assert_int_equal(packets_of(*state, "back"), 5);
}

static void action_that_changes_moves_no_packet_from_pass_to_drop(void **state)
{
	struct hook_total before;

	apply_block(*state, "pass tcp label turn");
	before = filter_hook(*state, FW_INGRESS);
	feed(*state, "tcp_syn", 3);
	apply_block(*state, "drop tcp label turn");
	feed(*state, "tcp_syn", 2);
	assert_int_equal(packets_of(*state, "turn"), 5);
	assert_int_equal(filter_hook(*state, FW_INGRESS).pass.packets, before.pass.packets + 3);
	assert_int_equal(filter_hook(*state, FW_INGRESS).drop.packets, before.drop.packets + 2);
}

/* `count` all of `count` rules named PREFIX-n, then a rule that passes. */
static void apply_many(struct filter *filter, const char *prefix, unsigned count)
{
	_cleanup_buffer_ struct buffer text = {};

	for (unsigned i = 0; i < count; i++)
		buffer_printf(&text, "drop udp to port %u label %s-%u\n", 1000 + i, prefix, i);
	buffer_puts(&text, "pass tcp label kept");
	apply_block(filter, buffer_text(&text));
}

static void totals_survive_thousands_of_rules_that_come_and_go(void **state)
{
	uint64_t total, kept;

	apply_many(*state, "start", 1);
	total = total_of(*state);
	kept = packets_of(*state, "kept");
	for (unsigned round = 0; round < 8; round++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "round%u", round);
		apply_many(*state, prefix, 400);
		feed(*state, "tcp_syn", 2);
		feed(*state, "udp", 3);
		assert_int_equal(total_of(*state), total += 5);
		assert_int_equal(packets_of(*state, "kept"), kept += 2);
	}
}

/* More orphans than are kept: what the oldest counted stays in the hook's total. */
static void forgotten_rules_leave_their_packets_in_the_total(void **state)
{
	uint64_t total;

	apply_block(*state, "pass tcp label forgotten");
	feed(*state, "tcp_syn", 7);
	total = total_of(*state);
	for (unsigned round = 0; round < 4; round++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "flood%u", round);
		apply_many(*state, prefix, 900);
		assert_int_equal(total_of(*state), total);
	}
	assert_int_equal(packets_of(*state, "forgotten"), 0);
	apply_block(*state, "pass tcp label forgotten");
	feed(*state, "tcp_syn", 1);
	assert_int_equal(packets_of(*state, "forgotten"), 1);
	assert_int_equal(total_of(*state), total + 1);
}

/* An index that was another's starts at 0 for the rule that gets it. */
/* However many rules come and go: what a rule counted under an earlier action stays its own. */
static void rule_that_lives_keeps_what_it_counted_under_another_action(void **state)
{
	apply_block(*state, "pass tcp label turned");
	feed(*state, "tcp_syn", 5);
	for (unsigned round = 0; round < 4; round++) {
		_cleanup_buffer_ struct buffer rules = {};

		buffer_printf(&rules, "drop tcp label turned\n");
		for (unsigned i = 0; i < 900; i++)
			buffer_printf(&rules, "pass udp to port %u label turn%u-%u\n", i + 1, round,
				      i);
		apply_block(*state, buffer_text(&rules));
		assert_int_equal(packets_of(*state, "turned"), 5);
	}
}

static void reused_index_starts_at_zero(void **state)
{
	uint64_t total;

	apply_many(*state, "one", 900);
	feed(*state, "tcp_syn", 1);
	apply_many(*state, "two", 900);
	apply_many(*state, "three", 900);
	total = total_of(*state);
	for (unsigned i = 0; i < 900; i++) {
		char label[32];

		snprintf(label, sizeof(label), "three-%u", i);
		assert_int_equal(packets_of(*state, label), 0);
		i += 90;
	}
	assert_int_equal(total_of(*state), total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_keeps_its_counter_when_the_rule_changes),
		cmocka_unit_test(text_is_the_identity_without_a_label),
		cmocka_unit_test(rule_that_returns_goes_on_counting),
		cmocka_unit_test(action_that_changes_moves_no_packet_from_pass_to_drop),
		cmocka_unit_test(totals_survive_thousands_of_rules_that_come_and_go),
		cmocka_unit_test(forgotten_rules_leave_their_packets_in_the_total),
		cmocka_unit_test(rule_that_lives_keeps_what_it_counted_under_another_action),
		cmocka_unit_test(reused_index_starts_at_zero),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
