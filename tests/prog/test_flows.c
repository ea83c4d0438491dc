// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flows through the real programs: a client and a server whose packets cross both hooks, whichever
 * of them is the machine itself. Which rule decides tells what a packet was taken for.
 */
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "dataplane/flow_internal.h"
#include "prog_run.h"
#include "talk.h"

#define CLIENT 0x0a010001U /* 10.1.0.1, 2001:db8::a01:1 */
#define SERVER 0x0a020001U

/* Who the packet comes from decides: all of the client's may open, none of the server's. */
#define RULES                                                                               \
	"{\n pass state related label related\n pass state established label established\n" \
	" pass from { 10.1.0.0/16, 2001:db8::a01:0/112 } keep state label kept\n}\n"
#define BLOCKS "ingress default drop " RULES "egress default drop " RULES

enum taken_for {
	DROPPED, /* new, and the server's */
	KEPT,	 /* new, and the client's */
	ESTABLISHED,
	RELATED,
};

static const char *const labels[] = { "default", "kept", "established", "related" };

/* A connection, as the test plays it. */
struct talk {
	struct filter *filter;
	enum fw_hook client_hook; /* where the client's packets are seen */
	bool inet6;
	uint8_t protocol;
	uint16_t port; /* the client's */
};

/* Every test runs for both families, the client on this side and on the other. */
#define FOR_ALL_TALKS(talk)                        \
	for (int round_ = 0; round_ < 4; round_++) \
		for (bool once_ = talk_start(talk, *state, round_); once_; once_ = false)

static bool talk_start(struct talk *talk, void *state, int round)
{
	static uint16_t port = 1024;

	*talk = (struct talk){
		.filter = state,
		.client_hook = round & 1 ? FW_EGRESS : FW_INGRESS,
		.inet6 = round & 2,
		.protocol = IPPROTO_TCP,
		.port = port++,
	};
	return true;
}

static enum taken_for run(struct filter *filter, enum fw_hook hook,
			  const struct talk_packet *packet)
{
	struct fw_counter before[4];
	struct talk_frame made;
	struct frame frame;

	talk_build(packet, &made);
	frame = (struct frame){ made.bytes, made.length };
	for (int i = 0; i < 4; i++)
		before[i] = filter_rule(filter, hook, labels[i]);
	filter_run(filter, hook, &frame);
	for (int i = 0; i < 4; i++)
		if (filter_rule(filter, hook, labels[i]).packets == before[i].packets + 1)
			return (enum taken_for)i;
	fail_msg("no rule has counted the packet");
	return DROPPED;
}

static struct talk_packet packet_of(const struct talk *talk, bool from_server)
{
	struct talk_packet packet = {
		.inet6 = talk->inet6,
		.protocol = talk->protocol,
		.source = CLIENT,
		.destination = SERVER,
		.source_port = talk->port,
		.destination_port = 80,
		.scale = TALK_NO_SCALE,
		.window = 1000,
	};

	if (from_server) {
		packet.source = SERVER;
		packet.destination = CLIENT;
		packet.source_port = 80;
		packet.destination_port = talk->port;
	}
	return packet;
}

static enum fw_hook hook_of(const struct talk *talk, bool from_server)
{
	return from_server ? (enum fw_hook) !talk->client_hook : talk->client_hook;
}

/* "C" is a packet of the client, "S" of the server. */
static enum taken_for say(const struct talk *talk, char who, const struct talk_packet *packet)
{
	return run(talk->filter, hook_of(talk, who == 'S'), packet);
}

/* `numbers`: sequence, acknowledgement, bytes of payload. */
static enum taken_for segment(const struct talk *talk, char who, uint8_t flags,
			      const uint32_t numbers[3])
{
	struct talk_packet packet = packet_of(talk, who == 'S');

	packet.flags = flags;
	packet.sequence = numbers[0];
	packet.acknowledgement = numbers[1];
	packet.payload = (uint16_t)numbers[2];
	return say(talk, who, &packet);
}

#define SEGMENT(who, flags, ...) segment(&talk, who, flags, (const uint32_t[3]){ __VA_ARGS__ })
#define SYN			 TALK_SYN
#define ACK			 TALK_ACK
#define FIN			 (TALK_FIN | TALK_ACK)
#define RST			 TALK_RST

/* The client begins at 100, the server at 5000. */
static void shake_hands(const struct talk *open)
{
	struct talk talk = *open;

	assert_int_equal(SEGMENT('C', SYN, 100), KEPT);
	assert_int_equal(SEGMENT('S', SYN | ACK, 5000, 101), ESTABLISHED);
	assert_int_equal(SEGMENT('C', ACK, 101, 5001), ESTABLISHED);
}

static struct flow_totals totals_of(struct filter *filter)
{
	struct flow_totals totals;

	if (dataplane_flow_totals(filter->dataplane, &totals))
		fail_msg("%s", dataplane_error(filter->dataplane));
	return totals;
}

/* --- TCP ---------------------------------------------------------------------------------- */

static void a_connection_lives_from_handshake_to_half_close(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\noption flows 4096\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct flow_totals before = totals_of(*state), after;

		shake_hands(&talk);
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
		after = totals_of(*state);
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

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		assert_int_equal(SEGMENT('S', SYN | ACK, 5000, 101), DROPPED);
		assert_int_equal(SEGMENT('S', ACK, 5000, 101), DROPPED);
		/* Without pick-up nothing is recorded in the middle of a connection. */
		assert_int_equal(SEGMENT('C', ACK, 101, 5001, 10), KEPT);
		assert_int_equal(SEGMENT('S', ACK, 5001, 111), DROPPED);
	}
}

static void segments_out_of_the_window_change_nothing(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct flow_totals before = totals_of(*state);

		shake_hands(&talk);
		assert_int_equal(SEGMENT('S', ACK, 5001 + 3000000, 101, 10), DROPPED);
		assert_int_equal(SEGMENT('S', ACK, 5001, 101 + 50000, 10), DROPPED);
		assert_int_equal(SEGMENT('S', RST, 5001 + 3000000), DROPPED);
		assert_int_equal(SEGMENT('S', RST, 5001 - 3000000), DROPPED);
		assert_int_equal(SEGMENT('S', 0, 5001), DROPPED);
		assert_int_equal(totals_of(*state).refused, before.refused + 5);
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

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet syn = packet_of(&talk, false), answer = packet_of(&talk, true);
		bool both = talk.port & 4;

		syn.flags = SYN;
		syn.sequence = 100;
		syn.scale = 7;
		answer.flags = SYN | ACK;
		answer.sequence = 5000;
		answer.acknowledgement = 101;
		answer.scale = both ? 7 : TALK_NO_SCALE;
		assert_int_equal(say(&talk, 'C', &syn), KEPT);
		assert_int_equal(say(&talk, 'S', &answer), ESTABLISHED);
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

	filter_apply(*state, "option essential off\n" BLOCKS);
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

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		assert_int_equal(SEGMENT('C', SYN, 100), KEPT);
		assert_int_equal(SEGMENT('S', SYN | ACK, 5000, 9999), DROPPED);
		assert_int_equal(SEGMENT('S', RST | ACK, 0, 9999), DROPPED);
		assert_int_equal(SEGMENT('S', RST | ACK, 0, 101), ESTABLISHED);
		assert_int_equal(SEGMENT('C', SYN, 100), KEPT);
	}
}

/* Who forges his address never learns the server's number, and stays half-open. */
static void a_guessed_acknowledgement_assures_nothing(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		uint64_t assured = totals_of(*state).tables[FW_FLOWS_ASSURED].inserted;

		assert_int_equal(SEGMENT('C', SYN, 100), KEPT);
		assert_int_equal(SEGMENT('S', SYN | ACK, 5000, 101), ESTABLISHED);
		assert_int_equal(SEGMENT('C', ACK, 101, 4000), KEPT);
		assert_int_equal(SEGMENT('C', ACK, 101, 6000), KEPT);
		assert_int_equal(totals_of(*state).tables[FW_FLOWS_ASSURED].inserted, assured);
		assert_int_equal(SEGMENT('C', ACK, 101, 5001), ESTABLISHED);
		assert_int_equal(totals_of(*state).tables[FW_FLOWS_ASSURED].inserted, assured + 1);
	}
}

static void with_pickup_connections_are_recorded_in_their_middle(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\noption pickup on\n" BLOCKS);
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

/* --- Other protocols ---------------------------------------------------------------------- */

static void protocols_without_connections_answer_by_time(void **state)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_GRE };
	struct talk talk;

	filter_apply(*state, "option essential off\n" BLOCKS);
	for (size_t i = 0; i < sizeof(protocols); i++) {
		FOR_ALL_TALKS(&talk)
		{
			struct talk_packet sent, answer;

			talk.protocol = protocols[i];
			/* GRE has no ports: addresses of its own for each round. */
			sent = packet_of(&talk, false);
			answer = packet_of(&talk, true);
			sent.source += talk.port * 4;
			answer.destination = sent.source;
			sent.payload = answer.payload = 20;
			assert_int_equal(say(&talk, 'S', &answer), DROPPED);
			assert_int_equal(say(&talk, 'C', &sent), KEPT);
			assert_int_equal(say(&talk, 'S', &answer), ESTABLISHED);
			assert_int_equal(say(&talk, 'C', &sent), ESTABLISHED);
			answer.destination++;
			assert_int_equal(say(&talk, 'S', &answer), DROPPED);
		}
	}
}

static void echoes_are_told_apart_by_identifier_and_by_who_asks(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet request, reply, theirs;

		talk.protocol = talk.inet6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		request = packet_of(&talk, false);
		request.id = talk.port;
		request.type = talk.inet6 ? 128 : 8;
		reply = packet_of(&talk, true);
		reply.id = talk.port;
		reply.type = talk.inet6 ? 129 : 0;
		theirs = reply;
		theirs.type = request.type;
		assert_int_equal(say(&talk, 'S', &reply), DROPPED);
		assert_int_equal(say(&talk, 'C', &request), KEPT);
		assert_int_equal(say(&talk, 'S', &reply), ESTABLISHED);
		assert_int_equal(say(&talk, 'C', &request), ESTABLISHED);
		assert_int_equal(say(&talk, 'S', &theirs), DROPPED);
		reply.id++;
		assert_int_equal(say(&talk, 'S', &reply), DROPPED);
	}
}

/* --- ICMP errors -------------------------------------------------------------------------- */

static struct talk_packet error_about(const struct talk *talk, const struct talk_frame *inner,
				      bool from_server)
{
	struct talk_packet error = packet_of(talk, from_server);

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

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet sent = packet_of(&talk, false), error;
		struct talk_frame inner;

		shake_hands(&talk);
		sent.flags = ACK;
		sent.sequence = 101;
		talk_build(&sent, &inner);
		error = error_about(&talk, &inner, true);
		assert_int_equal(say(&talk, 'S', &error), RELATED);
		/* To somebody else than who sent the packet. */
		error.destination++;
		assert_int_equal(say(&talk, 'S', &error), DROPPED);
		/* A number that the client cannot have sent. */
		sent.sequence = 101 + 1000000;
		talk_build(&sent, &inner);
		error = error_about(&talk, &inner, true);
		assert_int_equal(say(&talk, 'S', &error), DROPPED);
		/* Another connection. */
		sent.sequence = 101;
		sent.source_port += 1000;
		talk_build(&sent, &inner);
		assert_int_equal(say(&talk, 'S', &error), DROPPED);
		/* The other direction. */
		sent = packet_of(&talk, true);
		sent.flags = ACK;
		sent.sequence = 5001;
		talk_build(&sent, &inner);
		error = error_about(&talk, &inner, false);
		assert_int_equal(say(&talk, 'C', &error), RELATED);
	}
}

static void errors_of_what_was_never_sent_are_new(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet sent, error;
		struct talk_frame inner;

		talk.protocol = IPPROTO_UDP;
		sent = packet_of(&talk, false);
		talk_build(&sent, &inner);
		error = error_about(&talk, &inner, true);
		assert_int_equal(say(&talk, 'S', &error), DROPPED);
		assert_int_equal(say(&talk, 'C', &sent), KEPT);
		assert_int_equal(say(&talk, 'S', &error), RELATED);
		/* The server has not sent anything yet that could be refused. */
		sent = packet_of(&talk, true);
		talk_build(&sent, &inner);
		error = error_about(&talk, &inner, false);
		error.destination = SERVER;
		error.source = 0x0a090909;
		assert_int_equal(say(&talk, 'C', &error), DROPPED);
	}
}

/* --- Fragments ---------------------------------------------------------------------------- */

static void later_fragments_are_what_the_first_one_was(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct talk_packet first, later;

		talk.protocol = IPPROTO_UDP;
		first = packet_of(&talk, false);
		first.more = true;
		first.payload = 64;
		first.fragment_id = talk.port;
		later = first;
		later.offset = 72;
		later.more = false;
		assert_int_equal(say(&talk, 'C', &later), KEPT);
		assert_int_equal(say(&talk, 'C', &first), KEPT);
		assert_int_equal(say(&talk, 'C', &later), ESTABLISHED);
		first = packet_of(&talk, true);
		first.more = true;
		first.payload = 64;
		first.fragment_id = talk.port;
		later = first;
		later.offset = 72;
		assert_int_equal(say(&talk, 'S', &later), DROPPED);
		assert_int_equal(say(&talk, 'S', &first), ESTABLISHED);
		assert_int_equal(say(&talk, 'S', &later), ESTABLISHED);
		later.fragment_id++;
		assert_int_equal(say(&talk, 'S', &later), DROPPED);
	}
}

/* --- Time --------------------------------------------------------------------------------- */

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
		key.lower[3] = CLIENT;
		key.upper[3] = SERVER;
	} else {
		key.lower[0] = CLIENT;
		key.upper[0] = SERVER;
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
		     "option timeout udp-replied 600s\n" BLOCKS);
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
		sent = packet_of(&talk, false);
		answer = packet_of(&talk, true);
		assert_int_equal(say(&talk, 'C', &sent), KEPT);
		assert_left(&talk, FW_FLOWS_HALF_OPEN, 500);
		assert_int_equal(say(&talk, 'S', &answer), ESTABLISHED);
		assert_left(&talk, FW_FLOWS_HALF_OPEN, 600);
	}
}

/* Time passes by setting the clock that is compared with: that of the entry. */
static void expire(const struct talk *talk, enum fw_flow_table table)
{
	_cleanup_close_ int fd = table_open(talk->filter, table);
	struct fw_flow_entry entry = entry_of(talk, table);
	struct fw_flow_key key = key_of(talk);

	entry.expires = boot_seconds();
	assert_int_equal(bpf_map_update_elem(fd, &key, &entry, BPF_EXIST), 0);
}

static void an_expired_flow_is_absent_and_makes_room(void **state)
{
	struct talk talk;

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct flow_totals before = totals_of(*state), after;

		shake_hands(&talk);
		expire(&talk, FW_FLOWS_ASSURED);
		assert_int_equal(SEGMENT('S', ACK, 5001, 101, 10), DROPPED);
		shake_hands(&talk);
		after = totals_of(*state);
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

	filter_apply(*state, "option essential off\n" BLOCKS);
	FOR_ALL_TALKS(&talk)
	{
		struct fw_flow_entry entry;
		struct talk_packet sent;

		talk.protocol = IPPROTO_UDP;
		sent = packet_of(&talk, false);
		/* Routed: each packet crosses both hooks. */
		for (int i = 0; i < 3; i++) {
			assert_int_equal(run(*state, FW_INGRESS, &sent), i ? ESTABLISHED : KEPT);
			assert_int_equal(run(*state, FW_EGRESS, &sent), ESTABLISHED);
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
		cmocka_unit_test(a_connection_lives_from_handshake_to_half_close),
		cmocka_unit_test(what_was_not_recorded_is_new),
		cmocka_unit_test(segments_out_of_the_window_change_nothing),
		cmocka_unit_test(windows_are_scaled_if_both_sides_can),
		cmocka_unit_test(both_may_open_at_the_same_time),
		cmocka_unit_test(who_refuses_has_seen_the_syn),
		cmocka_unit_test(a_guessed_acknowledgement_assures_nothing),
		cmocka_unit_test(with_pickup_connections_are_recorded_in_their_middle),
		cmocka_unit_test(protocols_without_connections_answer_by_time),
		cmocka_unit_test(echoes_are_told_apart_by_identifier_and_by_who_asks),
		cmocka_unit_test(errors_are_related_if_the_flow_sent_what_they_carry),
		cmocka_unit_test(errors_of_what_was_never_sent_are_new),
		cmocka_unit_test(later_fragments_are_what_the_first_one_was),
		cmocka_unit_test(flows_are_kept_as_long_as_the_options_say),
		cmocka_unit_test(an_expired_flow_is_absent_and_makes_room),
		cmocka_unit_test(packets_are_counted_where_their_direction_was_first_seen),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
