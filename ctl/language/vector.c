/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays that grow on the heap while parsing; what remains of them goes into the arena at once. */
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "language/parser.h"

void *vector_add(struct vector *vector, size_t size)
{
	char *item;

	if (vector->count == vector->capacity) {
		vector->capacity = vector->capacity ? vector->capacity * 2 : 16;
		vector->items = reallocarray(vector->items, vector->capacity, size);
		if (!vector->items)
			message_out_of_memory();
	}
	item = (char *)vector->items + vector->count++ * size;
	memset(item, 0, size);
	return item;
}

void *vector_take(struct vector *vector, size_t size, struct arena *arena)
{
	void *items = arena_memdup(arena, vector->items, vector->count * size);

	vector->count = 0;
	return items;
}

void vector_free(struct vector *vector)
{
	free(vector->items);
	*vector = (struct vector){ 0 };
}
