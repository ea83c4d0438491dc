// SPDX-License-Identifier: GPL-2.0-only
#include "base/cpus.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

#define GREATEST 65535 /* the kernel's own bound is 8,191 */

/* A list is N or N-N, several with commas; the kernel sorts them, which nothing here relies on. */
int cpu_numbers_parse(const char *text)
{
	static const uint64_t bounds[2] = { 0, GREATEST };
	size_t length = strcspn(text, "\n");
	const char *end = text + length;
	uint64_t greatest = 0;

	for (;;) {
		uint64_t number;
		size_t digits = strspn(text, "0123456789");

		if (number_parse(text, digits, NUMBER_DECIMAL, bounds, &number))
			return -EINVAL;
		if (number > greatest)
			greatest = number;
		text += digits;
		if (text == end)
			return (int)greatest + 1;
		if (*text != ',' && *text != '-')
			return -EINVAL;
		text++;
	}
}

int cpu_numbers(void)
{
	_cleanup_fclose_ FILE *file = fopen(CPUS_POSSIBLE, "re");
	char text[4096];
	int numbers = file ? -EIO : -errno;

	while (file && numbers < 0 && fgets(text, sizeof(text), file))
		numbers = cpu_numbers_parse(text);
	return numbers;
}
