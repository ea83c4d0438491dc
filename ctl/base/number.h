/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text to numbers, the only place that does it: whole tokens, no sign, no blanks, no trailing
 * bytes, within bounds.
 */
#ifndef FWCTL_BASE_NUMBER_H
#define FWCTL_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum number_form {
	NUMBER_DECIMAL,
	NUMBER_ANY, /* decimal, or hexadecimal behind 0x */
};

/*
 * Reads exactly `length` bytes of text. 0, -EINVAL if they are not a number, -ERANGE if it is
 * not within [low, high].
 */
int number_parse(const char *text, size_t length, enum number_form form, const uint64_t bounds[2],
		 uint64_t *ret_value);

/* The same for decimal text that ends with a NUL, as in argv. */
int number_parse_text(const char *text, uint64_t low, uint64_t high, uint64_t *ret_value);

/*
 * A duration in seconds: numbers with units s, m or min, h, d, w in any sum: 90s, 1h, 1h30min.
 * 0, -EINVAL or -ERANGE (more than 68 years).
 */
int duration_parse(const char *text, size_t length, uint64_t *ret_seconds);

#define DURATION_TEXT_MAX 64

/* Writes at most DURATION_TEXT_MAX bytes: the largest units first, as in 1h30min. */
void duration_print(uint64_t seconds, char *buffer);

#endif
