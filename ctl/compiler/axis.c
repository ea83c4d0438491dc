/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows by predicates, and the axes whose values are few. */
#include "compiler/axis.h"

#include <string.h>

#include "base/memory.h"
#include "compiler/hash.h"
#include "compiler/predicates.h"

/* Calls of a counting sort: once to count, once to place. */
static void bits_visit(const struct terms *terms, enum axis axis, const struct space *space,
		       struct predicate_bits *bits, uint32_t *next)
{
	for (size_t i = 0; i < terms->count + terms->counted_count; i++) {
		bool counted = i >= terms->count;
		const struct term *term =
			counted ? &terms->counted[i - terms->count] : &terms->items[i];
		uint32_t bit = term->bit + (counted ? space->words * 64 : 0);
		uint32_t predicate = term->predicate[axis];

		if (next)
			bits->items[next[predicate]++] = bit;
		else
			bits->first[predicate + 1]++;
	}
}

/* Terms of one group have one bit, and stand together: each bit stays once in its predicate. */
static void bits_make_unique(struct predicate_bits *bits)
{
	uint32_t written = 0;

	for (size_t i = 0; i < bits->predicate_count; i++) {
		uint32_t begin = bits->first[i], end = bits->first[i + 1], last = UINT32_MAX;

		bits->first[i] = written;
		for (uint32_t at = begin; at < end; at++) {
			if (bits->items[at] != last)
				bits->items[written++] = bits->items[at];
			last = bits->items[written - 1];
		}
	}
	bits->first[bits->predicate_count] = written;
}

void predicate_bits_make(const struct terms *terms, enum axis axis, const struct space *space,
			 struct predicate_bits *ret_bits)
{
	size_t count = terms->predicates[axis].count;
	struct predicate_bits bits = {
		.first = memory_new(count + 1, sizeof(uint32_t)),
		.items = memory_new(terms->count + terms->counted_count, sizeof(uint32_t)),
		.predicate_count = count,
		.bit_count = space_words(space) * 64,
	};
	uint32_t *next = memory_new(count + 1, sizeof(uint32_t));

	bits_visit(terms, axis, space, &bits, NULL);
	for (size_t i = 0; i < count; i++)
		bits.first[i + 1] += bits.first[i];
	memcpy(next, bits.first, (count + 1) * sizeof(uint32_t));
	bits_visit(terms, axis, space, &bits, next);
	free(next);
	bits_make_unique(&bits);
	*ret_bits = bits;
}

void predicate_bits_free(struct predicate_bits *bits)
{
	free(bits->first);
	free(bits->items);
	*bits = (struct predicate_bits){ 0 };
}

void row_cursor_init(struct row_cursor *cursor, const struct predicate_bits *bits, size_t words)
{
	*cursor = (struct row_cursor){
		.bits = bits,
		.row = memory_new(words, sizeof(uint64_t)),
		.uses = memory_new(bits->bit_count, sizeof(uint32_t)),
	};
	row_cursor_toggle(cursor, 0, true);
}

void row_cursor_free(struct row_cursor *cursor)
{
	free(cursor->row);
	free(cursor->uses);
	*cursor = (struct row_cursor){ 0 };
}

void row_cursor_toggle(struct row_cursor *cursor, uint32_t predicate, bool holds)
{
	const struct predicate_bits *bits = cursor->bits;

	for (uint32_t i = bits->first[predicate]; i < bits->first[predicate + 1]; i++) {
		uint32_t bit = bits->items[i];

		if (holds ? cursor->uses[bit]++ : --cursor->uses[bit])
			continue;
		if (holds)
			bit_set(cursor->row, bit);
		else
			bit_clear(cursor->row, bit);
		cursor->hash ^= hash_mix(bit + 1);
	}
}

void axis_classify_values(const struct terms *terms, enum axis axis, const struct space *space,
			  struct axis_values values, struct axis_classes *ret_classes)
{
	const struct predicates *predicates = &terms->predicates[axis];
	struct axis_classes classes = {
		.class_of = memory_new(values.count, sizeof(uint32_t)),
		.value_count = values.count,
	};
	struct predicate_bits bits;
	struct row_cursor cursor;

	predicate_bits_make(terms, axis, space, &bits);
	rows_init(&classes.rows, space_words(space));
	row_cursor_init(&cursor, &bits, space_words(space));
	rows_intern(&classes.rows, cursor.row, cursor.hash);
	for (size_t value = 0; value < values.count; value++) {
		for (uint32_t i = 1; i < predicates->count; i++)
			if (predicate_holds(&predicates->items[i], value, &values))
				row_cursor_toggle(&cursor, i, true);
		classes.class_of[value] = rows_intern(&classes.rows, cursor.row, cursor.hash);
		for (uint32_t i = 1; i < predicates->count; i++)
			if (predicate_holds(&predicates->items[i], value, &values))
				row_cursor_toggle(&cursor, i, false);
	}
	row_cursor_free(&cursor);
	predicate_bits_free(&bits);
	*ret_classes = classes;
}

void axis_classes_free(struct axis_classes *classes)
{
	rows_free(&classes->rows);
	free(classes->intervals);
	free(classes->class_of);
	*classes = (struct axis_classes){ 0 };
}
