/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packet parser, against packets made by scapy (tests/lib/packets.py). Frames are copied to
 * memory of exactly their size, so that the sanitizer sees every read beyond it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fw/parse.h"
#include "packets.h"

/* Parses the first `readable` of `length` bytes, which alone are in memory. */
static enum fw_reason parse_part(const struct fw_frame *known, const char *bytes, size_t readable,
				 size_t length, struct fw_packet *packet)
{
	_cleanup_free_ char *copy = malloc(readable ? readable : 1);
	struct fw_frame frame = *known;

	assert_non_null(copy);
	memcpy(copy, bytes, readable);
	frame.data = copy;
	frame.data_end = copy + readable;
	frame.length = length;
	memset(packet, 0xa5, sizeof(*packet));
	return fw_parse(&frame, packet);
}

static enum fw_reason parse(const char *bytes, size_t length, struct fw_packet *packet)
{
	const struct fw_frame ethernet = { .stripped_vlan = FW_NO_VLAN };

	return parse_part(&ethernet, bytes, length, length, packet);
}

static const struct named_packet *find(const char *name)
{
	for (size_t i = 0; i < NAMED_PACKETS; i++)
		if (!strcmp(named_packets[i].name, name))
			return &named_packets[i];
	fail_msg("no packet is named %s", name);
	return NULL;
}

#define ASSERT_FIELD(field)                                                  \
	do {                                                                 \
		if ((got)->field != (wanted)->field)                         \
			fail_msg("%s: " #field " is %#llx, not %#llx", name, \
				 (unsigned long long)(got)->field,           \
				 (unsigned long long)(wanted)->field);       \
	} while (0)

/* Field by field, so that a failure tells which; then as a whole, padding too. Where headers lie is
 * the business of headers_lie_where_the_packet_says(). */
static void assert_same_packet(const char *name, const struct fw_packet *got,
			       const struct fw_packet *wanted)
{
	struct fw_packet here = *got, there = *wanted;

	for (int i = 0; i < 4; i++) {
		ASSERT_FIELD(source[i]);
		ASSERT_FIELD(destination[i]);
	}
	ASSERT_FIELD(source_mac);
	ASSERT_FIELD(destination_mac);
	ASSERT_FIELD(length);
	ASSERT_FIELD(source_port);
	ASSERT_FIELD(destination_port);
	ASSERT_FIELD(ethertype);
	ASSERT_FIELD(vlan);
	ASSERT_FIELD(family);
	ASSERT_FIELD(protocol);
	ASSERT_FIELD(has);
	ASSERT_FIELD(tcp_flags);
	ASSERT_FIELD(icmp_type);
	ASSERT_FIELD(icmp_code);
	ASSERT_FIELD(ttl);
	ASSERT_FIELD(dscp);
	here.network = there.network = 0;
	here.transport = there.transport = 0;
	here.fragment_id = there.fragment_id = 0;
	assert_memory_equal(&here, &there, sizeof(here));
}

static void assert_reason(const char *name, enum fw_reason got, enum fw_reason wanted)
{
	if (got != wanted)
		fail_msg("%s: %s, not %s", name, fw_reason_name(got), fw_reason_name(wanted));
}

static void every_packet_has_its_fields_or_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < NAMED_PACKETS; i++) {
		const struct named_packet *named = &named_packets[i];
		struct fw_packet packet;

		assert_reason(named->name, parse(named->bytes, named->length, &packet),
			      named->reason);
		if (named->reason == FW_OK)
			assert_same_packet(named->name, &packet, &named->packet);
	}
}

static void headers_lie_where_the_packet_says(void **state)
{
	size_t ports = 0, types = 0, fragments = 0;

	(void)state;
	for (size_t i = 0; i < NAMED_PACKETS; i++) {
		const __u8 *bytes = (const __u8 *)named_packets[i].bytes;
		const struct fw_packet *named = &named_packets[i].packet;
		struct fw_packet packet;

		if (parse(named_packets[i].bytes, named_packets[i].length, &packet) ||
		    packet.family == FW_OTHER)
			continue;
		assert_int_equal(bytes[packet.network] >> 4, packet.family == FW_INET ? 4 : 6);
		if (packet.has & FW_HAS_PORTS) {
			assert_int_equal(fw_load16(bytes + packet.transport), named->source_port);
			assert_int_equal(fw_load16(bytes + packet.transport + 2),
					 named->destination_port);
			ports++;
		} else if (packet.has & FW_HAS_ICMP) {
			assert_int_equal(bytes[packet.transport], named->icmp_type);
			assert_int_equal(bytes[packet.transport + 1], named->icmp_code);
			types++;
		} else if (packet.has & FW_IS_FRAGMENT && packet.family == FW_INET) {
			assert_int_equal(packet.fragment_id, fw_load16(bytes + packet.network + 4));
			fragments++;
		}
	}
	assert_true(ports > 20 && types > 3 && fragments > 3);
}

/* Cut anywhere, a packet is malformed, or what was cut was not of its network packet. */
static void no_packet_is_read_past_its_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < NAMED_PACKETS; i++) {
		const struct named_packet *named = &named_packets[i];
		struct fw_packet packet, whole;

		if (parse(named->bytes, named->length, &whole) != FW_OK)
			memset(&whole, 0, sizeof(whole));
		for (size_t length = 0; length < named->length; length++) {
			enum fw_reason reason = parse(named->bytes, length, &packet);

			if (reason == FW_REASON_HEADER_NOT_LINEAR)
				fail_msg("%s cut to %zu is not linear", named->name, length);
			if (reason == FW_OK && packet.family != FW_OTHER)
				assert_same_packet(named->name, &packet, &whole);
			if (reason == FW_OK && packet.family != FW_OTHER &&
			    length < FW_ETHERNET_HEADER + packet.length)
				fail_msg("%s passes when cut to %zu", named->name, length);
		}
	}
}

/* The frame is whole, but the program may read only a part: as before, or it says that. */
static void headers_out_of_reach_are_never_passed(void **state)
{
	const struct fw_frame ethernet = { .stripped_vlan = FW_NO_VLAN };
	size_t out_of_reach = 0;

	(void)state;
	for (size_t i = 0; i < NAMED_PACKETS; i++) {
		const struct named_packet *named = &named_packets[i];
		struct fw_packet packet;

		for (size_t readable = 0; readable < named->length; readable++) {
			enum fw_reason reason = parse_part(&ethernet, named->bytes, readable,
							   named->length, &packet);

			if (reason == FW_REASON_HEADER_NOT_LINEAR) {
				out_of_reach++;
				continue;
			}
			assert_reason(named->name, reason, named->reason);
			if (reason == FW_OK)
				assert_same_packet(named->name, &packet, &named->packet);
		}
		assert_reason(named->name,
			      parse_part(&ethernet, named->bytes, 0, named->length, &packet),
			      named->length < FW_ETHERNET_HEADER ? FW_REASON_ETHERNET_TRUNCATED
								 : FW_REASON_HEADER_NOT_LINEAR);
	}
	assert_true(out_of_reach > NAMED_PACKETS);
}

static void every_reason_is_earned_by_a_named_packet(void **state)
{
	(void)state;
	for (int reason = FW_OK; reason < FW_LAST_MALFORMED; reason++) {
		size_t i = 0;

		while (i < NAMED_PACKETS && (int)named_packets[i].reason != reason)
			i++;
		if (i == NAMED_PACKETS)
			fail_msg("no named packet is %s", fw_reason_name(reason));
	}
}

static void reasons_have_names_of_their_own(void **state)
{
	(void)state;
	for (unsigned int a = 0; a < FW_REASONS; a++) {
		assert_true(strlen(fw_reason_name(a)) > 1);
		assert_true(strlen(fw_reason_meaning(a)) > 1);
		for (unsigned int b = 0; b < a; b++)
			assert_string_not_equal(fw_reason_name(a), fw_reason_name(b));
	}
	assert_string_equal(fw_reason_name(FW_REASONS), "unknown");
}

/* XDP finds in the frame what TC may find beside it. */
static void a_stripped_tag_is_judged_like_one_in_the_frame(void **state)
{
	size_t tagged = 0;

	(void)state;
	for (size_t i = 0; i < NAMED_PACKETS; i++) {
		const struct named_packet *named = &named_packets[i];
		const __u8 *bytes = (const __u8 *)named->bytes;
		struct fw_frame frame = { 0 };
		struct fw_packet packet;
		char stripped[2048];

		if (named->length < FW_ETHERNET_HEADER + FW_VLAN_TAG ||
		    !fw_is_vlan(fw_load16(bytes + 12)))
			continue;
		frame.stripped_vlan = fw_load16(bytes + 14) & 0xfff;
		memcpy(stripped, bytes, 12);
		memcpy(stripped + 12, bytes + 16, named->length - 16);
		assert_reason(named->name,
			      parse_part(&frame, stripped, named->length - FW_VLAN_TAG,
					 named->length - FW_VLAN_TAG, &packet),
			      named->reason);
		if (named->reason == FW_OK)
			assert_same_packet(named->name, &packet, &named->packet);
		tagged++;
	}
	assert_true(tagged > 5);
}

/* Tunnel devices hand over packets without a link-layer header. */
static void a_packet_without_link_layer_differs_only_in_macs(void **state)
{
	size_t packets = 0;

	(void)state;
	for (size_t i = 0; i < NAMED_PACKETS; i++) {
		const struct named_packet *named = &named_packets[i];
		struct fw_packet packet, wanted = named->packet;
		struct fw_frame frame = { .stripped_vlan = FW_NO_VLAN, .interface = 7 };
		size_t length = named->length - FW_ETHERNET_HEADER;

		if (named->reason == FW_OK && named->packet.family == FW_OTHER)
			continue;
		if (named->length < FW_ETHERNET_HEADER)
			continue;
		frame.layer3 = fw_load16((const __u8 *)named->bytes + 12);
		assert_reason(named->name,
			      parse_part(&frame, named->bytes + FW_ETHERNET_HEADER, length, length,
					 &packet),
			      named->reason);
		wanted.has &= ~FW_HAS_MAC;
		wanted.source_mac = 0;
		wanted.destination_mac = 0;
		wanted.interface = 7;
		if (named->reason == FW_OK)
			assert_same_packet(named->name, &packet, &wanted);
		packets++;
	}
	assert_true(packets > 50);
}

/* Linux hands such packets, merged or not yet split, to TC (BIG TCP); no field holds the length. */
static void a_packet_beyond_64_kib_has_the_length_of_its_frame(void **state)
{
	const struct fw_frame ethernet = { .stripped_vlan = FW_NO_VLAN };
	const char *const names[] = { "tcp_syn", "ipv6_tcp_syn", "udp" };
	const size_t length_at[] = { 16, 18, 16 };
	struct fw_packet packet;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct named_packet *named = find(names[i]);
		char bytes[128];

		memcpy(bytes, named->bytes, named->length);
		memset(bytes + length_at[i], 0, 2);
		assert_reason(named->name,
			      parse_part(&ethernet, bytes, named->length, 200014, &packet), FW_OK);
		assert_int_equal(packet.length, 200000);
		assert_int_equal(packet.source_port, 1234);
		/* One byte below what the field could not hold, 0 is a lie or an empty packet. */
		assert_reason(named->name,
			      parse_part(&ethernet, bytes, named->length,
					 14 + 65535 + (i == 1 ? 40 : 0), &packet),
			      i == 1 ? FW_REASON_TCP_TRUNCATED : FW_REASON_IPV4_TOTAL_LENGTH);
	}
}

static void a_malformed_packet_tells_what_was_read(void **state)
{
	const struct named_packet *named = find("tcp_header_length_16");
	struct fw_packet packet;

	(void)state;
	assert_reason(named->name, parse(named->bytes, named->length, &packet),
		      FW_REASON_TCP_HEADER_LENGTH);
	assert_int_equal(packet.family, FW_INET);
	assert_int_equal(packet.source[0], 0xc0000201);
	assert_int_equal(packet.protocol, 6);
	assert_int_equal(packet.has, FW_HAS_MAC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_has_its_fields_or_its_reason),
		cmocka_unit_test(headers_lie_where_the_packet_says),
		cmocka_unit_test(no_packet_is_read_past_its_end),
		cmocka_unit_test(headers_out_of_reach_are_never_passed),
		cmocka_unit_test(every_reason_is_earned_by_a_named_packet),
		cmocka_unit_test(reasons_have_names_of_their_own),
		cmocka_unit_test(a_stripped_tag_is_judged_like_one_in_the_frame),
		cmocka_unit_test(a_packet_without_link_layer_differs_only_in_macs),
		cmocka_unit_test(a_packet_beyond_64_kib_has_the_length_of_its_frame),
		cmocka_unit_test(a_malformed_packet_tells_what_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
