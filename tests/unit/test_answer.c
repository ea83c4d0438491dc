// SPDX-License-Identifier: GPL-2.0-only
/* What may be answered, and the bytes of answers; tests/lib/answers.py looks at the same outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fw/answer.h"

static struct fw_packet packet_of(enum fw_family family, uint8_t protocol)
{
	struct fw_packet packet = {
		.family = family,
		.protocol = protocol,
		.interface = 7,
		.has = FW_HAS_MAC,
		.source_mac = 0x020000000001,
		.destination_mac = 0x020000000002,
		.source = { family == FW_INET ? 0xc0000201 : 0x20010db8, 0, 0, 1 },
		.destination = { family == FW_INET ? 0xc0000202 : 0x20010db8, 0, 0, 2 },
	};

	if (family == FW_INET)
		packet.source[3] = packet.destination[3] = 0;
	return packet;
}

static struct fw_packet tcp_of(enum fw_family family, uint8_t flags)
{
	struct fw_packet packet = packet_of(family, FW_PROTOCOL_TCP);

	packet.has |= FW_HAS_PORTS | FW_HAS_FLAGS;
	packet.tcp_flags = flags;
	return packet;
}

static void tcp_is_reset_but_never_a_reset(void **state)
{
	(void)state;
	for (enum fw_family family = FW_INET; family <= FW_INET6; family++) {
		for (unsigned flags = 0; flags < 256; flags++) {
			struct fw_packet packet = tcp_of(family, (uint8_t)flags);

			assert_int_equal(fw_answer_to(&packet),
					 flags & FW_TCP_RST ? FW_ANSWER_NONE : FW_ANSWER_RESET);
		}
	}
}

static void other_protocols_are_unreachable(void **state)
{
	(void)state;
	for (unsigned protocol = 0; protocol < 256; protocol++) {
		struct fw_packet packet = packet_of(FW_INET, (uint8_t)protocol);

		if (protocol == FW_PROTOCOL_TCP || protocol == FW_PROTOCOL_ICMP)
			continue;
		assert_int_equal(fw_answer_to(&packet), FW_ANSWER_UNREACHABLE);
	}
}

static void icmp_errors_are_not_answered(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		struct fw_packet packet = packet_of(FW_INET, FW_PROTOCOL_ICMP);
		int asks = type == 0 || type == 8 || (type >= 13 && type <= 18);

		packet.has |= FW_HAS_ICMP;
		packet.icmp_type = (uint8_t)type;
		assert_int_equal(fw_answer_to(&packet),
				 asks ? FW_ANSWER_UNREACHABLE : FW_ANSWER_NONE);
		packet = packet_of(FW_INET6, FW_PROTOCOL_ICMP6);
		packet.has |= FW_HAS_ICMP;
		packet.icmp_type = (uint8_t)type;
		assert_int_equal(fw_answer_to(&packet), type >= 128 && type != 137
								? FW_ANSWER_UNREACHABLE
								: FW_ANSWER_NONE);
	}
}

static void fragments_groups_and_frames_without_ip_are_not_answered(void **state)
{
	struct fw_packet packet = tcp_of(FW_INET, FW_TCP_SYN);

	(void)state;
	packet.has |= FW_IS_FIRST_FRAGMENT;
	assert_int_equal(fw_answer_to(&packet), FW_ANSWER_NONE);
	packet = packet_of(FW_INET6, FW_PROTOCOL_UDP);
	packet.has |= FW_IS_FRAGMENT;
	assert_int_equal(fw_answer_to(&packet), FW_ANSWER_NONE);
	packet = tcp_of(FW_INET, FW_TCP_SYN);
	packet.destination_mac = 0xffffffffffff;
	assert_int_equal(fw_answer_to(&packet), FW_ANSWER_NONE);
	packet = tcp_of(FW_INET, FW_TCP_SYN);
	packet.source_mac |= FW_MAC_GROUP;
	assert_int_equal(fw_answer_to(&packet), FW_ANSWER_NONE);
	packet = (struct fw_packet){ .family = FW_OTHER, .ethertype = FW_ETHERTYPE_ARP };
	assert_int_equal(fw_answer_to(&packet), FW_ANSWER_NONE);
}

struct named_address {
	uint32_t address[4];
	enum fw_family family;
	int is_host; /* 2: on the loopback only */
};

static void only_addresses_of_one_host_are_answered(void **state)
{
	static const struct named_address cases[] = {
		{ { 0x00000000 }, FW_INET, 0 },
		{ { 0x00ffffff }, FW_INET, 0 },
		{ { 0x01000000 }, FW_INET, 1 },
		{ { 0x7f000001 }, FW_INET, 2 },
		{ { 0xdfffffff }, FW_INET, 1 },
		{ { 0xe0000000 }, FW_INET, 0 },
		{ { 0xf0000001 }, FW_INET, 0 },
		{ { 0xffffffff }, FW_INET, 0 },
		{ { 0, 0, 0, 0 }, FW_INET6, 0 },
		{ { 0, 0, 0, 1 }, FW_INET6, 2 },
		{ { 0, 0, 0, 2 }, FW_INET6, 1 },
		{ { 0, 0, 0xffff, 0xc0000201 }, FW_INET6, 0 },
		{ { 0, 1, 0xffff, 0xc0000201 }, FW_INET6, 1 },
		{ { 0xff020000, 0, 0, 1 }, FW_INET6, 0 },
		{ { 0xfe800000, 0, 0, 1 }, FW_INET6, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint32_t interface = 1; interface < 3; interface++) {
			int is_host = cases[i].is_host == 1 ||
				      (cases[i].is_host == 2 && interface == FW_LOOPBACK);
			struct fw_packet from = tcp_of(cases[i].family, FW_TCP_SYN), to = from;

			from.interface = to.interface = interface;
			memcpy(from.source, cases[i].address, sizeof(from.source));
			memcpy(to.destination, cases[i].address, sizeof(to.destination));
			assert_int_equal(fw_answer_to(&from) != FW_ANSWER_NONE, is_host);
			assert_int_equal(fw_answer_to(&to) != FW_ANSWER_NONE, is_host);
		}
	}
}

/* RFC 1071, byte by byte: 0 for a range whose checksum is right. */
static uint16_t slow_checksum(const uint8_t *bytes, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t pseudo_sum(const uint8_t *answer, enum fw_family family, uint8_t protocol,
			   uint32_t payload)
{
	size_t at = family == FW_INET ? 12 : 8, length = family == FW_INET ? 8 : 32;
	uint32_t sum = protocol + payload;

	for (size_t i = at; i < at + length; i++)
		sum += i % 2 ? answer[i] : (uint32_t)answer[i] << 8;
	return sum;
}

static void room_fill(struct fw_answer_room *room, enum fw_family family)
{
	memset(room, 0xa5, sizeof(*room));
	for (size_t i = 0; i < sizeof(room->header); i++)
		room->header[i] = (uint8_t)(rand() & 0xff);
	for (size_t i = 0; i < sizeof(room->segment); i++)
		room->segment[i] = (uint8_t)(rand() & 0xff);
	room->header[0] = family == FW_INET ? 0x45 : 0x60;
}

static void addresses_are_swapped(const struct fw_answer_room *room, enum fw_family family)
{
	size_t at = family == FW_INET ? 12 : 8, length = family == FW_INET ? 4 : 16;

	assert_memory_equal(room->answer + at, room->header + at + length, length);
	assert_memory_equal(room->answer + at + length, room->header + at, length);
	assert_int_equal(room->answer[0], family == FW_INET ? 0x45 : 0x60);
	if (family == FW_INET)
		assert_int_equal(slow_checksum(room->answer, FW_IPV4_HEADER, 0), 0);
}

static uint32_t word(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static void resets_have_the_numbers_of_rfc_9293(void **state)
{
	struct fw_answer_room room;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		enum fw_family family = round % 2 ? FW_INET : FW_INET6;
		uint32_t header = family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER, data, length;
		const uint8_t *to = room.answer + header;

		room_fill(&room, family);
		room.segment[12] = (uint8_t)((5 + round % 11) << 4);
		data = (uint32_t)rand() % 1400;
		length = (room.segment[12] >> 4) * 4U + data;
		assert_int_equal(fw_answer_reset(&room, family, length), header + FW_TCP_HEADER);
		addresses_are_swapped(&room, family);
		assert_memory_equal(to, room.segment + 2, 2);
		assert_memory_equal(to + 2, room.segment, 2);
		if (room.segment[13] & FW_TCP_ACK) {
			assert_int_equal(word(to + 4), word(room.segment + 8));
			assert_int_equal(word(to + 8), 0);
			assert_int_equal(to[13], FW_TCP_RST);
		} else {
			assert_int_equal(word(to + 4), 0);
			assert_int_equal(word(to + 8), word(room.segment + 4) + data +
							       (room.segment[13] & 1) +
							       (room.segment[13] >> 1 & 1));
			assert_int_equal(to[13], FW_TCP_RST | FW_TCP_ACK);
		}
		assert_int_equal(to[12], 0x50);
		assert_int_equal(word(to + 12) & 0xffff, 0);
		assert_int_equal(slow_checksum(to, FW_TCP_HEADER,
					       pseudo_sum(room.answer, family, FW_PROTOCOL_TCP,
							  FW_TCP_HEADER)),
				 0);
	}
}

static void errors_quote_what_fits_and_sum_up(void **state)
{
	struct fw_answer_room room;

	(void)state;
	for (unsigned length = FW_IPV4_HEADER; length < 1500; length++) {
		for (enum fw_family family = FW_INET; family <= FW_INET6; family++) {
			uint32_t header = family == FW_INET ? FW_IPV4_HEADER : FW_IPV6_HEADER;
			uint32_t quoted = fw_quote_length(family, length), payload = 8 + quoted;
			uint8_t protocol = family == FW_INET ? FW_PROTOCOL_ICMP : FW_PROTOCOL_ICMP6;
			uint8_t *quote = room.answer + fw_quote_offset(family);
			uint8_t kept[FW_ANSWER_MOST];
			const uint8_t *to = room.answer + header;

			room_fill(&room, family);
			for (uint32_t i = 0; i < quoted; i++)
				kept[i] = quote[i] = (uint8_t)(rand() & 0xff);
			memset(quote + quoted, 0, 4);
			assert_int_equal(fw_answer_unreachable(&room, family, quoted),
					 header + payload);
			assert_true(header + payload <= (family == FW_INET ? 576 : 1280));
			assert_true(quoted == length ||
				    header + payload == (family == FW_INET ? 576 : 1280));
			addresses_are_swapped(&room, family);
			assert_memory_equal(quote, kept, quoted);
			assert_int_equal(to[0], family == FW_INET ? 3 : 1);
			assert_int_equal(to[1], family == FW_INET ? 3 : 4);
			assert_int_equal(word(to + 4), 0);
			assert_int_equal(slow_checksum(to, payload,
						       family == FW_INET
							       ? 0
							       : pseudo_sum(room.answer, family,
									    protocol, payload)),
					 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_is_reset_but_never_a_reset),
		cmocka_unit_test(other_protocols_are_unreachable),
		cmocka_unit_test(icmp_errors_are_not_answered),
		cmocka_unit_test(fragments_groups_and_frames_without_ip_are_not_answered),
		cmocka_unit_test(only_addresses_of_one_host_are_answered),
		cmocka_unit_test(resets_have_the_numbers_of_rfc_9293),
		cmocka_unit_test(errors_quote_what_fits_and_sum_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
