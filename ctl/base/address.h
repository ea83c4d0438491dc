/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPv4 and IPv6 addresses, prefixes and sorted sets of ranges. Words are in host order, the most
 * significant first, as in struct fw_packet; an IPv4 address stands in word 0.
 */
#ifndef FWCTL_BASE_ADDRESS_H
#define FWCTL_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fw/packet.h"

struct address {
	uint32_t word[4];
	uint8_t family; /* FW_INET or FW_INET6 */
};

#define ADDRESS_TEXT_MAX 64 /* of "address/length" with its NUL */

/* Inclusive. */
struct range4 {
	uint32_t low;
	uint32_t high;
};

struct range6 {
	uint32_t low[4];
	uint32_t high[4];
};

/* Sorted, disjoint, merged where they touch. */
struct address_ranges {
	const struct range4 *inet;
	size_t inet_count;
	const struct range6 *inet6;
	size_t inet6_count;
};

/* -1, 0, 1 like memcmp, of four words in host order. */
int words_compare(const uint32_t a[4], const uint32_t b[4]);

/* Reads exactly `length` bytes of text. False if they are not one whole address. */
bool address_parse(const char *text, size_t length, struct address *ret_address);

/* Writes at most ADDRESS_TEXT_MAX bytes: the RFC 5952 form for IPv6. */
void address_print(const struct address *address, char *buffer);

/* First and last address of the prefix that holds `address`; 0 <= length <= 32 or 128. */
void prefix_bounds(const struct address *address, unsigned length, struct address *ret_low,
		   struct address *ret_high);

bool ranges_contain(const struct address_ranges *ranges, enum fw_family family,
		    const uint32_t word[4]);

#endif
