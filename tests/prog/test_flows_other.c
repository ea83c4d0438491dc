// SPDX-License-Identifier: GPL-2.0-only
/* vm: long */
/* Flows through the real programs that are not TCP; ICMP errors about them, and fragments. */
#include <netinet/in.h>
#include <string.h>

#include "talk_run.h"

/* --- Other protocols ---------------------------------------------------------------------- */

static void protocols_without_connections_answer_by_time(void **state)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_GRE };
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		FOR_ALL_TALKS(&talk)
		{
			struct talk_packet sent, answer;

			talk.protocol = protocols[i];
			/* GRE has no ports: addresses of its own for each round. */
			sent = talk_packet_of(&talk, false);
			answer = talk_packet_of(&talk, true);
			sent.source += talk.port * 4;
			answer.destination = sent.source;
			sent.payload = answer.payload = 20;
			assert_int_equal(talk_say(&talk, 'S', &answer), DROPPED);
			assert_int_equal(talk_say(&talk, 'C', &sent), KEPT);
			assert_int_equal(talk_say(&talk, 'S', &answer), ESTABLISHED);
			assert_int_equal(talk_say(&talk, 'C', &sent), ESTABLISHED);
			answer.destination++;
			assert_int_equal(talk_say(&talk, 'S', &answer), DROPPED);
		}
	}
}

static void echoes_are_told_apart_by_identifier_and_by_who_asks(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet request, reply, theirs;

		talk.protocol = talk.inet6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		request = talk_packet_of(&talk, false);
		request.id = talk.port;
		request.type = talk.inet6 ? 128 : 8;
		reply = talk_packet_of(&talk, true);
		reply.id = talk.port;
		reply.type = talk.inet6 ? 129 : 0;
		theirs = reply;
		theirs.type = request.type;
		assert_int_equal(talk_say(&talk, 'S', &reply), DROPPED);
		assert_int_equal(talk_say(&talk, 'C', &request), KEPT);
		assert_int_equal(talk_say(&talk, 'S', &reply), ESTABLISHED);
		assert_int_equal(talk_say(&talk, 'C', &request), ESTABLISHED);
		assert_int_equal(talk_say(&talk, 'S', &theirs), DROPPED);
		reply.id++;
		assert_int_equal(talk_say(&talk, 'S', &reply), DROPPED);
	}
}

/* --- ICMP errors -------------------------------------------------------------------------- */

static struct talk_packet error_about(const struct talk *talk, const struct talk_frame *inner,
				      bool from_server)
{
	struct talk_packet error = talk_packet_of(talk, from_server);

	error.protocol = talk->inet6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	error.type = talk->inet6 ? 1 : 3;
	error.code = talk->inet6 ? 4 : 3;
	error.inner = inner;
	/* Some router on the way. */
	error.source = 0x0a090909;
	return error;
}

static void errors_are_related_if_the_flow_sent_what_they_carry(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet sent = talk_packet_of(&talk, false), error;
		struct talk_frame inner;

		talk_shake_hands(&talk);
		sent.flags = ACK;
		sent.sequence = 101;
		talk_build(&sent, &inner);
		error = error_about(&talk, &inner, true);
		assert_int_equal(talk_say(&talk, 'S', &error), RELATED);
		/* To somebody else than who sent the packet. */
		error.destination++;
		assert_int_equal(talk_say(&talk, 'S', &error), DROPPED);
		/* A number that the client cannot have sent. */
		sent.sequence = 101 + 1000000;
		talk_build(&sent, &inner);
		error = error_about(&talk, &inner, true);
		assert_int_equal(talk_say(&talk, 'S', &error), DROPPED);
		/* Another connection. */
		sent.sequence = 101;
		sent.source_port += 1000;
		talk_build(&sent, &inner);
		assert_int_equal(talk_say(&talk, 'S', &error), DROPPED);
		/* The other direction. */
		sent = talk_packet_of(&talk, true);
		sent.flags = ACK;
		sent.sequence = 5001;
		talk_build(&sent, &inner);
		error = error_about(&talk, &inner, false);
		assert_int_equal(talk_say(&talk, 'C', &error), RELATED);
	}
}

static void errors_of_what_was_never_sent_are_new(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet sent, error;
		struct talk_frame inner;

		talk.protocol = IPPROTO_UDP;
		sent = talk_packet_of(&talk, false);
		talk_build(&sent, &inner);
		error = error_about(&talk, &inner, true);
		assert_int_equal(talk_say(&talk, 'S', &error), DROPPED);
		assert_int_equal(talk_say(&talk, 'C', &sent), KEPT);
		assert_int_equal(talk_say(&talk, 'S', &error), RELATED);
		/* The server has not sent anything yet that could be refused. */
		sent = talk_packet_of(&talk, true);
		talk_build(&sent, &inner);
		error = error_about(&talk, &inner, false);
		error.destination = TALK_SERVER;
		error.source = 0x0a090909;
		assert_int_equal(talk_say(&talk, 'C', &error), DROPPED);
	}
}

/* --- Fragments ---------------------------------------------------------------------------- */

static void later_fragments_are_what_the_first_one_was(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" TALK_BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet first, later;

		talk.protocol = IPPROTO_UDP;
		first = talk_packet_of(&talk, false);
		first.more = true;
		first.payload = 64;
		first.fragment_id = talk.port;
		later = first;
		later.offset = 72;
		later.more = false;
		assert_int_equal(talk_say(&talk, 'C', &later), KEPT);
		assert_int_equal(talk_say(&talk, 'C', &first), KEPT);
		assert_int_equal(talk_say(&talk, 'C', &later), ESTABLISHED);
		first = talk_packet_of(&talk, true);
		first.more = true;
		first.payload = 64;
		first.fragment_id = talk.port;
		later = first;
		later.offset = 72;
		assert_int_equal(talk_say(&talk, 'S', &later), DROPPED);
		assert_int_equal(talk_say(&talk, 'S', &first), ESTABLISHED);
		assert_int_equal(talk_say(&talk, 'S', &later), ESTABLISHED);
		later.fragment_id++;
		assert_int_equal(talk_say(&talk, 'S', &later), DROPPED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocols_without_connections_answer_by_time),
		cmocka_unit_test(echoes_are_told_apart_by_identifier_and_by_who_asks),
		cmocka_unit_test(errors_are_related_if_the_flow_sent_what_they_carry),
		cmocka_unit_test(errors_of_what_was_never_sent_are_new),
		cmocka_unit_test(later_fragments_are_what_the_first_one_was),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
