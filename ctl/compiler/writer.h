/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image while it grows. Pieces are named by offsets, as the bytes move. Past the largest size
 * class nothing is written any more and `full` says so.
 */
#ifndef FWCTL_COMPILER_WRITER_H
#define FWCTL_COMPILER_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
	bool full;
};

/* Offset of `size` zeroed bytes, aligned to a power of two; 0, a place to write to in vain, if
 * the image is full. */
uint32_t writer_add(struct writer *writer, size_t size, size_t alignment);

static inline void *writer_at(const struct writer *writer, uint32_t offset)
{
	return writer->bytes + offset;
}

void writer_free(struct writer *writer);

#endif
