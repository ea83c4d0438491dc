/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/rows.h"

#include <string.h>

#include "base/memory.h"
#include "compiler/hash.h"

void rows_init(struct rows *rows, size_t words)
{
	*rows = (struct rows){ .words = words, .slot_count = 64 };
	rows->slots = memory_new(rows->slot_count, sizeof(*rows->slots));
}

void rows_free(struct rows *rows)
{
	free(rows->bits);
	free(rows->hashes);
	free(rows->slots);
	*rows = (struct rows){ 0 };
}

static void rows_put_slot(struct rows *rows, size_t number)
{
	size_t slot = hash_mix(rows->hashes[number]) & (rows->slot_count - 1);

	while (rows->slots[slot])
		slot = (slot + 1) & (rows->slot_count - 1);
	rows->slots[slot] = number + 1;
}

static void rows_grow_slots(struct rows *rows)
{
	free(rows->slots);
	rows->slot_count *= 2;
	rows->slots = memory_new(rows->slot_count, sizeof(*rows->slots));
	for (size_t i = 0; i < rows->count; i++)
		rows_put_slot(rows, i);
}

uint32_t rows_intern(struct rows *rows, const uint64_t *bits, uint64_t hash)
{
	size_t size = rows->words * sizeof(*bits);
	size_t slot = hash_mix(hash) & (rows->slot_count - 1);

	for (; rows->slots[slot]; slot = (slot + 1) & (rows->slot_count - 1)) {
		size_t number = rows->slots[slot] - 1;

		if (rows->hashes[number] == hash && !memcmp(rows_at(rows, number), bits, size))
			return number;
	}
	rows->bits = memory_reserve(rows->bits, &rows->capacity, rows->count + 1, size);
	rows->hashes = memory_reserve(rows->hashes, &rows->hash_capacity, rows->count + 1,
				      sizeof(*rows->hashes));
	memcpy(rows->bits + rows->count * rows->words, bits, size);
	rows->hashes[rows->count] = hash;
	rows->slots[slot] = ++rows->count;
	if (rows->count * 2 > rows->slot_count)
		rows_grow_slots(rows);
	return rows->count - 1;
}

uint32_t rows_intern_new(struct rows *rows, const uint64_t *bits)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < rows->words; i++) {
		hash = (hash ^ bits[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return rows_intern(rows, bits, hash);
}

uint32_t rows_intern_and(struct rows *rows, const uint64_t *a, const uint64_t *b, const uint64_t *c,
			 uint64_t *scratch)
{
	for (size_t i = 0; i < rows->words; i++)
		scratch[i] = a[i] & b[i] & c[i];
	return rows_intern_new(rows, scratch);
}
