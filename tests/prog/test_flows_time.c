// SPDX-License-Identifier: GPL-2.0-only
/* vm: long */
/* How long flows are kept, and where their packets are counted. */
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <time.h>

#include "dataplane/flow_internal.h"
#include "talk_run.h"

static struct fw_flow_key key_of(const struct talk *talk)
{
	struct fw_flow_key key = {
		.lower_port = talk->port,
		.upper_port = 80,
		.family = talk->inet6 ? FW_INET6 : FW_INET,
		.protocol = talk->protocol,
	};

	if (talk->inet6) {
		key.lower[0] = key.upper[0] = 0x20010db8;
		key.lower[3] = TALK_CLIENT;
		key.upper[3] = TALK_SERVER;
	} else {
		key.lower[0] = TALK_CLIENT;
		key.upper[0] = TALK_SERVER;
	}
	return key;
}

static int table_open(struct filter *filter, enum fw_flow_table table)
{
	int fd = flow_place_open(filter->dataplane->maps.flow_tables, table);

	assert_true(fd >= 0);
	return fd;
}

static struct fw_flow_entry entry_of(const struct talk *talk, enum fw_flow_table table)
{
	_cleanup_close_ int fd = table_open(talk->filter, table);
	struct fw_flow_key key = key_of(talk);
	struct fw_flow_entry entry;

	assert_int_equal(bpf_map_lookup_elem(fd, &key, &entry), 0);
	return entry;
}

static uint32_t boot_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint32_t)now.tv_sec;
}

static void assert_left(const struct talk *talk, enum fw_flow_table table, uint32_t seconds)
{
	uint32_t expires = entry_of(talk, table).expires, now = boot_seconds();

	assert_in_range(expires, now + seconds - 30, now + seconds);
}

static void flows_are_kept_as_long_as_the_options_say(void **state)
{
	struct talk talk;

	filter_apply(*state,
		     "option essential off\noption timeout tcp-opening 100s\n"
		     "option timeout tcp-established 200s\noption timeout tcp-closing 300s\n"
		     "option timeout tcp-closed 400s\noption timeout udp-unreplied 500s\n"
		     "option timeout udp-replied 600s\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet sent, answer;

		assert_int_equal(SEGMENT('C', SYN, 100), KEPT);
		assert_left(&talk, FW_FLOWS_HALF_OPEN, 100);
		assert_int_equal(SEGMENT('S', SYN | ACK, 5000, 101), ESTABLISHED);
		assert_left(&talk, FW_FLOWS_HALF_OPEN, 100);
		assert_int_equal(SEGMENT('C', ACK, 101, 5001), ESTABLISHED);
		assert_left(&talk, FW_FLOWS_ASSURED, 200);
		assert_int_equal(SEGMENT('C', FIN, 101, 5001), ESTABLISHED);
		assert_left(&talk, FW_FLOWS_ASSURED, 300);
		assert_int_equal(SEGMENT('S', FIN, 5001, 102), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 102, 5002), ESTABLISHED);
		assert_left(&talk, FW_FLOWS_ASSURED, 400);
		talk.protocol = IPPROTO_UDP;
		sent = talk_packet_of(&talk, false);
		answer = talk_packet_of(&talk, true);
		assert_int_equal(talk_say(&talk, 'C', &sent), KEPT);
		assert_left(&talk, FW_FLOWS_HALF_OPEN, 500);
		assert_int_equal(talk_say(&talk, 'S', &answer), ESTABLISHED);
		assert_left(&talk, FW_FLOWS_HALF_OPEN, 600);
	}
}

/* Time passes by setting the clock that is compared with: that of the entry. */
static void expire(const struct talk *talk, enum fw_flow_table table)
{
	_cleanup_close_ int fd = table_open(talk->filter, table);
	struct fw_flow_entry entry = entry_of(talk, table);
	struct fw_flow_key key = key_of(talk);

	entry.expires = boot_seconds() - 2; /* the programs may be late by one */
	assert_int_equal(bpf_map_update_elem(fd, &key, &entry, BPF_EXIST), 0);
}

static void an_expired_flow_is_absent_and_makes_room(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct flow_totals before = talk_totals(*state), after;

		talk_shake_hands(&talk);
		expire(&talk, FW_FLOWS_ASSURED);
		assert_int_equal(SEGMENT('S', ACK, 5001, 101, 10), DROPPED);
		talk_shake_hands(&talk);
		after = talk_totals(*state);
		assert_int_equal(after.tables[FW_FLOWS_ASSURED].inserted,
				 before.tables[FW_FLOWS_ASSURED].inserted + 2);
		assert_int_equal(after.tables[FW_FLOWS_ASSURED].deleted,
				 before.tables[FW_FLOWS_ASSURED].deleted + 1);
		assert_int_equal(after.tables[FW_FLOWS_ASSURED].evicted, 0);
	}
}

static void packets_are_counted_where_their_direction_was_first_seen(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct fw_flow_entry entry;
		struct talk_packet sent;

		talk.protocol = IPPROTO_UDP;
		sent = talk_packet_of(&talk, false);
		/* Routed: each packet crosses both hooks. */
		for (int i = 0; i < 3; i++) {
			assert_int_equal(talk_run(*state, FW_INGRESS, &sent),
					 i ? ESTABLISHED : KEPT);
			assert_int_equal(talk_run(*state, FW_EGRESS, &sent), ESTABLISHED);
		}
		entry = entry_of(&talk, FW_FLOWS_HALF_OPEN);
		assert_int_equal(entry.sides[FW_FLOW_ORIGINATOR].packets, 3);
		assert_int_equal(entry.sides[FW_FLOW_RESPONDER].packets, 0);
		assert_int_equal(entry.hook, FW_INGRESS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_kept_as_long_as_the_options_say),
		cmocka_unit_test(an_expired_flow_is_absent_and_makes_room),
		cmocka_unit_test(packets_are_counted_where_their_direction_was_first_seen),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
