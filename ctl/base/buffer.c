/* SPDX-License-Identifier: GPL-2.0-only */
/* Text that grows by doubling. */
#include "base/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"

void buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t needed, capacity;
	char *text;

	if (more > SIZE_MAX / 4 - buffer->length)
		message_out_of_memory();
	needed = buffer->length + more + 1;
	if (needed <= buffer->capacity)
		return;
	capacity = buffer->capacity ? buffer->capacity * 2 : 64;
	if (capacity < needed)
		capacity = needed;
	text = realloc(buffer->text, capacity);
	if (!text)
		message_out_of_memory();
	buffer->text = text;
	buffer->capacity = capacity;
}

void buffer_number(struct buffer *buffer, unsigned long long value)
{
	char digits[24];
	char *cursor = digits + sizeof(digits);

	do {
		*--cursor = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buffer_add(buffer, cursor, (size_t)(digits + sizeof(digits) - cursor));
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments)
{
	va_list again;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		message_out_of_memory();
	buffer_reserve(buffer, (size_t)length);
	vsnprintf(buffer->text + buffer->length, (size_t)length + 1, format, arguments);
	buffer->length += (size_t)length;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	buffer_vprintf(buffer, format, arguments);
	va_end(arguments);
}

const char *buffer_text(const struct buffer *buffer)
{
	return buffer->text ? buffer->text : "";
}

char *buffer_take(struct buffer *buffer)
{
	char *text;

	buffer_reserve(buffer, 0);
	buffer->text[buffer->length] = '\0';
	text = buffer->text;
	*buffer = (struct buffer){ 0 };
	return text;
}

void buffer_clear(struct buffer *buffer)
{
	buffer->length = 0;
	if (buffer->text)
		buffer->text[0] = '\0';
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->text);
	*buffer = (struct buffer){ 0 };
}
