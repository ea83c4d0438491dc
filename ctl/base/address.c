/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address text and address arithmetic. The parser is our own: lists of a million prefixes are
 * read with it, and it takes a length instead of a NUL.
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

int words_compare(const uint32_t a[4], const uint32_t b[4])
{
	for (int i = 0; i < 4; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* Four decimal numbers with dots, no leading zeros: "010" is octal to some, ten to others. */
static bool parse_inet(const char *text, const char *end, uint32_t *ret_word)
{
	uint32_t word = 0;

	for (int part = 0; part < 4; part++) {
		const char *start = text;
		uint32_t value = 0;

		if (part && (text == end || *text++ != '.'))
			return false;
		start = text;
		while (text < end && *text >= '0' && *text <= '9' && text - start < 3)
			value = value * 10 + (uint32_t)(*text++ - '0');
		if (text == start || value > 255 || (*start == '0' && text - start > 1))
			return false;
		word = word << 8 | value;
	}
	*ret_word = word;
	return text == end;
}

static int hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Up to four hexadecimal digits; the number of bytes read. */
static size_t parse_group(const char *text, const char *end, uint32_t *ret_group)
{
	uint32_t group = 0;
	size_t length = 0;

	while (text + length < end && length < 4 && hex_digit(text[length]) >= 0) {
		group = group << 4 | (uint32_t)hex_digit(text[length]);
		length++;
	}
	*ret_group = group;
	return length;
}

/* Groups as they stand in the text, and where "::" was. */
struct groups {
	uint16_t items[8];
	int count;
	int gap; /* index that "::" stands before, or -1 */
};

static bool parse_groups(const char *text, const char *end, struct groups *groups)
{
	groups->count = 0;
	groups->gap = -1;
	if (end - text >= 2 && text[0] == ':' && text[1] == ':') {
		groups->gap = 0;
		text += 2;
	}
	while (text < end) {
		uint32_t group, inet;
		size_t length = parse_group(text, end, &group);

		if (groups->count <= 6 && text + length < end && text[length] == '.' &&
		    parse_inet(text, end, &inet)) {
			groups->items[groups->count++] = (uint16_t)(inet >> 16);
			groups->items[groups->count++] = (uint16_t)inet;
			return true;
		}
		if (!length || groups->count == 8)
			return false;
		groups->items[groups->count++] = (uint16_t)group;
		text += length;
		if (text == end)
			return true;
		if (*text++ != ':')
			return false;
		if (text < end && *text == ':') {
			if (groups->gap >= 0)
				return false;
			groups->gap = groups->count;
			text++;
		} else if (text == end) {
			return false;
		}
	}
	return true;
}

static bool parse_inet6(const char *text, const char *end, uint32_t ret_word[4])
{
	uint16_t all[8] = { 0 };
	struct groups groups;
	int behind;

	if (!parse_groups(text, end, &groups))
		return false;
	if (groups.gap < 0 ? groups.count != 8 : groups.count > 7)
		return false;
	if (groups.gap < 0)
		groups.gap = groups.count;
	behind = groups.count - groups.gap;
	memcpy(all, groups.items, (size_t)groups.gap * sizeof(all[0]));
	memcpy(all + 8 - behind, groups.items + groups.gap, (size_t)behind * sizeof(all[0]));
	for (int i = 0; i < 4; i++)
		ret_word[i] = (uint32_t)all[2 * i] << 16 | all[2 * i + 1];
	return true;
}

bool address_parse(const char *text, size_t length, struct address *ret_address)
{
	struct address address = { .family = FW_INET };

	if (!memchr(text, ':', length)) {
		if (!parse_inet(text, text + length, &address.word[0]))
			return false;
	} else {
		address.family = FW_INET6;
		if (!parse_inet6(text, text + length, address.word))
			return false;
	}
	*ret_address = address;
	return true;
}

static char *print_byte(char *cursor, uint32_t value)
{
	if (value >= 100)
		*cursor++ = (char)('0' + value / 100);
	if (value >= 10)
		*cursor++ = (char)('0' + value / 10 % 10);
	*cursor++ = (char)('0' + value % 10);
	return cursor;
}

void address_print(const struct address *address, char *buffer)
{
	uint32_t network[4];

	if (address->family == FW_INET) {
		for (int shift = 24; shift >= 0; shift -= 8) {
			buffer = print_byte(buffer, address->word[0] >> shift & 0xff);
			*buffer++ = shift ? '.' : '\0';
		}
		return;
	}
	for (int i = 0; i < 4; i++)
		network[i] = htonl(address->word[i]);
	inet_ntop(AF_INET6, network, buffer, ADDRESS_TEXT_MAX);
}

void prefix_bounds(const struct address *address, unsigned length, struct address *ret_low,
		   struct address *ret_high)
{
	struct address low = *address, high = *address;
	int words = address->family == FW_INET ? 1 : 4;

	for (int i = 0; i < words; i++) {
		unsigned start = (unsigned)i * 32;
		uint32_t host; /* the bits of this word behind the prefix */

		if (length >= start + 32)
			host = 0;
		else if (length <= start)
			host = UINT32_MAX;
		else
			host = UINT32_MAX >> (length - start);
		low.word[i] &= ~host;
		high.word[i] |= host;
	}
	*ret_low = low;
	*ret_high = high;
}

static bool ranges_contain_inet(const struct address_ranges *ranges, uint32_t word)
{
	size_t low = 0, high = ranges->inet_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->inet[middle].high < word)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ranges->inet_count && ranges->inet[low].low <= word;
}

bool ranges_contain(const struct address_ranges *ranges, enum fw_family family,
		    const uint32_t word[4])
{
	size_t low = 0, high = ranges->inet6_count;

	if (family == FW_INET)
		return ranges_contain_inet(ranges, word[0]);
	if (family != FW_INET6)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (words_compare(ranges->inet6[middle].high, word) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ranges->inet6_count && words_compare(ranges->inet6[low].low, word) <= 0;
}
