// SPDX-License-Identifier: GPL-2.0-only
/* vm: long */
/* Limits through the real programs: bursts, counters, addresses, floods. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "prog_run.h"

#define PASS FW_VERDICT_PASS
#define DROP FW_VERDICT_DROP

static void apply(struct filter *filter, const char *rules, const char *fallback)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "option essential off\n"
		 "ingress default %s {\n%s\n}\negress default %s {\n%s\n}\n",
		 fallback, rules, fallback, rules);
	filter_apply(filter, text);
}

static uint64_t limited(struct filter *filter, enum fw_hook hook, const char *identity)
{
	return filter_limited(filter, hook, identity).packets;
}

/* Runs a packet `count` times; how many of them passed. */
static unsigned run(struct filter *filter, enum fw_hook hook, const struct frame *frame,
		    unsigned count)
{
	unsigned passed = 0;

	while (count--)
		passed += filter_run(filter, hook, frame) == PASS;
	return passed;
}

/* A copy of the packet, for tests that change its addresses. */
struct packet {
	uint8_t bytes[256];
	struct frame frame;
};

#define SOURCE4	     26 /* offset in an Ethernet frame */
#define DESTINATION4 30
#define SOURCE6	     22

static void packet_copy(struct packet *packet, const char *name)
{
	struct frame frame = frame_named(name);

	assert_true(frame.length <= sizeof(packet->bytes));
	memcpy(packet->bytes, frame.bytes, frame.length);
	packet->frame = (struct frame){ packet->bytes, frame.length };
}

static void packet_set(struct packet *packet, size_t offset, uint32_t word)
{
	uint8_t bytes[4] = { word >> 24, word >> 16, word >> 8, word };

	memcpy(packet->bytes + offset, bytes, sizeof(bytes));
}

static void burst_passes_and_the_rest_is_counted_as_limited(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	apply(*state, "pass tcp limit 1/h burst 7 label a7", "pass");
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		struct hook_total before = filter_hook(*state, hook);

		assert_int_equal(run(*state, hook, &frame, 20), 7);
		assert_int_equal(filter_rule(*state, hook, "a7").packets, 7);
		assert_int_equal(filter_rule(*state, hook, "a7").bytes, 7 * frame.length);
		assert_int_equal(limited(*state, hook, "a7"), 13);
		assert_int_equal(filter_limited(*state, hook, "a7").bytes, 13 * frame.length);
		assert_int_equal(filter_hook(*state, hook).pass.packets, before.pass.packets + 7);
		assert_int_equal(filter_hook(*state, hook).drop.packets, before.drop.packets + 13);
	}
}

static void burst_that_is_not_written_is_five_or_50_ms(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	apply(*state, "pass tcp limit 1/h label low", "drop");
	assert_int_equal(run(*state, FW_INGRESS, &frame, 20), 5);
	/* 1000/min is 16 a second, of which 50 ms are less than 5. */
	apply(*state, "pass tcp limit 36000000/h label high", "drop");
	assert_in_range(run(*state, FW_INGRESS, &frame, 2000), 500, 1999);
}

/* 10 a second: after 300 ms there are 3 more, whatever came in between. */
static void bucket_refills_with_time(void **state)
{
	const struct timespec pause = { .tv_nsec = 320000000 };
	struct frame frame = frame_named("tcp_syn");
	unsigned passed;

	apply(*state, "pass tcp limit 10/s burst 5 label refill", "drop");
	passed = run(*state, FW_EGRESS, &frame, 50);
	assert_in_range(passed, 5, 50);
	nanosleep(&pause, NULL);
	assert_true(run(*state, FW_EGRESS, &frame, 3) >= 3);
}

static void drop_limit_drops_what_is_over_and_the_rest_goes_on(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	apply(*state,
	      "drop tcp limit 1/h burst 3 label over\n count tcp label behind\n"
	      "pass tcp to port 22 label then",
	      "drop");
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		assert_int_equal(run(*state, hook, &frame, 10), 3);
		assert_int_equal(filter_rule(*state, hook, "over").packets, 0);
		assert_int_equal(limited(*state, hook, "over"), 7);
		assert_int_equal(filter_rule(*state, hook, "behind").packets, 3);
		assert_int_equal(filter_rule(*state, hook, "then").packets, 3);
	}
}

static void count_limit_tells_both_apart_and_drops_nothing(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	apply(*state, "count tcp limit 1/h burst 4 label meter\n pass tcp label then2", "drop");
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		struct hook_total before = filter_hook(*state, hook);

		assert_int_equal(run(*state, hook, &frame, 10), 10);
		assert_int_equal(filter_rule(*state, hook, "meter").packets, 4);
		assert_int_equal(limited(*state, hook, "meter"), 6);
		assert_int_equal(filter_rule(*state, hook, "then2").packets, 10);
		assert_int_equal(filter_hook(*state, hook).pass.packets, before.pass.packets + 10);
		assert_int_equal(filter_hook(*state, hook).drop.packets, before.drop.packets);
	}
}

/* A rule that goes on does not look at what another one before it has dropped. */
static void first_limit_that_is_over_ends_the_search(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	apply(*state,
	      "drop tcp limit 1/h burst 2 label one\n drop to port 22 limit 1/h burst 5 label two\n"
	      "pass limit 1/h burst 1 label three",
	      "drop");
	assert_int_equal(run(*state, FW_INGRESS, &frame, 10), 1);
	assert_int_equal(limited(*state, FW_INGRESS, "one"), 8);
	assert_int_equal(limited(*state, FW_INGRESS, "two"), 0);
	assert_int_equal(limited(*state, FW_INGRESS, "three"), 1);
	assert_int_equal(filter_rule(*state, FW_INGRESS, "three").packets, 1);
}

static void bits_are_those_of_the_frame(void **state)
{
	struct frame frame = frame_named("tcp_syn");
	char rules[128];

	/* Room for 9 frames and a half. */
	snprintf(rules, sizeof(rules), "pass tcp limit 1 kbit/s burst %zu label bits",
		 (frame.length * 9 + frame.length / 2) * 8);
	apply(*state, rules, "drop");
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++)
		assert_int_equal(run(*state, hook, &frame, 50), 9);
}

static void each_source_has_a_bucket_of_its_own(void **state)
{
	struct packet packet;

	packet_copy(&packet, "tcp_syn");
	apply(*state, "pass tcp limit 1/h burst 3 per source label each", "drop");
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		for (uint32_t i = 0; i < 1000; i++) {
			packet_set(&packet, SOURCE4, 0x0a000000 + i);
			packet_set(&packet, DESTINATION4, 0x0a000000 + i % 7);
			assert_int_equal(run(*state, hook, &packet.frame, 5), 3);
		}
		assert_int_equal(limited(*state, hook, "each"), 2000);
	}
}

static void each_destination_has_a_bucket_of_its_own(void **state)
{
	struct packet packet;

	packet_copy(&packet, "tcp_syn");
	apply(*state, "pass tcp limit 1/h burst 3 per destination label dest", "drop");
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		for (uint32_t i = 0; i < 100; i++) {
			packet_set(&packet, SOURCE4, 0x0a000000 + i % 7);
			packet_set(&packet, DESTINATION4, 0x0a000000 + i);
			assert_int_equal(run(*state, hook, &packet.frame, 5), 3);
		}
	}
}

static void ipv6_is_limited_by_64_bits_of_the_prefix(void **state)
{
	struct packet packet;

	packet_copy(&packet, "ipv6_tcp_syn");
	apply(*state, "pass tcp limit 1/h burst 3 per source label six", "drop");
	assert_int_equal(run(*state, FW_INGRESS, &packet.frame, 2), 2);
	packet_set(&packet, SOURCE6 + 12, 0x12345678); /* the same /64 */
	assert_int_equal(run(*state, FW_INGRESS, &packet.frame, 5), 1);
	packet_set(&packet, SOURCE6 + 4, 0x12345678); /* another */
	assert_int_equal(run(*state, FW_INGRESS, &packet.frame, 5), 3);
}

static void frames_that_are_not_ip_are_limited_by_mac_address(void **state)
{
	struct packet packet;

	packet_copy(&packet, "arp");
	apply(*state, "pass limit 1/h burst 2 per source label mac", "drop");
	assert_int_equal(run(*state, FW_INGRESS, &packet.frame, 5), 2);
	packet.bytes[11] ^= 1; /* of the source */
	assert_int_equal(run(*state, FW_INGRESS, &packet.frame, 5), 2);
}

/* The same address under two rules, and on the two hooks, has four buckets. */
static void rules_do_not_share_the_buckets_of_an_address(void **state)
{
	struct packet tcp, udp;

	packet_copy(&tcp, "tcp_syn");
	packet_copy(&udp, "udp");
	memcpy(udp.bytes + SOURCE4, tcp.bytes + SOURCE4, 4);
	apply(*state,
	      "pass tcp limit 1/h burst 2 per source label of-tcp\n"
	      "pass udp limit 1/h burst 3 per source label of-udp",
	      "drop");
	for (enum fw_hook hook = 0; hook < FW_HOOKS; hook++) {
		assert_int_equal(run(*state, hook, &tcp.frame, 5), 2);
		assert_int_equal(run(*state, hook, &udp.frame, 5), 3);
	}
}

static void buckets_stay_when_the_rules_change(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	apply(*state, "pass tcp limit 1/h burst 3 label kept", "drop");
	assert_int_equal(run(*state, FW_INGRESS, &frame, 2), 2);
	apply(*state, "drop udp\n pass tcp limit 1/h burst 3 label kept", "drop");
	assert_int_equal(run(*state, FW_INGRESS, &frame, 5), 1);
	/* Gone and back: as long as nothing else changes between, the bucket is still there. */
	apply(*state, "drop udp limit 1/h label another", "drop");
	apply(*state, "pass tcp limit 1/h burst 3 label kept", "drop");
	assert_int_equal(run(*state, FW_INGRESS, &frame, 5), 0);
	assert_int_equal(filter_rule(*state, FW_INGRESS, "kept").packets, 3);
	/* New ones are full, whosever line they get. */
	for (int i = 0; i < 10; i++) {
		char rules[64];

		snprintf(rules, sizeof(rules), "pass tcp limit 1/h burst 3 label new%d", i);
		apply(*state, rules, "drop");
		assert_int_equal(run(*state, FW_INGRESS, &frame, 5), 3);
	}
}

static void wider_limit_does_not_wait_for_the_debt_of_the_narrow_one(void **state)
{
	struct frame frame = frame_named("tcp_syn");

	for (int i = 0; i < 2; i++) {
		const char *per = i ? "per source" : "";
		char rules[128];

		snprintf(rules, sizeof(rules), "pass tcp limit 1/h burst 100 %s label l%d", per, i);
		apply(*state, rules, "drop");
		assert_int_equal(run(*state, FW_INGRESS, &frame, 150), 100);
		snprintf(rules, sizeof(rules), "pass tcp limit 10000/s burst 10 %s label l%d", per,
			 i);
		apply(*state, rules, "drop");
		run(*state, FW_INGRESS, &frame, 1);
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
		assert_int_equal(run(*state, FW_INGRESS, &frame, 5), 5);
	}
}

/* More limits than the first array of lines holds. */
static void many_limits_keep_their_buckets_when_there_are_more(void **state)
{
	static char rules[3000 * 64];
	struct frame frame = frame_named("tcp_syn");
	size_t length = 0;

	apply(*state, "pass tcp limit 1/h burst 3 label first", "drop");
	assert_int_equal(run(*state, FW_INGRESS, &frame, 2), 2);
	length += (size_t)sprintf(rules, "ingress default drop {\n"
					 "pass tcp limit 1/h burst 3 label first\n");
	for (unsigned i = 0; i < 2500; i++)
		length += (size_t)sprintf(rules + length,
					  "pass udp to port %u limit 1/h label m%u\n", i + 1, i);
	sprintf(rules + length, "}\n");
	filter_apply(*state, rules);
	assert_int_equal(run(*state, FW_INGRESS, &frame, 5), 1);
}

/* --- Floods ------------------------------------------------------------------------------- */

/* Each packet is a system call: 10 million are for the same source against a model, in
 * tests/unit/test_limit.c, or for who has the time: FW_FLOOD=10000000. */
static unsigned flood_size(void)
{
	const char *text = getenv("FW_FLOOD");

	return text ? (unsigned)strtoul(text, NULL, 10) : 1000000;
}

/* Random sources, with one that is over its limit and one that is not among them. */
static void flood_of_sources_neither_frees_nor_starves_anyone(void **state)
{
	struct packet flood, abuser, user;
	unsigned abused = 0, used = 0, asked = 0;
	unsigned size = flood_size();
	uint32_t random = 1;

	packet_copy(&flood, "tcp_syn");
	abuser = user = flood;
	abuser.frame.bytes = abuser.bytes;
	user.frame.bytes = user.bytes;
	packet_set(&abuser, SOURCE4, 0xc0000201);
	packet_set(&user, SOURCE4, 0xc0000202);
	apply(*state, "pass tcp limit 1/h burst 10 per source label flooded", "drop");
	for (unsigned i = 0; i < size; i++) {
		random = random * 1664525 + 1013904223;
		packet_set(&flood, SOURCE4, random);
		filter_run(*state, FW_INGRESS, &flood.frame);
		if (i % 1000 == 0)
			abused += filter_run(*state, FW_INGRESS, &abuser.frame) == PASS;
		if (i % (size / 8) == 0) {
			asked++;
			used += filter_run(*state, FW_INGRESS, &user.frame) == PASS;
		}
	}
	assert_int_equal(abused, 10);
	assert_int_equal(used, asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_passes_and_the_rest_is_counted_as_limited),
		cmocka_unit_test(burst_that_is_not_written_is_five_or_50_ms),
		cmocka_unit_test(bucket_refills_with_time),
		cmocka_unit_test(drop_limit_drops_what_is_over_and_the_rest_goes_on),
		cmocka_unit_test(count_limit_tells_both_apart_and_drops_nothing),
		cmocka_unit_test(first_limit_that_is_over_ends_the_search),
		cmocka_unit_test(bits_are_those_of_the_frame),
		cmocka_unit_test(each_source_has_a_bucket_of_its_own),
		cmocka_unit_test(each_destination_has_a_bucket_of_its_own),
		cmocka_unit_test(ipv6_is_limited_by_64_bits_of_the_prefix),
		cmocka_unit_test(frames_that_are_not_ip_are_limited_by_mac_address),
		cmocka_unit_test(rules_do_not_share_the_buckets_of_an_address),
		cmocka_unit_test(buckets_stay_when_the_rules_change),
		cmocka_unit_test(wider_limit_does_not_wait_for_the_debt_of_the_narrow_one),
		cmocka_unit_test(many_limits_keep_their_buckets_when_there_are_more),
		cmocka_unit_test(flood_of_sources_neither_frees_nor_starves_anyone),
	};
	int skipped = needs_root();

	return skipped ? skipped : cmocka_run_group_tests(tests, filter_setup, filter_teardown);
}
