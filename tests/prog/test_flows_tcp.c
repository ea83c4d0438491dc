// SPDX-License-Identifier: GPL-2.0-only
/* vm: long */
/* TCP through the real programs: from handshake to TIME_WAIT, and what does not belong to it. */
#include <netinet/in.h>

#include "talk_run.h"

static void a_connection_lives_from_handshake_to_half_close(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\noption flows 4096\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct flow_totals before = talk_totals(*state), after;

		talk_shake_hands(&talk);
		assert_int_equal(SEGMENT('C', ACK, 101, 5001, 500), ESTABLISHED);
		assert_int_equal(SEGMENT('S', ACK, 5001, 601, 900), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 601, 5901), ESTABLISHED);
		/* The client has said all; the server has not. */
		assert_int_equal(SEGMENT('C', FIN, 601, 5901), ESTABLISHED);
		assert_int_equal(SEGMENT('S', ACK, 5901, 602, 700), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 602, 6601), ESTABLISHED);
		assert_int_equal(SEGMENT('S', FIN, 6601, 602), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 602, 6602), ESTABLISHED);
		/* Was lost, and is sent again. */
		assert_int_equal(SEGMENT('S', FIN, 6601, 602), ESTABLISHED);
		after = talk_totals(*state);
		assert_int_equal(after.tables[FW_FLOWS_HALF_OPEN].inserted,
				 before.tables[FW_FLOWS_HALF_OPEN].inserted + 1);
		assert_int_equal(after.tables[FW_FLOWS_HALF_OPEN].deleted,
				 before.tables[FW_FLOWS_HALF_OPEN].deleted + 1);
		assert_int_equal(after.tables[FW_FLOWS_ASSURED].inserted,
				 before.tables[FW_FLOWS_ASSURED].inserted + 1);
		/* The same ports again, from TIME_WAIT, by a new connection. */
		assert_int_equal(SEGMENT('C', SYN, 900000), KEPT);
		assert_int_equal(SEGMENT('S', SYN | ACK, 770000, 900001), ESTABLISHED);
		assert_int_equal(SEGMENT('S', ACK, 6602, 602), DROPPED);
	}
}

static void what_was_not_recorded_is_new(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		assert_int_equal(SEGMENT('S', SYN | ACK, 5000, 101), DROPPED);
		assert_int_equal(SEGMENT('S', ACK, 5000, 101), DROPPED);
		/* Without pick-up nothing is recorded in the middle of a connection. */
		assert_int_equal(SEGMENT('C', ACK, 101, 5001, 10), KEPT);
		assert_int_equal(SEGMENT('S', ACK, 5001, 111), DROPPED);
	}
}

/* Rules without state ran for a while: the connection has gone on unseen. */
static void a_connection_that_nobody_followed_goes_on(void **state)
{
	const char *const rules = "option essential off\n" TALK_BLOCKS;
	struct talk talk;

	filter_apply(*state, rules);
	FOR_ALL_TALKS(&talk)
	{
		talk_shake_hands(&talk);
		filter_apply(*state, "ingress default pass {\n}\negress default pass {\n}\n");
		filter_apply(*state, rules);
		assert_int_equal(SEGMENT('S', ACK, 5001 + 3000000, 101 + 50000, 10), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 101 + 50000, 5011 + 3000000), ESTABLISHED);
	}
}

static void segments_out_of_the_window_change_nothing(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct flow_totals before = talk_totals(*state);

		talk_shake_hands(&talk);
		assert_int_equal(SEGMENT('S', ACK, 5001 + 3000000, 101, 10), DROPPED);
		assert_int_equal(SEGMENT('S', ACK, 5001, 101 + 50000, 10), DROPPED);
		assert_int_equal(SEGMENT('S', RST, 5001 + 3000000), DROPPED);
		assert_int_equal(SEGMENT('S', RST, 5001 - 3000000), DROPPED);
		assert_int_equal(SEGMENT('S', 0, 5001), DROPPED);
		assert_int_equal(talk_totals(*state).refused, before.refused + 5);
		/* Within the window, but not exact: its receiver will challenge it (RFC 5961). */
		assert_int_equal(SEGMENT('S', RST, 5001 + 300), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 101, 5001, 10), ESTABLISHED);
		assert_int_equal(SEGMENT('C', SYN, 777777), ESTABLISHED);
		assert_int_equal(SEGMENT('S', ACK, 5001, 111), ESTABLISHED);
		/* The exact one closes: a new SYN is then a new connection. */
		assert_int_equal(SEGMENT('S', RST, 5001), ESTABLISHED);
		assert_int_equal(SEGMENT('C', SYN, 777777), KEPT);
	}
}

static void windows_are_scaled_if_both_sides_can(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet syn = talk_packet_of(&talk, false),
				   answer = talk_packet_of(&talk, true);
		bool both = talk.port & 4;

		syn.flags = SYN;
		syn.sequence = 100;
		syn.scale = 7;
		answer.flags = SYN | ACK;
		answer.sequence = 5000;
		answer.acknowledgement = 101;
		answer.scale = both ? 7 : TALK_NO_SCALE;
		assert_int_equal(talk_say(&talk, 'C', &syn), KEPT);
		assert_int_equal(talk_say(&talk, 'S', &answer), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 101, 5001), ESTABLISHED);
		/* The client offers 1000, or 128000. */
		assert_int_equal(SEGMENT('S', ACK, 5001 + 100000, 101, 10),
				 both ? ESTABLISHED : DROPPED);
		assert_int_equal(SEGMENT('S', ACK, 5001 + 200000, 101, 10), DROPPED);
	}
}

static void both_may_open_at_the_same_time(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		assert_int_equal(SEGMENT('C', SYN, 100), KEPT);
		assert_int_equal(SEGMENT('S', SYN, 5000), ESTABLISHED);
		assert_int_equal(SEGMENT('C', SYN | ACK, 100, 5001), ESTABLISHED);
		assert_int_equal(SEGMENT('S', SYN | ACK, 5000, 101), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 101, 5001, 7), ESTABLISHED);
		assert_int_equal(SEGMENT('S', ACK, 5001, 108, 7), ESTABLISHED);
	}
}

static void who_refuses_has_seen_the_syn(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		assert_int_equal(SEGMENT('C', SYN, 100), KEPT);
		assert_int_equal(SEGMENT('S', SYN | ACK, 5000, 9999), DROPPED);
		assert_int_equal(SEGMENT('S', RST | ACK, 0, 9999), DROPPED);
		assert_int_equal(SEGMENT('S', RST | ACK, 0, 101), ESTABLISHED);
		assert_int_equal(SEGMENT('C', SYN, 100), KEPT);
	}
}

/* Both ends have lost a connection, and nothing told the filter: conntrack's case as well. */
static void a_successor_takes_over_where_the_end_was_not_seen(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		talk_shake_hands(&talk);
		assert_int_equal(SEGMENT('C', SYN, 900000), ESTABLISHED);
		assert_int_equal(SEGMENT('S', SYN | ACK, 770000, 900001), ESTABLISHED);
		assert_int_equal(SEGMENT('S', ACK, 5001, 101), DROPPED);
		assert_int_equal(SEGMENT('C', ACK, 900001, 770001, 10), ESTABLISHED);
		assert_int_equal(SEGMENT('S', ACK, 770001, 900011, 10), ESTABLISHED);
		/* And once more; this time nobody listens. */
		assert_int_equal(SEGMENT('C', SYN, 40000), ESTABLISHED);
		assert_int_equal(SEGMENT('S', RST | ACK, 0, 40001), ESTABLISHED);
		assert_int_equal(SEGMENT('C', SYN, 50000), KEPT);
	}
}

/* Of a segment in fragments only the first is seen: it may have 64K, or nothing more. */
static void fragments_do_not_push_out_what_is_sent_again(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet first = talk_packet_of(&talk, true);

		talk_shake_hands(&talk);
		assert_int_equal(SEGMENT('S', ACK, 5001, 101, 1000), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 101, 6001), ESTABLISHED);
		first.flags = ACK;
		first.sequence = 6001;
		first.acknowledgement = 101;
		first.payload = 800;
		first.more = true;
		first.fragment_id = talk.port;
		assert_int_equal(talk_say(&talk, 'S', &first), ESTABLISHED);
		assert_int_equal(SEGMENT('S', ACK, 5001, 101, 100), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 101, 9001), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 101, 6001 + 70000, 1), KEPT);
	}
}

/* Who forges his address never learns the server's number, and stays half-open. */
static void a_guessed_acknowledgement_assures_nothing(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		uint64_t assured = talk_totals(*state).tables[FW_FLOWS_ASSURED].inserted;

		assert_int_equal(SEGMENT('C', SYN, 100), KEPT);
		assert_int_equal(SEGMENT('S', SYN | ACK, 5000, 101), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 101, 4000), KEPT);
		assert_int_equal(SEGMENT('C', ACK, 101, 6000), KEPT);
		assert_int_equal(talk_totals(*state).tables[FW_FLOWS_ASSURED].inserted, assured);
		assert_int_equal(SEGMENT('C', ACK, 101, 5001), ESTABLISHED);
		assert_int_equal(talk_totals(*state).tables[FW_FLOWS_ASSURED].inserted,
				 assured + 1);
	}
}

static void with_pickup_connections_are_recorded_in_their_middle(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\noption pickup on\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		assert_int_equal(SEGMENT('S', ACK, 5001, 601, 10), DROPPED);
		assert_int_equal(SEGMENT('C', RST, 101, 5001), KEPT);
		assert_int_equal(SEGMENT('S', ACK, 5001, 601, 10), DROPPED);
		assert_int_equal(SEGMENT('C', ACK, 101, 5001, 500), KEPT);
		assert_int_equal(SEGMENT('S', ACK, 5001, 601, 10), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 601, 5011, 500), ESTABLISHED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_lives_from_handshake_to_half_close),
		cmocka_unit_test(what_was_not_recorded_is_new),
		cmocka_unit_test(a_connection_that_nobody_followed_goes_on),
		cmocka_unit_test(segments_out_of_the_window_change_nothing),
		cmocka_unit_test(windows_are_scaled_if_both_sides_can),
		cmocka_unit_test(both_may_open_at_the_same_time),
		cmocka_unit_test(who_refuses_has_seen_the_syn),
		cmocka_unit_test(a_successor_takes_over_where_the_end_was_not_seen),
		cmocka_unit_test(fragments_do_not_push_out_what_is_sent_again),
		cmocka_unit_test(a_guessed_acknowledgement_assures_nothing),
		cmocka_unit_test(with_pickup_connections_are_recorded_in_their_middle),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
