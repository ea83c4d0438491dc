/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory, or the end of the program: analysis only builds tables and leaves nothing half done.
 */
#ifndef FWCTL_ANALYSIS_ALLOCATE_H
#define FWCTL_ANALYSIS_ALLOCATE_H

#include <stdlib.h>

#include "base/message.h"

static inline void *must_calloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		message_out_of_memory();
	return memory;
}

/* Room for one more item behind `count`; doubles when it is full. */
static inline void *must_grow(void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity ? *capacity * 2 : 16;
	items = reallocarray(items, *capacity, size);
	if (!items)
		message_out_of_memory();
	return items;
}

#endif
