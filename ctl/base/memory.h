/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays that grow. Running out of memory ends the program, as in an arena. */
#ifndef FWCTL_BASE_MEMORY_H
#define FWCTL_BASE_MEMORY_H

#include <stdlib.h>

#include "base/message.h"

/* For commands that need much of it, at their start. */
void memory_prepare(void);

/* Zeroed; never NULL. */
static inline void *memory_new(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		message_out_of_memory();
	return memory;
}

/* Room for `count` items of an array of *capacity items. */
static inline void *memory_reserve(void *memory, size_t *capacity, size_t count, size_t size)
{
	size_t wanted = *capacity ? *capacity : 16;

	if (count <= *capacity)
		return memory;
	while (wanted < count)
		wanted *= 2;
	memory = reallocarray(memory, wanted, size);
	if (!memory)
		message_out_of_memory();
	*capacity = wanted;
	return memory;
}

#endif
