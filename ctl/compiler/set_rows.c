/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of live sets. Any of 2^64 subsets may hold an address, so the rows are made when a
 * packet needs them, of what each set contributes. On one side a term asks to be in any of some
 * sets or in none of some: either way its bit is turned as soon as the address is in one of them,
 * and further sets leave it so. That makes one row a set enough.
 */
#include <string.h>

#include "base/memory.h"
#include "compiler/instance.h"

#define SIDES 2

/* What one side of a packet says: the row of an address in no set, and what each set turns. */
struct side {
	uint64_t sets;	  /* named on this side */
	uint64_t *none;	  /* a row */
	uint64_t *turned; /* a row for each set */
};

static uint64_t *turned_by(const struct instance *instance, const struct side *side, unsigned set)
{
	return side->turned + set * space_words(&instance->space);
}

static void side_add(const struct instance *instance, struct side *side,
		     const struct predicate *predicate, uint32_t bit)
{
	side->sets |= predicate->sets;
	if (!predicate->match->negated)
		bit_clear(side->none, bit);
	for (uint64_t left = predicate->sets; left; left &= left - 1)
		bit_set(turned_by(instance, side, (unsigned)__builtin_ctzll(left)), bit);
}

static void side_make(const struct instance *instance, enum axis axis, struct side *side)
{
	const struct predicates *predicates = &instance->terms.predicates[axis];
	size_t words = space_words(&instance->space);
	struct predicate_bits bits;

	*side = (struct side){
		.none = memory_new(words, sizeof(uint64_t)),
		.turned = memory_new(words * FW_MAX_LIVE_SETS, sizeof(uint64_t)),
	};
	memcpy(side->none, instance->full, words * sizeof(uint64_t));
	predicate_bits_make(&instance->terms, axis, &instance->space, &bits);
	for (size_t i = 1; i < predicates->count; i++)
		for (uint32_t at = bits.first[i]; at < bits.first[i + 1]; at++)
			side_add(instance, side, &predicates->items[i], bits.items[at]);
	predicate_bits_free(&bits);
}

static void side_free(struct side *side)
{
	free(side->none);
	free(side->turned);
}

/* The row of a packet whose address on `side` is in one set, and in none on the other. */
static uint32_t only_row(struct instance *instance, struct rows *rows, const struct side *side,
			 const struct side *other, unsigned set)
{
	const uint64_t *turned = turned_by(instance, side, set);

	for (size_t i = 0; i < rows->words; i++)
		instance->scratch[i] = (side->none[i] ^ turned[i]) & other->none[i];
	return rows_intern_new(rows, instance->scratch);
}

/* Numbers of rows, as they stand in the image as entries. */
struct numbers {
	uint32_t only[SIDES][FW_MAX_LIVE_SETS];
	uint32_t turned[SIDES][FW_MAX_LIVE_SETS];
	uint32_t none[SIDES];
};

static void make_rows(struct instance *instance, const struct side sides[SIDES], struct rows *rows,
		      struct numbers *numbers)
{
	for (int side = 0; side < SIDES; side++) {
		numbers->none[side] = rows_intern_new(rows, sides[side].none);
		for (unsigned set = 0; set < FW_MAX_LIVE_SETS; set++) {
			numbers->only[side][set] =
				only_row(instance, rows, &sides[side], &sides[!side], set);
			numbers->turned[side][set] =
				rows_intern_new(rows, turned_by(instance, &sides[side], set));
		}
	}
}

static void write_set_rows(struct instance *instance, const struct side sides[SIDES])
{
	struct numbers numbers;
	struct fw_set_rows *out;
	uint32_t *entries;
	struct rows rows;

	rows_init(&rows, space_words(&instance->space));
	make_rows(instance, sides, &rows, &numbers);
	entries = instance_write_rows(instance, &rows);
	instance->out.set_rows = writer_add(instance->writer, sizeof(*out), FW_LINE);
	out = writer_at(instance->writer, instance->out.set_rows);
	for (int side = 0; instance->out.set_rows && side < SIDES; side++) {
		out->none[side] = entries[numbers.none[side]];
		for (unsigned set = 0; set < FW_MAX_LIVE_SETS; set++) {
			out->only[side][set] =
				entries[numbers.only[side][set]] ^ instance->out.full_row;
			out->turned[side][set] = entries[numbers.turned[side][set]];
		}
	}
	free(entries);
	rows_free(&rows);
}

void instance_compile_sets(struct instance *instance)
{
	struct side sides[SIDES];

	if (!axis_is_used(&instance->terms, AXIS_SOURCE_SETS) &&
	    !axis_is_used(&instance->terms, AXIS_DESTINATION_SETS))
		return;
	for (int side = 0; side < SIDES; side++) {
		side_make(instance, AXIS_SOURCE_SETS + side, &sides[side]);
		instance->out.sets[side] = sides[side].sets;
	}
	instance->out.features |= FW_USES_SETS;
	instance->in_none = memory_new(space_words(&instance->space), sizeof(uint64_t));
	for (size_t i = 0; i < space_words(&instance->space); i++)
		instance->in_none[i] = sides[0].none[i] & sides[1].none[i];
	write_set_rows(instance, sides);
	for (int side = 0; side < SIDES; side++)
		side_free(&sides[side]);
}
