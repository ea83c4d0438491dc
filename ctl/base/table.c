/* SPDX-License-Identifier: GPL-2.0-only */
/* Open addressing, linear probing, at most half full. */
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/message.h"

/* Eight bytes a step. Keys are an operator's own names, so nobody else chooses collisions. */
static uint64_t hash_bytes(const char *bytes, size_t length)
{
	uint64_t hash = 0x9e3779b97f4a7c15ULL ^ length;

	while (length) {
		size_t step = length < 8 ? length : 8;
		uint64_t word = 0;

		memcpy(&word, bytes, step);
		hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
		hash ^= hash >> 32;
		bytes += step;
		length -= step;
	}
	return hash;
}

/* The slot of the key, or the free one where it belongs. The table is not full. */
static struct table_slot *slot_find(const struct table *table, const char *key, size_t length,
				    uint64_t hash)
{
	size_t index = hash & (table->capacity - 1);

	for (;;) {
		struct table_slot *slot = &table->slots[index];

		if (!slot->key || (slot->hash == hash && slot->length == length &&
				   !memcmp(slot->key, key, length)))
			return slot;
		index = (index + 1) & (table->capacity - 1);
	}
}

uint32_t *table_find(const struct table *table, const char *key, size_t length)
{
	struct table_slot *slot;

	if (!table->count)
		return NULL;
	slot = slot_find(table, key, length, hash_bytes(key, length));
	return slot->key ? &slot->value : NULL;
}

static void table_grow(struct table *table)
{
	struct table bigger = { .capacity = table->capacity ? table->capacity * 2 : 16 };

	bigger.slots = calloc(bigger.capacity, sizeof(bigger.slots[0]));
	if (!bigger.slots)
		message_out_of_memory();
	for (size_t i = 0; i < table->capacity; i++) {
		const struct table_slot *slot = &table->slots[i];

		if (slot->key)
			*slot_find(&bigger, slot->key, slot->length, slot->hash) = *slot;
	}
	bigger.count = table->count;
	free(table->slots);
	*table = bigger;
}

bool table_add(struct table *table, const char *key, size_t length, uint32_t value)
{
	uint64_t hash = hash_bytes(key, length);
	struct table_slot *slot;

	if (table->count >= table->capacity / 2)
		table_grow(table);
	slot = slot_find(table, key, length, hash);
	if (slot->key)
		return false;
	*slot = (struct table_slot){
		.key = key, .length = (uint32_t)length, .value = value, .hash = hash
	};
	table->count++;
	return true;
}

void table_free(struct table *table)
{
	free(table->slots);
	*table = (struct table){ 0 };
}
