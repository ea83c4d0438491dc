/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chunks that double in size up to a bound, each used from its start; what is larger than a chunk
 * gets one of its own.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"

#define CHUNK_FIRST 4096U
#define CHUNK_MAX   (1U << 20)
#define ALIGNMENT   _Alignof(max_align_t)

struct chunk {
	struct chunk *next;
	size_t size;
	size_t used;
	max_align_t bytes[];
};

struct arena {
	struct chunk *chunks; /* the first is the one that is being filled */
	size_t next_size;
};

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		message_out_of_memory();
	arena->next_size = CHUNK_FIRST;
	return arena;
}

void arena_free(struct arena **arena)
{
	struct chunk *next;

	if (!*arena)
		return;
	for (struct chunk *chunk = (*arena)->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(*arena);
	*arena = NULL;
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *chunk;

	if (size > SIZE_MAX - sizeof(*chunk))
		message_out_of_memory();
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		message_out_of_memory();
	chunk->next = NULL;
	chunk->size = size;
	chunk->used = 0;
	return chunk;
}

/* A large piece goes behind the chunk that is being filled, so that its room is not lost. */
static void *alloc_large(struct arena *arena, size_t size)
{
	struct chunk *chunk = chunk_new(size);

	chunk->used = size;
	if (arena->chunks) {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	} else {
		arena->chunks = chunk;
	}
	return chunk->bytes;
}

static void *alloc_raw(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->chunks;
	void *piece;

	if (size > SIZE_MAX - ALIGNMENT)
		message_out_of_memory();
	size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (chunk && size <= chunk->size - chunk->used) {
		piece = (char *)chunk->bytes + chunk->used;
		chunk->used += size;
		return piece;
	}
	if (size > arena->next_size / 4)
		return alloc_large(arena, size);
	chunk = chunk_new(arena->next_size);
	if (arena->next_size < CHUNK_MAX)
		arena->next_size *= 2;
	chunk->next = arena->chunks;
	chunk->used = size;
	arena->chunks = chunk;
	return chunk->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *piece = alloc_raw(arena, size);

	memset(piece, 0, size);
	return piece;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy;

	if (length == SIZE_MAX)
		message_out_of_memory();
	copy = alloc_raw(arena, length + 1);
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void *arena_memdup(struct arena *arena, const void *bytes, size_t size)
{
	void *copy = alloc_raw(arena, size);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		message_out_of_memory();
	text = alloc_raw(arena, (size_t)length + 1);
	va_start(arguments, format);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return text;
}
