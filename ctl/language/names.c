/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of names. Each is sorted by name; the test of this file checks that. */
#include "language/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/message.h"
#include "base/number.h"

#define LIST(array)                                                           \
	{                                                                     \
		.items = (array), .count = sizeof(array) / sizeof((array)[0]) \
	}

static const struct name_value protocols[] = {
	{ "ah", 51 },  { "esp", 50 },	{ "gre", 47 }, { "icmp", 1 }, { "icmp6", 58 },
	{ "ipip", 4 }, { "sctp", 132 }, { "tcp", 6 },  { "udp", 17 },
};
const struct name_list names_protocols = LIST(protocols);

/* RFC 792 and its successors, the names as nft has them. */
static const struct name_value icmp_types[] = {
	{ "address-mask-reply", 18 },
	{ "address-mask-request", 17 },
	{ "destination-unreachable", 3 },
	{ "echo-reply", 0 },
	{ "echo-request", 8 },
	{ "info-reply", 16 },
	{ "info-request", 15 },
	{ "parameter-problem", 12 },
	{ "redirect", 5 },
	{ "router-advertisement", 9 },
	{ "router-solicitation", 10 },
	{ "source-quench", 4 },
	{ "time-exceeded", 11 },
	{ "timestamp-reply", 14 },
	{ "timestamp-request", 13 },
};
const struct name_list names_icmp_types = LIST(icmp_types);

/* Of destination-unreachable. */
static const struct name_value icmp_codes[] = {
	{ "admin-prohibited", 13 }, { "frag-needed", 4 },      { "host-prohibited", 10 },
	{ "host-unreachable", 1 },  { "net-prohibited", 9 },   { "net-unreachable", 0 },
	{ "port-unreachable", 3 },  { "prot-unreachable", 2 },
};
const struct name_list names_icmp_codes = LIST(icmp_codes);

/* RFC 4443, 4861, 2710, 3810, 4065. */
static const struct name_value icmp6_types[] = {
	{ "destination-unreachable", 1 }, { "echo-reply", 129 },
	{ "echo-request", 128 },	  { "mld-listener-done", 132 },
	{ "mld-listener-query", 130 },	  { "mld-listener-report", 131 },
	{ "mld2-listener-report", 143 },  { "nd-neighbor-advert", 136 },
	{ "nd-neighbor-solicit", 135 },	  { "nd-redirect", 137 },
	{ "nd-router-advert", 134 },	  { "nd-router-solicit", 133 },
	{ "packet-too-big", 2 },	  { "parameter-problem", 4 },
	{ "router-renumbering", 138 },	  { "time-exceeded", 3 },
};
const struct name_list names_icmp6_types = LIST(icmp6_types);

/* Of destination-unreachable. */
static const struct name_value icmp6_codes[] = {
	{ "addr-unreachable", 3 }, { "admin-prohibited", 1 }, { "no-route", 0 },
	{ "policy-fail", 5 },	   { "port-unreachable", 4 }, { "reject-route", 6 },
};
const struct name_list names_icmp6_codes = LIST(icmp6_codes);

/* RFC 2474, 2597, 3246, 5865, 8622. */
static const struct name_value dscp[] = {
	{ "af11", 10 }, { "af12", 12 }, { "af13", 14 },	       { "af21", 18 }, { "af22", 20 },
	{ "af23", 22 }, { "af31", 26 }, { "af32", 28 },	       { "af33", 30 }, { "af41", 34 },
	{ "af42", 36 }, { "af43", 38 }, { "cs0", 0 },	       { "cs1", 8 },   { "cs2", 16 },
	{ "cs3", 24 },	{ "cs4", 32 },	{ "cs5", 40 },	       { "cs6", 48 },  { "cs7", 56 },
	{ "ef", 46 },	{ "le", 1 },	{ "voice-admit", 44 },
};
const struct name_list names_dscp = LIST(dscp);

static const struct name_value ethertypes[] = {
	{ "aoe", 0x88a2 },	{ "arp", 0x0806 },	   { "eapol", 0x888e },	 { "ip", 0x0800 },
	{ "ip6", 0x86dd },	{ "lldp", 0x88cc },	   { "macsec", 0x88e5 }, { "mpls", 0x8847 },
	{ "ppp-disc", 0x8863 }, { "ppp-session", 0x8864 }, { "ptp", 0x88f7 },	 { "rarp", 0x8035 },
};
const struct name_list names_ethertypes = LIST(ethertypes);

static const struct name_value states[] = {
	{ "established", FW_STATE_ESTABLISHED },
	{ "new", FW_STATE_NEW },
	{ "related", FW_STATE_RELATED },
};
const struct name_list names_states = LIST(states);

static const struct name_value timeouts[] = {
	{ "icmp-replied", TIMEOUT_ICMP_REPLIED },
	{ "icmp-unreplied", TIMEOUT_ICMP_UNREPLIED },
	{ "other-replied", TIMEOUT_OTHER_REPLIED },
	{ "other-unreplied", TIMEOUT_OTHER_UNREPLIED },
	{ "tcp-closed", TIMEOUT_TCP_CLOSED },
	{ "tcp-closing", TIMEOUT_TCP_CLOSING },
	{ "tcp-established", TIMEOUT_TCP_ESTABLISHED },
	{ "tcp-opening", TIMEOUT_TCP_OPENING },
	{ "udp-replied", TIMEOUT_UDP_REPLIED },
	{ "udp-unreplied", TIMEOUT_UDP_UNREPLIED },
};
const struct name_list names_timeouts = LIST(timeouts);

/*
 * As strcmp, of bytes with a length and a text that ends with a NUL. Most names differ in their
 * first bytes, and each word of a rule file is looked up: a call would cost more than this loop.
 */
static int compare_name(const char *name, size_t length, const char *other)
{
	for (size_t i = 0; i < length; i++)
		if (name[i] != other[i] || !name[i])
			return (uint8_t)name[i] < (uint8_t)other[i] ? -1 : 1;
	return -(other[length] != '\0');
}

bool name_find(const struct name_list *list, const char *name, size_t length, uint32_t *ret_value)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_name(name, length, list->items[middle].name);

		if (!order) {
			*ret_value = list->items[middle].value;
			return true;
		}
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

const char *name_of(const struct name_list *list, uint32_t value)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].value == value)
			return list->items[i].name;
	return NULL;
}

static int compare_values(const void *a, const void *b)
{
	const struct name_value *x = a, *y = b;

	int order = strcmp(x->name, y->name);

	return order ? order : x->value < y->value ? -1 : x->value > y->value;
}

struct name_vector {
	struct name_value *items;
	size_t count;
	size_t capacity;
};

static void vector_add(struct name_vector *vector, const char *name, uint32_t value)
{
	if (vector->count == vector->capacity) {
		vector->capacity = vector->capacity ? vector->capacity * 2 : 512;
		vector->items =
			reallocarray(vector->items, vector->capacity, sizeof(vector->items[0]));
		if (!vector->items)
			message_out_of_memory();
	}
	vector->items[vector->count++] = (struct name_value){ name, value };
}

/* "ssh 22/tcp # SSH" or "tcp 6 TCP": the name, its number and its aliases. */
static void read_line(char *line, struct name_vector *vector, struct arena *arena)
{
	static const uint64_t bounds[2] = { 0, 65535 };
	char *save = NULL, *name, *number;
	uint64_t value;

	line[strcspn(line, "#\n")] = '\0';
	name = strtok_r(line, " \t", &save);
	number = strtok_r(NULL, " \t", &save);
	/* AppleTalk's sockets have names of ports, and other numbers: echo is 4 there, not 7. */
	if (!number || !strcmp(number + strcspn(number, "/"), "/ddp") ||
	    number_parse(number, strcspn(number, "/"), NUMBER_DECIMAL, bounds, &value))
		return;
	for (; name; name = strtok_r(NULL, " \t", &save))
		vector_add(vector, arena_strndup(arena, name, strlen(name)), (uint32_t)value);
}

/* A service stands once for each protocol, with the same number: one is enough. */
static size_t drop_repeated(struct name_value *items, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!kept || strcmp(items[kept - 1].name, items[i].name) != 0)
			items[kept++] = items[i];
	return kept;
}

struct name_list names_read(const char *path, struct arena *arena)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	struct name_vector vector = { 0 };
	struct name_list list = { 0 };
	size_t size = 0;

	if (!file)
		return list;
	while (getline(&line, &size, file) >= 0)
		read_line(line, &vector, arena);
	if (vector.count) {
		qsort(vector.items, vector.count, sizeof(vector.items[0]), compare_values);
		list.count = drop_repeated(vector.items, vector.count);
		list.items =
			arena_memdup(arena, vector.items, list.count * sizeof(vector.items[0]));
	}
	free(vector.items);
	return list;
}

#define DISTANCE_MAX 32 /* longer names are not compared */

unsigned text_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[3][DISTANCE_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	if (a_length > DISTANCE_MAX || b_length > DISTANCE_MAX)
		return DISTANCE_MAX;
	for (unsigned j = 0; j <= b_length; j++)
		last[j] = j;
	for (unsigned i = 1; i <= a_length; i++) {
		unsigned *free_row = before;

		row[0] = i;
		for (unsigned j = 1; j <= b_length; j++) {
			unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		before = last;
		last = row;
		row = free_row;
	}
	return last[b_length];
}

const char *name_nearest(const struct name_list *list, const char *name, size_t length)
{
	unsigned best = length < 4 ? 2 : length < 8 ? 3 : 4; /* one more than is still near */
	const char *nearest = NULL;

	for (size_t i = 0; i < list->count; i++) {
		const char *other = list->items[i].name;
		unsigned distance = text_distance(name, length, other, strlen(other));

		if (!distance)
			return NULL;
		if (distance < best && distance < length) {
			best = distance;
			nearest = other;
		}
	}
	return nearest;
}

static const char flag_letters[] = "FSRPAUEW"; /* in the order of their bits */

bool flags_parse(const char *text, size_t length, uint8_t *ret_flags)
{
	uint8_t flags = 0;

	for (size_t i = 0; i < length; i++) {
		const char *letter = text[i] ? strchr(flag_letters, text[i]) : NULL;
		uint8_t bit;

		if (!letter)
			return false;
		bit = (uint8_t)(1U << (letter - flag_letters));
		if (flags & bit)
			return false;
		flags |= bit;
	}
	*ret_flags = flags;
	return true;
}

void flags_print(uint8_t flags, char *buffer)
{
	for (unsigned bit = 0; bit < 8; bit++)
		if (flags & 1U << bit)
			*buffer++ = flag_letters[bit];
	*buffer = '\0';
}
