// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP's states and windows. Two ends that play TCP over a network which loses, doubles and reorders
 * are never refused a segment; who guesses numbers nearly always is. What the program does with
 * single segments is shown by tests/prog/test_flows.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fw/flow_tcp.h"

static uint64_t random_state = 0x9e3779b97f4a7c15ULL;

static uint32_t pick(uint32_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % bound;
}

static uint32_t pick_word(void)
{
	return pick(0x10000) << 16 | pick(0x10000);
}

/* --- The window scale option -------------------------------------------------------------- */

/* Option by option, as RFC 9293 describes them. */
static uint8_t scale_expected(const uint8_t *options, uint32_t length)
{
	uint8_t scale = FW_NO_SCALE;

	for (uint32_t i = 0; i + 2 < FW_TCP_OPTIONS && i < length && options[i];) {
		if (options[i] == 1) {
			i++;
			continue;
		}
		if (options[i] == 3 && options[i + 1] == 3 && i + 3 <= length)
			scale = options[i + 2] > 14 ? 14 : options[i + 2];
		if (options[i + 1] < 2)
			break;
		i += options[i + 1];
	}
	return scale;
}

static void the_scale_is_found_among_any_options(void **state)
{
	static const uint8_t bytes[] = { 0, 1, 1, 2, 3, 3, 3, 4, 5, 8, 10, 15, 255 };
	uint32_t found = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint8_t options[FW_TCP_OPTIONS];
		uint32_t length = 4 * (1 + pick(10));

		for (size_t j = 0; j < sizeof(options); j++)
			options[j] = bytes[pick(sizeof(bytes))];
		assert_int_equal(fw_tcp_scale(options, length), scale_expected(options, length));
		found += fw_tcp_scale(options, length) != FW_NO_SCALE;
	}
	assert_true(found > 10000);
}

static void the_scale_of_linux_is_found(void **state)
{
	const uint8_t options[FW_TCP_OPTIONS] = { 2, 4, 5, 180, 4, 2, 8, 10, 1, 2,
						  3, 4, 0, 0,	0, 0, 1, 3,  3, 7 };

	(void)state;
	assert_int_equal(fw_tcp_scale(options, 20), 7);
	assert_int_equal(fw_tcp_scale(options, 16), FW_NO_SCALE);
}

/* --- Two ends ----------------------------------------------------------------------------- */

#define QUEUE 6

struct end {
	uint32_t start;			/* its SYN */
	uint32_t una;			/* not acknowledged from here on */
	uint32_t next;			/* to send */
	uint32_t last;			/* where it will send its FIN */
	uint32_t limit;			/* that the other lets it send */
	uint32_t wanted;		/* expected from the other */
	uint32_t room;			/* its own receive window */
	uint8_t scale;			/* it offered, or FW_NO_SCALE */
	bool open;			/* has the other's SYN */
	bool fin;			/* has the other's FIN */
	struct fw_segment queue[QUEUE]; /* on the way to it, behind the filter */
	size_t queued;
};

struct wire {
	struct end ends[2];
	struct fw_flow_side sides[2];
	uint32_t stale;
};

static bool scales(const struct wire *wire)
{
	return wire->ends[0].scale != FW_NO_SCALE && wire->ends[1].scale != FW_NO_SCALE;
}

static void deliver(struct wire *wire, int to, const struct fw_segment *segment)
{
	struct end *end = &wire->ends[to];

	if (end->queued < QUEUE)
		end->queue[end->queued++] = *segment;
}

/* Through the filter, which must not refuse it. Seen twice it changes nothing more. */
static void send_segment(struct wire *wire, int from, const struct fw_segment *segment)
{
	struct fw_flow_side *sender = &wire->sides[from], again;
	const struct fw_flow_side *receiver = &wire->sides[!from];
	enum fw_fit fit = fw_tcp_fit(sender, receiver, segment);

	if (!sender->flags && !receiver->flags)
		fit = FW_FIT_YES; /* it begins the flow */
	if (fit == FW_FIT_NONE || fit == FW_FIT_REOPEN)
		fail_msg("refused: from %d, flags %#x, %u-%u ack %u window %u", from,
			 segment->flags, segment->sequence, segment->end, segment->acknowledgement,
			 segment->window);
	wire->stale += fit == FW_FIT_STALE;
	if (fit == FW_FIT_YES) {
		fw_tcp_take(sender, receiver, segment);
		again = *sender;
		fit = fw_tcp_fit(sender, receiver, segment);
		assert_true(fit == FW_FIT_YES || fit == FW_FIT_STALE);
		if (fit == FW_FIT_YES)
			fw_tcp_take(sender, receiver, segment);
		assert_memory_equal(sender, &again, sizeof(again));
	}
	if (pick(10) == 0)
		return; /* lost */
	deliver(wire, !from, segment);
	if (pick(10) == 0)
		deliver(wire, !from, segment);
}

/* A segment of the end's octets from `at` on, as long as it may be. */
static void end_sends(struct wire *wire, int from, uint32_t at)
{
	struct end *end = &wire->ends[from];
	uint32_t stop = fw_before(end->limit, end->last) ? end->limit : end->last;
	uint32_t length = fw_before(at, stop) ? 1 + pick(1400) : 0;
	struct fw_segment segment = {
		.sequence = at,
		.flags = FW_TCP_ACK,
		.acknowledgement = end->wanted,
		.scale = FW_NO_SCALE,
	};

	if (length > stop - at)
		length = stop - at;
	segment.end = at + length;
	/* `last` is the FIN's own number. */
	if (segment.end == end->last && end->limit != end->last) {
		segment.end++;
		segment.flags |= FW_TCP_FIN;
	}
	segment.window = scales(wire) ? end->room >> end->scale : end->room;
	if (segment.window > 65535)
		segment.window = 65535;
	if (fw_before(end->next, segment.end))
		end->next = segment.end;
	send_segment(wire, from, &segment);
}

static void end_opens(struct wire *wire, int from, bool answers)
{
	struct end *end = &wire->ends[from];
	const struct fw_segment syn = {
		.sequence = end->start,
		.end = end->start + 1,
		.acknowledgement = answers ? end->wanted : 0,
		.flags = answers ? FW_TCP_SYN | FW_TCP_ACK : FW_TCP_SYN,
		.window = end->room > 65535 ? 65535 : end->room,
		.scale = end->scale,
	};

	send_segment(wire, from, &syn);
}

static void end_takes_ack(struct wire *wire, int who, const struct fw_segment *segment)
{
	struct end *end = &wire->ends[who];
	uint32_t shift = 0;

	if (scales(wire) && !(segment->flags & FW_TCP_SYN))
		shift = wire->ends[!who].scale;
	if (fw_before(end->una, segment->acknowledgement) &&
	    !fw_before(end->next, segment->acknowledgement))
		end->una = segment->acknowledgement;
	end->limit = fw_later_of(end->limit, segment->acknowledgement + (segment->window << shift));
}

/* One segment of those under way, not always the oldest. */
static void end_receives(struct wire *wire, int who)
{
	struct end *end = &wire->ends[who];
	size_t at = end->queued > 1 ? pick(2) : 0;
	struct fw_segment segment;

	if (!end->queued)
		return;
	segment = end->queue[at];
	end->queued--;
	memmove(&end->queue[at], &end->queue[at + 1], (end->queued - at) * sizeof(segment));
	if (segment.flags & FW_TCP_SYN && !end->open) {
		end->open = true;
		end->wanted = segment.end;
	}
	if (!end->open)
		return;
	if (segment.flags & FW_TCP_ACK)
		end_takes_ack(wire, who, &segment);
	if (fw_before(end->wanted, segment.end) && !fw_before(end->wanted, segment.sequence)) {
		end->wanted = segment.end;
		end->fin |= segment.flags & FW_TCP_FIN;
	}
}

/* What an end may do on its own: send on, send again, acknowledge. */
static void end_acts(struct wire *wire, int who)
{
	struct end *end = &wire->ends[who];

	if (!end->open || !(wire->sides[!who].flags & FW_SIDE_SYN)) {
		if (who == 0)
			end_opens(wire, who, false);
	} else if (end->una == end->start) {
		end_opens(wire, who, who == 1);
		if (who == 0 && end->open)
			end_sends(wire, who, end->start + 1);
	} else {
		end_sends(wire, who, pick(3) ? end->next : end->una);
	}
}

static void end_begin(struct end *end, uint32_t octets)
{
	memset(end, 0, sizeof(*end));
	end->start = pick(3) ? pick_word() : 0U - pick(100000);
	end->una = end->start;
	end->next = end->start + 1;
	end->last = end->next + octets;
	end->scale = pick(3) ? (uint8_t)pick(15) : FW_NO_SCALE;
	end->room = 1000 + pick(60000);
	if (end->scale != FW_NO_SCALE && pick(2))
		end->room = (20000U + pick(40000)) << pick(end->scale + 1U);
	end->limit = end->next;
}

static bool is_over(const struct wire *wire)
{
	return wire->ends[0].fin && wire->ends[1].fin &&
	       wire->ends[0].una == wire->ends[0].last + 1 &&
	       wire->ends[1].una == wire->ends[1].last + 1;
}

static void wire_begin(struct wire *wire)
{
	memset(wire, 0, sizeof(*wire));
	for (int i = 0; i < 2; i++)
		end_begin(&wire->ends[i], pick(4) ? pick(40000) : 0);
}

static void ends_that_keep_to_tcp_are_never_refused(void **state)
{
	uint32_t over = 0;

	(void)state;
	for (int i = 0; i < 4000; i++) {
		struct wire wire;

		wire_begin(&wire);
		for (int step = 0; step < 4000 && !is_over(&wire); step++) {
			int who = (int)pick(2);

			if (pick(2))
				end_acts(&wire, who);
			else
				end_receives(&wire, who);
		}
		over += is_over(&wire);
		if (is_over(&wire)) {
			enum fw_flow_state at =
				fw_tcp_state(wire.sides[0].flags, wire.sides[1].flags);

			assert_int_equal(at, FW_FLOW_TIME_WAIT);
		}
	}
	/* Or else the ends did not get anywhere, and proved nothing. */
	assert_true(over > 3500);
}

/* Until the handshake is over, and then some. */
static void play_until_established(struct wire *wire)
{
	do {
		wire_begin(wire);
		for (int step = 0; step < 300; step++) {
			int who = (int)pick(2);

			if (pick(2))
				end_acts(wire, who);
			else
				end_receives(wire, who);
			if (step > 40 && fw_tcp_state(wire->sides[0].flags, wire->sides[1].flags) ==
						 FW_FLOW_ESTABLISHED)
				return;
		}
	} while (1);
}

/* How many of a million guesses do anything, with windows of at most 64 KiB. */
static void who_guesses_numbers_is_refused(void **state)
{
	uint32_t data = 0, resets = 0, closed = 0, tries = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct wire wire;

		play_until_established(&wire);
		if (wire.sides[0].window > 65535 || wire.sides[1].window > 65535)
			continue;
		for (int j = 0; j < 1000; j++, tries++) {
			struct fw_segment forged = {
				.sequence = pick_word(),
				.acknowledgement = pick_word(),
				.flags = FW_TCP_ACK,
				.scale = FW_NO_SCALE,
			};
			int from = (int)pick(2);
			const struct fw_flow_side *sides = wire.sides;

			forged.end = forged.sequence + pick(1400);
			data += fw_tcp_fit(&sides[from], &sides[!from], &forged) != FW_FIT_NONE;
			forged.flags = FW_TCP_RST;
			switch (fw_tcp_fit(&sides[from], &sides[!from], &forged)) {
			case FW_FIT_YES:
				closed++;
				break;
			case FW_FIT_NONE:
				break;
			default:
				resets++;
			}
		}
	}
	assert_true(tries > 100000);
	/* A window for each of two numbers, or for one: 2^17 of 2^32. */
	assert_true(data <= tries / 100000 + 1);
	assert_true(resets <= tries / 5000);
	assert_true(closed <= 2);
}

/* --- Single rules ------------------------------------------------------------------------- */

static void only_flags_that_belong_together_are_taken(void **state)
{
	static const uint8_t sane[] = { 0x02, 0x12, 0x10, 0x11, 0x04, 0x14 };

	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		bool expected = false;

		for (size_t i = 0; i < sizeof(sane); i++)
			expected |= (flags & 0x17) == sane[i];
		if (flags & FW_TCP_RST && flags & FW_TCP_URG)
			expected = false;
		assert_int_equal(fw_tcp_flags_are_sane((uint8_t)flags), expected);
	}
}

static void a_reset_with_the_exact_number_closes(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		int from = i & 1;
		struct wire wire;
		struct fw_segment reset = { .flags = FW_TCP_RST };

		play_until_established(&wire);
		reset.sequence = i & 2 ? wire.sides[from].end : wire.sides[!from].acked;
		assert_int_equal(fw_tcp_fit(&wire.sides[from], &wire.sides[!from], &reset),
				 FW_FIT_YES);
		fw_tcp_take(&wire.sides[from], &wire.sides[!from], &reset);
		assert_int_equal(fw_tcp_state(wire.sides[0].flags, wire.sides[1].flags),
				 FW_FLOW_CLOSED);
	}
}

static void a_flow_that_is_over_gives_way_to_a_syn_of_either_side(void **state)
{
	const struct fw_segment syn = { .sequence = 77, .end = 78, .flags = FW_TCP_SYN };

	(void)state;
	for (int from = 0; from < 2; from++) {
		struct wire wire;

		play_until_established(&wire);
		assert_int_equal(fw_tcp_meet(&wire.sides[from], &wire.sides[!from], &syn),
				 FW_FIT_STALE);
		wire.sides[0].flags |= FW_SIDE_RESET;
		assert_int_equal(fw_tcp_fit(&wire.sides[from], &wire.sides[!from], &syn),
				 FW_FIT_REOPEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_scale_is_found_among_any_options),
		cmocka_unit_test(the_scale_of_linux_is_found),
		cmocka_unit_test(ends_that_keep_to_tcp_are_never_refused),
		cmocka_unit_test(who_guesses_numbers_is_refused),
		cmocka_unit_test(only_flags_that_belong_together_are_taken),
		cmocka_unit_test(a_reset_with_the_exact_number_closes),
		cmocka_unit_test(a_flow_that_is_over_gives_way_to_a_syn_of_either_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
