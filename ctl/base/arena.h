/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An arena: memory that is taken piece by piece and given back all at once. Running out of memory
 * ends the program with a message; a rule file's size is bounded before, so nothing half done is
 * left: fwctl builds everything before it touches the kernel.
 */
#ifndef FWCTL_BASE_ARENA_H
#define FWCTL_BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena **arena);

/* Zeroed, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);

/* Copies with a NUL at the end. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
void *arena_memdup(struct arena *arena, const void *bytes, size_t size);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
