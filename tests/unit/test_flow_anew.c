// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP where the filter has not seen all: connections whose end went another way, and segments of
 * which only the first fragment tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fw/flow_track.h"
#include "random.h"

#define SYN	FW_TCP_SYN
#define ACK	FW_TCP_ACK
#define SYN_ACK (FW_TCP_SYN | FW_TCP_ACK)

#define WINDOW 5000
#define SCALE  3

static struct random numbers = { 7 };

struct pair {
	struct fw_flow_side sides[2];
};

static struct fw_segment segment_of(uint8_t flags, uint32_t sequence, uint32_t acknowledgement,
				    uint32_t payload)
{
	return (struct fw_segment){
		.flags = flags,
		.sequence = sequence,
		.end = sequence + payload + !!(flags & (FW_TCP_SYN | FW_TCP_FIN)),
		.acknowledgement = acknowledgement,
		.window = WINDOW,
		.scale = FW_NO_SCALE,
	};
}

static struct fw_segment scaling(struct fw_segment syn)
{
	syn.scale = SCALE;
	return syn;
}

/* Through the filter, as the program does it. */
static enum fw_fit pass(struct pair *pair, int from, struct fw_segment segment)
{
	enum fw_fit fit = fw_tcp_meet(&pair->sides[from], &pair->sides[!from], &segment);

	if (fit == FW_FIT_YES)
		fw_tcp_take(&pair->sides[from], &pair->sides[!from], &segment);
	return fit;
}

static enum fw_flow_state state_of(const struct pair *pair)
{
	return fw_tcp_state(pair->sides[0].flags, pair->sides[1].flags);
}

/* Side 0 has opened it, and the windows are not scaled. */
static struct pair established(void)
{
	uint32_t isn = (uint32_t)random_next(&numbers), answer = (uint32_t)random_next(&numbers);
	struct fw_segment syn = segment_of(SYN, isn, 0, 0);
	struct pair pair = { 0 };

	fw_tcp_take(&pair.sides[0], &pair.sides[1], &syn);
	assert_int_equal(pass(&pair, 1, segment_of(SYN_ACK, answer, isn + 1, 0)), FW_FIT_YES);
	assert_int_equal(pass(&pair, 0, segment_of(ACK, isn + 1, answer + 1, 0)), FW_FIT_YES);
	assert_int_equal(state_of(&pair), FW_FLOW_ESTABLISHED);
	return pair;
}

/* Both ends were restarted, or what ended the connection went another way. */
static void a_connection_whose_end_was_not_seen_gives_way_to_its_successor(void **state)
{
	(void)state;
	for (int i = 0; i < 400; i++) {
		int opener = i & 1;
		uint32_t isn = (uint32_t)random_next(&numbers),
			 answer = (uint32_t)random_next(&numbers);
		struct fw_segment syn = scaling(segment_of(SYN, isn, 0, 0)),
				  reply = scaling(segment_of(SYN_ACK, answer, isn + 1, 0));
		struct pair pair = established();

		assert_int_equal(pass(&pair, opener, segment_of(SYN, isn - 99, 0, 0)),
				 FW_FIT_STALE);
		/* Also sent again, and an answer to something else: nothing changes. */
		assert_int_equal(pass(&pair, opener, syn), FW_FIT_STALE);
		assert_int_equal(pass(&pair, opener, syn), FW_FIT_STALE);
		reply.acknowledgement++;
		assert_int_equal(pass(&pair, !opener, reply), FW_FIT_STALE);
		assert_int_equal(state_of(&pair), FW_FLOW_ESTABLISHED);
		reply.acknowledgement--;
		assert_int_equal(pass(&pair, !opener, reply), FW_FIT_YES);
		assert_int_equal(pass(&pair, !opener, reply), FW_FIT_YES);
		assert_int_not_equal(state_of(&pair), FW_FLOW_ESTABLISHED);
		/* The handshake is one like any other. */
		assert_int_equal(pass(&pair, opener, segment_of(ACK, isn + 1, answer + 9, 0)),
				 FW_FIT_NONE);
		assert_int_equal(pass(&pair, opener, segment_of(ACK, isn + 1, answer + 1, 50)),
				 FW_FIT_YES);
		assert_int_equal(pass(&pair, !opener, segment_of(ACK, answer + 1, isn + 51, 90)),
				 FW_FIT_YES);
		assert_int_equal(state_of(&pair), FW_FLOW_ESTABLISHED);
		/* With the scales of the new SYNs. */
		syn = segment_of(ACK, isn + 51 + (WINDOW << SCALE), answer + 91, 1);
		assert_int_equal(pass(&pair, opener, syn), FW_FIT_YES);
		syn.sequence++;
		assert_int_equal(pass(&pair, opener, syn), FW_FIT_NONE);
	}
}

static void a_syn_within_a_connection_may_be_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 400; i++) {
		struct pair pair = established();
		uint32_t isn = (uint32_t)random_next(&numbers),
			 far = pair.sides[1].end + 0x40000000;
		struct fw_segment syn = segment_of(SYN, isn, 0, 0),
				  refusal = segment_of(FW_TCP_RST | ACK, far, isn + 1, 0);

		assert_int_equal(pass(&pair, 1, refusal), FW_FIT_NONE);
		assert_int_equal(pass(&pair, 0, syn), FW_FIT_STALE);
		refusal.acknowledgement++;
		assert_int_equal(pass(&pair, 1, refusal), FW_FIT_NONE);
		refusal.acknowledgement--;
		assert_int_equal(pass(&pair, 1, refusal), FW_FIT_YES);
		assert_int_equal(pass(&pair, 0, syn), FW_FIT_REOPEN);
	}
}

/* How much a segment has of which only the first fragment tells is not known. */
static void fragments_of_segments_leave_room_for_what_they_may_have(void **state)
{
	(void)state;
	for (int from = 0; from < 2; from++) {
		struct pair pair = established();
		uint32_t next = pair.sides[from].end, other = pair.sides[!from].end;
		struct fw_segment first = segment_of(ACK, next, other, 1400),
				  before = segment_of(ACK, next - 60000, other, 100),
				  ack = segment_of(ACK, other, next + 8000, 0);

		first.is_fragment = FW_IS_FIRST_FRAGMENT;
		assert_int_equal(pass(&pair, from, before), FW_FIT_YES);
		assert_int_equal(pass(&pair, !from, ack), FW_FIT_NONE);
		assert_int_equal(pass(&pair, from, first), FW_FIT_YES);
		/* Sent again, it fits as before; and the other side may acknowledge the rest. */
		assert_int_equal(pass(&pair, from, before), FW_FIT_YES);
		assert_int_equal(pass(&pair, !from, ack), FW_FIT_YES);
		ack.acknowledgement += 70000;
		assert_int_equal(pass(&pair, !from, ack), FW_FIT_NONE);
	}
}

/* Another CPU had the old entry in its hands when the flow moved. */
static void what_a_moved_flow_has_missed_is_brought_along(void **state)
{
	struct pair pair = established(), moved = pair;
	uint32_t next = pair.sides[1].end, other = pair.sides[0].end;

	(void)state;
	assert_int_equal(pass(&pair, 1, segment_of(FW_TCP_FIN | ACK, next, other, 300)),
			 FW_FIT_YES);
	for (int i = 0; i < 2; i++)
		fw_side_catch_up(&moved.sides[i], &pair.sides[i]);
	assert_int_equal(state_of(&moved), FW_FLOW_CLOSING);
	assert_int_equal(moved.sides[1].end, next + 301);
	/* What it has seen itself since then stays. */
	pair = established();
	moved = pair;
	next = pair.sides[0].end;
	assert_int_equal(pass(&moved, 0, segment_of(ACK, next, pair.sides[1].end, 70)), FW_FIT_YES);
	for (int i = 0; i < 2; i++)
		fw_side_catch_up(&moved.sides[i], &pair.sides[i]);
	assert_int_equal(moved.sides[0].end, next + 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_whose_end_was_not_seen_gives_way_to_its_successor),
		cmocka_unit_test(a_syn_within_a_connection_may_be_refused),
		cmocka_unit_test(fragments_of_segments_leave_room_for_what_they_may_have),
		cmocka_unit_test(what_a_moved_flow_has_missed_is_brought_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
