/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of bits of one width, each kept once and named by a number from 0. */
#ifndef FWCTL_COMPILER_ROWS_H
#define FWCTL_COMPILER_ROWS_H

#include <stddef.h>
#include <stdint.h>

struct rows {
	size_t words; /* of a row */
	uint64_t *bits;
	uint64_t *hashes;
	size_t count;
	size_t capacity;
	size_t hash_capacity;
	uint32_t *slots; /* row number + 1 */
	size_t slot_count;
};

void rows_init(struct rows *rows, size_t words);
void rows_free(struct rows *rows);

/* The number of a row; equal rows must come with equal hashes. */
uint32_t rows_intern(struct rows *rows, const uint64_t *bits, uint64_t hash);

/* The same with a hash of its own, for rows that are made whole. */
uint32_t rows_intern_new(struct rows *rows, const uint64_t *bits);

/* The same of the AND of three rows; `scratch` has room for one. */
uint32_t rows_intern_and(struct rows *rows, const uint64_t *a, const uint64_t *b, const uint64_t *c,
			 uint64_t *scratch);

static inline const uint64_t *rows_at(const struct rows *rows, size_t number)
{
	return rows->bits + number * rows->words;
}

static inline void bit_set(uint64_t *bits, size_t bit)
{
	bits[bit / 64] |= 1ULL << (bit % 64);
}

static inline void bit_clear(uint64_t *bits, size_t bit)
{
	bits[bit / 64] &= ~(1ULL << (bit % 64));
}

#endif
