// SPDX-License-Identifier: GPL-2.0-only
/* The answer to a SYN, at every length of its header; prog/test_syncookies has the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fw/cookie.h"

/* RFC 1071, byte by byte: 0 for a range whose checksum is right. */
static uint16_t checksum_of(const uint8_t *bytes, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void room_fill(struct fw_cookie_room *room, enum fw_family family)
{
	memset(room, 0xa5, sizeof(*room));
	room->answer.header[0] = family == FW_INET ? 0x45 : 0x60;
	fw_store32(room->segment, 40000U << 16 | 443);
	fw_store32(room->segment + 4, 0xffffffff); /* the next number is 0 */
}

static void answers_are_right_at_every_length(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * 11; i++) {
		const enum fw_family family = i % 2 ? FW_INET6 : FW_INET;
		const unsigned network = family == FW_INET ? 20 : 40, header = 20 + i / 2 * 4;
		const unsigned addresses = family == FW_INET ? 8 : 32;
		static struct fw_cookie_room room;
		const uint8_t *to = room.answer.answer + network;

		room_fill(&room, family);
		assert_int_equal(
			family == FW_INET
				? fw_cookie_answer(&room, FW_INET, 0xc00c1e00, 1460, header)
				: fw_cookie_answer(&room, FW_INET6, 0xc00c1e00, 1460, header),
			network + header);
		assert_int_equal(fw_load32(to), 443U << 16 | 40000);
		assert_int_equal(fw_load32(to + 4), 0xc00c1e00);
		assert_int_equal(fw_load32(to + 8), 0);
		assert_int_equal(to[12], header << 2);
		assert_int_equal(to[13], FW_TCP_SYN | FW_TCP_ACK);
		/* With the pseudo header: the addresses, the length, the protocol. */
		assert_int_equal(checksum_of(to - addresses, addresses + header, header + 6), 0);
		for (unsigned j = 20; j < header; j++)
			assert_int_equal(to[j], j < 24 ? 0x020405b4U >> 8 * (23 - j) & 0xff : 0);
	}
}

static void the_option_goes_where_the_frame_has_room(void **state)
{
	(void)state;
	assert_int_equal(fw_cookie_header(20, 20), 20);
	assert_int_equal(fw_cookie_header(20, 23), 20);
	assert_int_equal(fw_cookie_header(20, 24), 24);
	assert_int_equal(fw_cookie_header(24, 24), 24);
	assert_int_equal(fw_cookie_header(40, 40), 40);
	assert_int_equal(fw_cookie_header(60, 1480), 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_right_at_every_length),
		cmocka_unit_test(the_option_goes_where_the_frame_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
