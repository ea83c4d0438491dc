/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that grows. Always ends with a NUL that does not count. Like an arena it ends the program
 * if memory runs out, so that printing needs no error path.
 */
#ifndef FWCTL_BASE_BUFFER_H
#define FWCTL_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

struct buffer {
	char *text; /* NULL until something is added */
	size_t length;
	size_t capacity;
};

/* Makes room for `more` bytes and the NUL. */
void buffer_reserve(struct buffer *buffer, size_t more);

/* Inline, as rules are printed in pieces of few bytes, most of a length that is known here. */
static inline void buffer_add(struct buffer *buffer, const char *text, size_t length)
{
	if (length >= buffer->capacity - buffer->length)
		buffer_reserve(buffer, length);
	if (length)
		memcpy(buffer->text + buffer->length, text, length);
	buffer->length += length;
	buffer->text[buffer->length] = '\0';
}

static inline void buffer_puts(struct buffer *buffer, const char *text)
{
	buffer_add(buffer, text, strlen(text));
}

static inline void buffer_putc(struct buffer *buffer, char byte)
{
	buffer_add(buffer, &byte, 1);
}

void buffer_number(struct buffer *buffer, unsigned long long value);
void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

/* The text so far, "" if there is none. Valid until the next change. */
const char *buffer_text(const struct buffer *buffer);

/* Hands the text to the caller, who frees it, and leaves the buffer empty. Never NULL. */
char *buffer_take(struct buffer *buffer);

/* Makes it empty but keeps its memory. */
void buffer_clear(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

#define _cleanup_buffer_ __attribute__((cleanup(buffer_free)))

#endif
