/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of values: services and protocols from the system's files, and what standards name:
 * ICMP types and codes, code points, ethertypes, TCP flags, states.
 */
#ifndef FWCTL_LANGUAGE_NAMES_H
#define FWCTL_LANGUAGE_NAMES_H

#include "base/arena.h"
#include "language/model.h"

struct name_value {
	const char *name;
	uint32_t value;
};

/* Sorted by name, each name once. Of several names of one value the first in `values` is shown. */
struct name_list {
	const struct name_value *items;
	size_t count;
};

extern const struct name_list names_icmp_types;
extern const struct name_list names_icmp_codes;
extern const struct name_list names_icmp6_types;
extern const struct name_list names_icmp6_codes;
extern const struct name_list names_dscp;
extern const struct name_list names_ethertypes;
extern const struct name_list names_protocols; /* those that are keywords of the language */
extern const struct name_list names_states;
extern const struct name_list names_timeouts;

/* Are the bytes this name? */
static inline bool name_is(const char *name, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (name[i] != text[i] || !name[i])
			return false;
	return !name[length];
}

/* True and the value, if the list has the name. */
bool name_find(const struct name_list *list, const char *name, size_t length, uint32_t *ret_value);

/* The name that a value is printed with, or NULL. */
const char *name_of(const struct name_list *list, uint32_t value);

/* Reads a file like /etc/services ("name number[/...] aliases"); empty if it cannot be read. */
struct name_list names_read(const char *path, struct arena *arena);

/* The known name nearest to a mistyped one, or NULL if none is near. */
const char *name_nearest(const struct name_list *list, const char *name, size_t length);

/* Letters to change, add, take out or swap to make one of the other. */
unsigned text_distance(const char *a, size_t a_length, const char *b, size_t b_length);

/* Of flag letters: F S R P A U E W. False if a letter is none of them or stands twice. */
bool flags_parse(const char *text, size_t length, uint8_t *ret_flags);

/* Writes at most 9 bytes. */
void flags_print(uint8_t flags, char *buffer);

#endif
