/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/writer.h"

#include <string.h>

#include "base/memory.h"
#include "fw/image.h"

uint32_t writer_add(struct writer *writer, size_t size, size_t alignment)
{
	size_t offset = (writer->size + alignment - 1) & ~(alignment - 1);
	size_t capacity = writer->capacity ? writer->capacity : 1 << 16;
	uint8_t *bytes;

	if (writer->full || size > FW_IMAGE_SIZE_3 || offset + size > FW_IMAGE_SIZE_3) {
		writer->full = true;
		return 0;
	}
	while (capacity < offset + size)
		capacity *= 2;
	if (capacity > writer->capacity) {
		bytes = aligned_alloc(FW_LINE, capacity);
		if (!bytes)
			message_out_of_memory();
		if (writer->size)
			memcpy(bytes, writer->bytes, writer->size);
		free(writer->bytes);
		writer->bytes = bytes;
		writer->capacity = capacity;
	}
	memset(writer->bytes + writer->size, 0, offset + size - writer->size);
	writer->size = offset + size;
	return offset;
}

void writer_free(struct writer *writer)
{
	free(writer->bytes);
	*writer = (struct writer){ 0 };
}
