/* SPDX-License-Identifier: GPL-2.0-only */
/* Strict numbers and durations. */
#include "base/number.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DURATION_MAX 0x7fffffffU

static int digit_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return 16;
}

int number_parse(const char *text, size_t length, enum number_form form, const uint64_t bounds[2],
		 uint64_t *ret_value)
{
	unsigned base = 10;
	uint64_t value = 0;
	bool overflow = false;

	if (form == NUMBER_ANY && length > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
		base = 16;
		text += 2;
		length -= 2;
	}
	if (!length)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)digit_value(text[i]);

		if (digit >= base)
			return -EINVAL;
		overflow |= __builtin_mul_overflow(value, (uint64_t)base, &value);
		overflow |= __builtin_add_overflow(value, (uint64_t)digit, &value);
	}
	if (overflow || value < bounds[0] || value > bounds[1])
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int number_parse_text(const char *text, uint64_t low, uint64_t high, uint64_t *ret_value)
{
	const uint64_t bounds[2] = { low, high };

	return number_parse(text, strlen(text), NUMBER_DECIMAL, bounds, ret_value);
}

static const struct unit {
	const char *name;
	uint32_t seconds;
} units[] = {
	{ "w", 604800 }, { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "m", 60 }, { "s", 1 },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static const struct unit *unit_find(const char *text, size_t length)
{
	for (size_t i = 0; i < UNITS; i++)
		if (strlen(units[i].name) == length && !memcmp(units[i].name, text, length))
			return &units[i];
	return NULL;
}

int duration_parse(const char *text, size_t length, uint64_t *ret_seconds)
{
	static const uint64_t bounds[2] = { 0, DURATION_MAX };
	const char *end = text + length;
	uint64_t sum = 0, value;

	if (!length)
		return -EINVAL;
	while (text < end) {
		const char *number = text, *name;
		const struct unit *unit;
		int err;

		while (text < end && *text >= '0' && *text <= '9')
			text++;
		name = text;
		while (text < end && (*text < '0' || *text > '9'))
			text++;
		unit = unit_find(name, (size_t)(text - name));
		if (!unit)
			return -EINVAL;
		err = number_parse(number, (size_t)(name - number), NUMBER_DECIMAL, bounds, &value);
		if (err)
			return err;
		sum += value * unit->seconds;
		if (sum > DURATION_MAX)
			return -ERANGE;
	}
	*ret_seconds = sum;
	return 0;
}

void duration_print(uint64_t seconds, char *buffer)
{
	size_t used = 0;

	if (!seconds) {
		memcpy(buffer, "0s", 3);
		return;
	}
	for (size_t i = 0; i < UNITS && seconds; i++) {
		if (seconds < units[i].seconds)
			continue;
		used += (size_t)snprintf(buffer + used, DURATION_TEXT_MAX - used, "%llu%s",
					 (unsigned long long)(seconds / units[i].seconds),
					 units[i].name);
		seconds %= units[i].seconds;
	}
}
