// SPDX-License-Identifier: GPL-2.0-only
/* Names of flows, and the packets that ICMP errors carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fw/flow_track.h"
#include "packets.h"
#include "talk.h"

static void both_directions_have_one_name(void **state)
{
	size_t named_flows = 0;

	(void)state;
	for (size_t i = 0; i < NAMED_PACKETS; i++) {
		struct fw_packet packet = named_packets[i].packet, back;
		struct fw_flow_name name, other;

		memset(&name, 0xaa, sizeof(name));
		memset(&other, 0x55, sizeof(other));
		if (named_packets[i].reason != FW_OK || packet.has & FW_HAS_ICMP)
			continue;
		if (!fw_flow_name(&packet, 0, &name)) {
			assert_true(packet.family == FW_OTHER || packet.has & FW_IS_FRAGMENT);
			continue;
		}
		back = packet;
		memcpy(back.source, packet.destination, sizeof(back.source));
		memcpy(back.destination, packet.source, sizeof(back.source));
		back.source_port = packet.destination_port;
		back.destination_port = packet.source_port;
		assert_true(fw_flow_name(&back, 0, &other));
		assert_memory_equal(&name.key, &other.key, sizeof(name.key));
		assert_int_not_equal(name.is_upper, other.is_upper);
		named_flows++;
	}
	assert_true(named_flows > 20);
}

static void ports_decide_between_equal_addresses(void **state)
{
	struct fw_packet packet = { .family = FW_INET,
				    .protocol = FW_PROTOCOL_UDP,
				    .has = FW_HAS_PORTS,
				    .source = { 1 },
				    .destination = { 1 },
				    .source_port = 5,
				    .destination_port = 4 };
	struct fw_flow_name name;

	(void)state;
	assert_true(fw_flow_name(&packet, 0, &name));
	assert_int_equal(name.key.lower_port, 4);
	assert_int_equal(name.key.upper_port, 5);
	assert_int_equal(name.is_upper, 1);
}

/* A buffer of its own for each length, so that the sanitizer sees what is read behind it. */
static int inner_of(const uint8_t *bytes, uint32_t length, uint8_t family, struct fw_packet *ret,
		    uint32_t *ret_sequence)
{
	uint8_t *buffer = calloc(1, FW_INNER_MAX);
	uint16_t id = 0;
	int found;

	assert_non_null(buffer);
	memcpy(buffer, bytes, length);
	memset(ret, 0, sizeof(*ret));
	ret->family = family;
	found = fw_inner_parse(buffer, length, ret, &id, ret_sequence);
	free(buffer);
	return found;
}

static void the_packet_of_an_error_is_read_from_its_first_bytes(void **state)
{
	(void)state;
	for (int inet6 = 0; inet6 < 2; inet6++) {
		const struct talk_packet sent = { .inet6 = inet6,
						  .protocol = 6,
						  .source = 0x0a010001,
						  .destination = 0x0a020001,
						  .source_port = 1234,
						  .destination_port = 80,
						  .scale = TALK_NO_SCALE,
						  .flags = TALK_ACK,
						  .sequence = 0x12345678 };
		uint8_t family = inet6 ? FW_INET6 : FW_INET;
		uint32_t headers = inet6 ? 40 : 20, sequence;
		struct talk_frame frame;
		struct fw_packet inner;

		talk_build(&sent, &frame);
		for (uint32_t length = 0; length < headers + 20; length++) {
			int found = inner_of(frame.bytes + 14, length, family, &inner, &sequence);

			assert_int_equal(found, length >= headers + 8);
			if (!found)
				continue;
			assert_int_equal(inner.source_port, 1234);
			assert_int_equal(inner.destination_port, 80);
			assert_int_equal(inner.source[inet6 ? 3 : 0], 0x0a010001);
			assert_int_equal(sequence, 0x12345678);
		}
		/* Of the other family. */
		assert_false(inner_of(frame.bytes + 14, headers + 20, inet6 ? FW_INET : FW_INET6,
				      &inner, &sequence));
	}
}

static void no_inner_packet_is_read_past_its_end(void **state)
{
	uint64_t random = 88172645463325252ULL;
	uint32_t sequence, found = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint8_t bytes[FW_INNER_MAX];
		struct fw_packet inner;
		uint8_t family = i & 1 ? FW_INET : FW_INET6;

		for (size_t j = 0; j < sizeof(bytes); j++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[j] = (uint8_t)(random >> 32);
		}
		bytes[0] = (uint8_t)(family == FW_INET ? 0x40 | (bytes[0] & 15) : 0x60);
		/* Extension headers, often. */
		if (bytes[1] & 1)
			bytes[6] = bytes[40] = bytes[48] = 44 + (bytes[2] & 1) * 16;
		found += (uint32_t)inner_of(bytes, 1 + (uint32_t)(random % FW_INNER_MAX), family,
					    &inner, &sequence);
	}
	assert_true(found > 1000);
}

static void fragments_and_chains_that_hide_the_header_tell_no_flow(void **state)
{
	struct talk_packet sent = { .protocol = 17,
				    .source = 1,
				    .destination = 2,
				    .payload = 40,
				    .offset = 800,
				    .fragment_id = 7 };
	struct talk_frame frame;
	struct fw_packet inner;
	uint32_t sequence;

	(void)state;
	talk_build(&sent, &frame);
	assert_false(inner_of(frame.bytes + 14, 60, FW_INET, &inner, &sequence));
	sent.inet6 = true;
	talk_build(&sent, &frame);
	assert_false(inner_of(frame.bytes + 14, 88, FW_INET6, &inner, &sequence));
	/* The first one tells it. */
	sent.offset = 0;
	sent.more = true;
	talk_build(&sent, &frame);
	assert_true(inner_of(frame.bytes + 14, 88, FW_INET6, &inner, &sequence));
	assert_int_equal(inner.protocol, 17);
}

static void each_protocol_has_its_timeouts(void **state)
{
	(void)state;
	assert_int_equal(fw_flow_timeout(6, FW_FLOW_SYN_SENT), FW_TIMEOUT_TCP_OPENING);
	assert_int_equal(fw_flow_timeout(6, FW_FLOW_SYN_RECEIVED), FW_TIMEOUT_TCP_OPENING);
	assert_int_equal(fw_flow_timeout(6, FW_FLOW_ESTABLISHED), FW_TIMEOUT_TCP_ESTABLISHED);
	assert_int_equal(fw_flow_timeout(6, FW_FLOW_CLOSING), FW_TIMEOUT_TCP_CLOSING);
	assert_int_equal(fw_flow_timeout(6, FW_FLOW_TIME_WAIT), FW_TIMEOUT_TCP_CLOSED);
	assert_int_equal(fw_flow_timeout(6, FW_FLOW_CLOSED), FW_TIMEOUT_TCP_CLOSED);
	assert_int_equal(fw_flow_timeout(17, FW_FLOW_UNREPLIED), FW_TIMEOUT_UDP_UNREPLIED);
	assert_int_equal(fw_flow_timeout(136, FW_FLOW_REPLIED), FW_TIMEOUT_UDP_REPLIED);
	assert_int_equal(fw_flow_timeout(58, FW_FLOW_UNREPLIED), FW_TIMEOUT_ICMP_UNREPLIED);
	assert_int_equal(fw_flow_timeout(1, FW_FLOW_REPLIED), FW_TIMEOUT_ICMP_REPLIED);
	assert_int_equal(fw_flow_timeout(132, FW_FLOW_UNREPLIED), FW_TIMEOUT_OTHER_UNREPLIED);
	assert_int_equal(fw_flow_timeout(47, FW_FLOW_REPLIED), FW_TIMEOUT_OTHER_REPLIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_have_one_name),
		cmocka_unit_test(ports_decide_between_equal_addresses),
		cmocka_unit_test(the_packet_of_an_error_is_read_from_its_first_bytes),
		cmocka_unit_test(no_inner_packet_is_read_past_its_end),
		cmocka_unit_test(fragments_and_chains_that_hide_the_header_tell_no_flow),
		cmocka_unit_test(each_protocol_has_its_timeouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
