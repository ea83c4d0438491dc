/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of things found by what they are: a hash table that knows neither keys nor things. */
#ifndef FWCTL_COMPILER_INDEX_H
#define FWCTL_COMPILER_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "compiler/hash.h"

#define INDEX_NONE UINT32_MAX

struct index_slot {
	uint32_t hash;
	uint32_t number;
};

struct index {
	struct index_slot *slots;
	size_t slot_count;
	size_t count;
	/* Is thing `number` what `key` asks for? */
	bool (*is)(const void *context, uint32_t number, const void *key);
	const void *context;
};

static inline uint32_t hash_words(const void *bytes, size_t size)
{
	uint64_t hash = size, word;
	size_t at = 0;

	for (; at + sizeof(word) <= size; at += sizeof(word)) {
		memcpy(&word, (const char *)bytes + at, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, (const char *)bytes + at, size - at);
	return hash_mix(hash ^ word);
}

static inline void index_place(struct index *index, struct index_slot slot)
{
	size_t at = slot.hash & (index->slot_count - 1);

	while (index->slots[at].number != INDEX_NONE)
		at = (at + 1) & (index->slot_count - 1);
	index->slots[at] = slot;
}

/* Room for `count` things without a step of growth in between. */
static inline void index_reserve(struct index *index, size_t count)
{
	struct index larger = *index;

	if (!larger.slot_count)
		larger.slot_count = 64;
	while (larger.slot_count < count * 2)
		larger.slot_count *= 2;
	if (larger.slot_count == index->slot_count)
		return;
	larger.slots = memory_new(larger.slot_count, sizeof(*larger.slots));
	memset(larger.slots, 0xff, larger.slot_count * sizeof(*larger.slots));
	for (size_t i = 0; i < index->slot_count; i++)
		if (index->slots[i].number != INDEX_NONE)
			index_place(&larger, index->slots[i]);
	free(index->slots);
	*index = larger;
}

/* A number, or INDEX_NONE. */
static inline uint32_t index_find(const struct index *index, uint32_t hash, const void *key)
{
	size_t at = hash & (index->slot_count - 1);

	if (!index->slot_count)
		return INDEX_NONE;
	for (; index->slots[at].number != INDEX_NONE; at = (at + 1) & (index->slot_count - 1))
		if (index->slots[at].hash == hash &&
		    index->is(index->context, index->slots[at].number, key))
			return index->slots[at].number;
	return INDEX_NONE;
}

static inline void index_put(struct index *index, uint32_t hash, uint32_t number)
{
	index_reserve(index, index->count + 1);
	index_place(index, (struct index_slot){ hash, number });
	index->count++;
}

#endif
