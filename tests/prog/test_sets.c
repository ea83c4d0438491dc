// SPDX-License-Identifier: GPL-2.0-only
/* vm: long */
/* Live sets through the real programs, one behaviour a test. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/internal.h"
#include "set_run.h"

static void an_element_counts_from_when_it_is_added_until_it_is_deleted(void **state)
{
	struct filter *filter = *state;

	filter_apply(filter, "set s1 live\ningress default pass {\n drop from @s1\n}\n");
	assert_int_equal(packet_run_text(filter, "10.0.0.1"), FW_VERDICT_PASS);
	assert_int_equal(set_add_text(filter, "s1", "10.0.0.1", 0), 0);
	assert_int_equal(packet_run_text(filter, "10.0.0.1"), FW_VERDICT_DROP);
	assert_int_equal(packet_run_text(filter, "10.0.0.2"), FW_VERDICT_PASS);
	set_delete_text(filter, "s1", "10.0.0.1");
	assert_int_equal(packet_run_text(filter, "10.0.0.1"), FW_VERDICT_PASS);
}

static void not_in_a_set_holds_for_both_families(void **state)
{
	struct filter *filter = *state;

	filter_apply(filter, "set s2 live { 10.0.0.0/8 }\n"
			     "ingress default pass {\n drop from not @s2\n}\n");
	assert_int_equal(packet_run_text(filter, "10.0.0.1"), FW_VERDICT_PASS);
	assert_int_equal(packet_run_text(filter, "11.0.0.1"), FW_VERDICT_DROP);
	assert_int_equal(packet_run_text(filter, "2001:db8::1"), FW_VERDICT_DROP);
	assert_int_equal(set_add_text(filter, "s2", "2001:db8::/64", 0), 0);
	assert_int_equal(packet_run_text(filter, "2001:db8::1"), FW_VERDICT_PASS);
	assert_int_equal(packet_run_text(filter, "2001:db8:0:1::1"), FW_VERDICT_DROP);
}

static void a_longer_prefix_hides_no_shorter_one_of_another_set(void **state)
{
	struct filter *filter = *state;

	filter_apply(filter, "set wide live\nset narrow live\n"
			     "ingress default pass {\n drop from @wide\n}\n"
			     "egress default pass {\n drop from @narrow\n}\n");
	assert_int_equal(set_add_text(filter, "wide", "10.0.0.0/8", 0), 0);
	assert_int_equal(set_add_text(filter, "narrow", "10.0.0.0/24", 0), 0);
	assert_int_equal(set_add_text(filter, "narrow", "10.0.0.1", 0), 0);
	assert_int_equal(packet_run_text(filter, "10.0.0.1"), FW_VERDICT_DROP);
	assert_int_equal(packet_run_text(filter, "10.0.1.1"), FW_VERDICT_DROP);
}

static void an_expired_longer_prefix_hides_no_shorter_one(void **state)
{
	struct filter *filter = *state;
	uint32_t past = boot_seconds();
	char text[32];

	filter_apply(filter, "set s4 live\ningress default pass {\n drop from @s4\n}\n");
	assert_int_equal(set_add_text(filter, "s4", "0.0.0.0/0", 0), 0);
	for (int length = 1; length <= 32; length++) {
		snprintf(text, sizeof(text), "128.0.0.0/%d", length);
		assert_int_equal(set_add_text(filter, "s4", text, past), 0);
	}
	assert_int_equal(packet_run_text(filter, "128.0.0.0"), FW_VERDICT_DROP);
	set_delete_text(filter, "s4", "0.0.0.0/0");
	assert_int_equal(packet_run_text(filter, "128.0.0.0"), FW_VERDICT_PASS);
}

static void an_element_expires_to_the_second(void **state)
{
	struct filter *filter = *state;
	uint32_t expires = boot_expiry(1);

	filter_apply(filter, "set s5 live\ningress default pass {\n drop from @s5\n}\n");
	assert_int_equal(set_add_text(filter, "s5", "10.0.0.1", expires), 0);
	assert_int_equal(set_add_text(filter, "s5", "10.1.0.0/16", expires), 0);
	while (boot_seconds() < expires) {
		enum fw_verdict host = packet_run_text(filter, "10.0.0.1");
		enum fw_verdict net = packet_run_text(filter, "10.1.0.1");

		if (boot_seconds() < expires) {
			assert_int_equal(host, FW_VERDICT_DROP);
			assert_int_equal(net, FW_VERDICT_DROP);
		}
		usleep(1000);
	}
	usleep(50000); /* they read the clock once a tick */
	assert_int_equal(packet_run_text(filter, "10.0.0.1"), FW_VERDICT_PASS);
	assert_int_equal(packet_run_text(filter, "10.1.0.1"), FW_VERDICT_PASS);
}

static void elements_that_have_expired_are_counted_apart(void **state)
{
	struct filter *filter = *state;
	struct live_set set;

	filter_apply(filter, "set aging live\ningress default pass {\n drop from @aging\n}\n");
	assert_int_equal(set_add_text(filter, "aging", "10.0.0.1", 0), 0);
	assert_int_equal(set_add_text(filter, "aging", "2001:db8::/64", boot_expiry(1000)), 0);
	set = set_named(filter, "aging");
	assert_int_equal(dataplane_set_count(filter->dataplane, &set), 0);
	assert_int_equal(set.count, 2);
	assert_int_equal(set.expired, 0);
	assert_int_equal(set_add_text(filter, "aging", "10.0.0.2", boot_seconds()), 0);
	assert_int_equal(set_add_text(filter, "aging", "10.1.0.0/16", 1), 0);
	set = set_named(filter, "aging");
	assert_int_equal(dataplane_set_count(filter->dataplane, &set), 0);
	assert_int_equal(set.count, 2);
	assert_int_equal(set.expired, 2);
}

static bool asks(struct filter *filter, enum fw_hook hook)
{
	return maps_active(&filter->dataplane->maps) &
	       (FW_ACTIVE_ASKS_SETS(hook, FW_INET) | FW_ACTIVE_ASKS_SETS(hook, FW_INET6));
}

static void packets_ask_only_where_a_set_holds_something(void **state)
{
	struct filter *filter = *state;
	struct live_set set;

	filter_apply(filter, "set in live\nset out live\nset idle live { 10.0.0.9 }\n"
			     "ingress default pass {\n drop from @in\n}\n"
			     "egress default pass {\n drop to @out\n}\n");
	assert_false(asks(filter, FW_INGRESS) || asks(filter, FW_EGRESS));
	assert_int_equal(set_add_text(filter, "in", "2001:db8::/64", 0), 0);
	assert_true(asks(filter, FW_INGRESS) && !asks(filter, FW_EGRESS));
	assert_int_equal(packet_run_text(filter, "2001:db8::1"), FW_VERDICT_DROP);
	assert_int_equal(set_add_text(filter, "out", "10.0.0.1", 0), 0);
	assert_true(asks(filter, FW_INGRESS) && asks(filter, FW_EGRESS));
	set_delete_text(filter, "in", "2001:db8::/64");
	assert_true(!asks(filter, FW_INGRESS) && asks(filter, FW_EGRESS));
	set = set_named(filter, "out");
	assert_int_equal(dataplane_set_flush(filter->dataplane, &set), 0);
	assert_false(asks(filter, FW_INGRESS) || asks(filter, FW_EGRESS));
	/* Rules that are new find what is in a set that is not. */
	filter_apply(filter, "set idle live\negress default pass {\n drop from @idle\n}\n");
	assert_true(!asks(filter, FW_INGRESS) && asks(filter, FW_EGRESS));
}

static void a_full_set_refuses_and_evicts_nothing_but_what_has_expired(void **state)
{
	struct filter *filter = *state;

	filter_apply(filter, "set s6 live size 3\ningress default pass {\n drop from @s6\n}\n");
	assert_int_equal(set_add_text(filter, "s6", "10.0.0.1", 0), 0);
	assert_int_equal(set_add_text(filter, "s6", "10.0.1.0/24", 0), 0);
	assert_int_equal(set_add_text(filter, "s6", "2001:db8::1", 0), 0);
	assert_int_equal(set_add_text(filter, "s6", "10.0.0.2", 0), -ENOSPC);
	assert_non_null(strstr(dataplane_error(filter->dataplane), "holds 3 of at most 3"));
	assert_int_equal(set_named(filter, "s6").refused, 1);
	/* Those that are in can be renewed. */
	assert_int_equal(set_add_text(filter, "s6", "10.0.0.1", boot_seconds()), 0);
	assert_int_equal(set_add_text(filter, "s6", "10.0.0.2", 0), 0);
	assert_int_equal(packet_run_text(filter, "10.0.0.1"), FW_VERDICT_PASS);
	assert_int_equal(packet_run_text(filter, "10.0.0.2"), FW_VERDICT_DROP);
	assert_int_equal(packet_run_text(filter, "10.0.1.2"), FW_VERDICT_DROP);
	assert_int_equal(packet_run_text(filter, "2001:db8::1"), FW_VERDICT_DROP);
}

static void packets_are_counted_on_elements_of_a_set_with_counters_only(void **state)
{
	struct filter *filter = *state;
	struct set_elements elements = { 0 };
	struct live_set set;

	filter_apply(filter, "set with live counters\nset without live\n"
			     "ingress default pass {\n drop from @with\n drop from @without\n}\n");
	assert_int_equal(set_add_text(filter, "with", "10.0.0.0/24", 0), 0);
	assert_int_equal(set_add_text(filter, "without", "10.0.0.1", 0), 0);
	packet_run_text(filter, "10.0.0.1");
	packet_run_text(filter, "10.0.0.1");
	/* Another time for the same element keeps what it counted. */
	assert_int_equal(set_add_text(filter, "with", "10.0.0.0/24", boot_expiry(100)), 0);
	set = set_named(filter, "with");
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &elements), 0);
	assert_int_equal(elements.count, 1);
	assert_int_equal(elements.items[0].packets, 2);
	assert_int_equal(elements.items[0].bytes, 2 * PACKET_LENGTH);
	set_elements_free(&elements);
	set = set_named(filter, "without");
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &elements), 0);
	assert_int_equal(elements.items[0].packets, 0);
	set_elements_free(&elements);
}

static void elements_and_counts_outlive_generations_and_sizes(void **state)
{
	struct filter *filter = *state;
	struct set_elements elements = { 0 };
	struct live_set set;
	char text[32];

	filter_apply(filter,
		     "set s8 live size 100 counters\ningress default pass {\n drop from @s8\n}\n");
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), i & 1 ? "10.0.0.%d" : "2001:db8::%d", i);
		assert_int_equal(set_add_text(filter, "s8", text, 0), 0);
	}
	packet_run_text(filter, "10.0.0.1");
	/* Another order of sets, larger, then smaller than what is in it. */
	filter_apply(filter, "set t live\nset s8 live size 5000 counters\n"
			     "ingress default pass {\n drop from @t\n drop from @s8\n}\n");
	packet_run_text(filter, "10.0.0.1");
	filter_apply(filter,
		     "set s8 live size 10 counters\ningress default pass {\n drop from @s8\n}\n");
	assert_int_equal(packet_run_text(filter, "10.0.0.1"), FW_VERDICT_DROP);
	assert_int_equal(packet_run_text(filter, "2001:db8::98"), FW_VERDICT_DROP);
	set = set_named(filter, "s8");
	assert_int_equal(set.count, 100);
	assert_int_equal(set_add_text(filter, "s8", "10.0.0.200", 0), -ENOSPC);
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &elements), 0);
	assert_int_equal(elements.count, 100);
	assert_int_equal(elements.items[0].packets, 3);
	set_elements_free(&elements);
}

/* So many sets in so many rules, of a data plane whose slots are all free. */
static void many_sets_are_told_apart(int sets, int rules)
{
	struct filter own = { 0 };
	char *text = NULL, *error = NULL, address[64], label[16];
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	assert_int_equal(dataplane_open_private(FW_IMAGE_SIZE_1, &own.dataplane, &error), 0);
	for (int i = 0; i < sets; i++)
		fprintf(stream, "set s%d live { 10.0.%d.0/24, 2001:db8:%x::1 }\n", i, i, i);
	fprintf(stream, "ingress default pass {\n");
	for (int i = 0; i < rules; i++) {
		fprintf(stream, " %s from { @s%d", i & 1 ? "drop" : "pass", i * (sets / rules));
		for (int j = 1; j < sets / rules; j++)
			fprintf(stream, ", @s%d", i * (sets / rules) + j);
		fprintf(stream, " } label r%d\n", i);
	}
	fprintf(stream, "}\n");
	fclose(stream);
	filter_apply(&own, text);
	for (int i = 0; i < sets; i++) {
		int rule = i / (sets / rules);
		enum fw_verdict expected = rule & 1 ? FW_VERDICT_DROP : FW_VERDICT_PASS;
		uint64_t before;

		snprintf(label, sizeof(label), "r%d", rule);
		before = filter_rule(&own, FW_INGRESS, label).packets;
		snprintf(address, sizeof(address), "10.0.%d.7", i);
		assert_int_equal(packet_run_text(&own, address), expected);
		snprintf(address, sizeof(address), "2001:db8:%x::1", i);
		assert_int_equal(packet_run_text(&own, address), expected);
		assert_int_equal(filter_rule(&own, FW_INGRESS, label).packets, before + 2);
	}
	free(text);
	ruleset_free(&own.ruleset);
	dataplane_close(&own.dataplane);
}

static void sixty_four_sets_are_told_apart(void **state)
{
	(void)state;
	many_sets_are_told_apart(FW_MAX_LIVE_SETS, 8);
	many_sets_are_told_apart(FW_MAX_LIVE_SETS, FW_MAX_LIVE_SETS);
}

static void a_replacement_touches_only_what_differs(void **state)
{
	struct filter *filter = *state;
	struct set_elements elements = { 0 };
	struct set_change change;
	struct set_element element;
	struct live_set set;
	char text[32];

	filter_apply(filter, "set s10 live counters\ningress default pass {\n drop from @s10\n}\n");
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "10.0.%d.0/24", i);
		assert_int_equal(set_add_text(filter, "s10", text, 0), 0);
	}
	packet_run_text(filter, "10.0.99.1");
	for (int i = 40; i < 140; i++) {
		snprintf(text, sizeof(text), "10.0.%d.0/24", i);
		element = element_of(text, 0);
		set_elements_add(&elements, &element);
	}
	set = set_named(filter, "s10");
	set_elements_unite(&elements);
	assert_int_equal(dataplane_set_replace(filter->dataplane, &set, &elements, false, &change),
			 0);
	assert_int_equal(change.added, 40);
	assert_int_equal(change.deleted, 40);
	assert_int_equal(change.kept, 60);
	assert_int_equal(packet_run_text(filter, "10.0.139.1"), FW_VERDICT_DROP);
	assert_int_equal(packet_run_text(filter, "10.0.39.1"), FW_VERDICT_PASS);
	/* Most of it gone: somebody's download failed. */
	elements.count = 40;
	assert_int_equal(dataplane_set_replace(filter->dataplane, &set, &elements, false, &change),
			 -EDOM);
	assert_int_equal(packet_run_text(filter, "10.0.139.1"), FW_VERDICT_DROP);
	assert_int_equal(dataplane_set_replace(filter->dataplane, &set, &elements, true, &change),
			 0);
	assert_int_equal(packet_run_text(filter, "10.0.139.1"), FW_VERDICT_PASS);
	set_elements_free(&elements);
	assert_int_equal(dataplane_set_read(filter->dataplane, &set, &elements), 0);
	assert_int_equal(elements.count, 40);
	set_elements_free(&elements);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_element_counts_from_when_it_is_added_until_it_is_deleted),
		cmocka_unit_test(not_in_a_set_holds_for_both_families),
		cmocka_unit_test(a_longer_prefix_hides_no_shorter_one_of_another_set),
		cmocka_unit_test(an_expired_longer_prefix_hides_no_shorter_one),
		cmocka_unit_test(an_element_expires_to_the_second),
		cmocka_unit_test(elements_that_have_expired_are_counted_apart),
		cmocka_unit_test(packets_ask_only_where_a_set_holds_something),
		cmocka_unit_test(a_full_set_refuses_and_evicts_nothing_but_what_has_expired),
		cmocka_unit_test(packets_are_counted_on_elements_of_a_set_with_counters_only),
		cmocka_unit_test(elements_and_counts_outlive_generations_and_sizes),
		cmocka_unit_test(sixty_four_sets_are_told_apart),
		cmocka_unit_test(a_replacement_touches_only_what_differs),
	};

	if (needs_root())
		return 77;
	return cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
