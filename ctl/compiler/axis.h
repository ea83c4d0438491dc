/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One axis of one instance: which values do the rules treat alike? Values for which the same
 * predicates hold lead to one row of bits, and rows that are equal are one class.
 */
#ifndef FWCTL_COMPILER_AXIS_H
#define FWCTL_COMPILER_AXIS_H

#include "compiler/rows.h"
#include "compiler/terms.h"

/* The bits of a row: terms (or groups of terms) that decide, then those that count. */
struct space {
	size_t words;
	size_t counted_words;
};

static inline size_t space_words(const struct space *space)
{
	return space->words + space->counted_words;
}

/* Bits by predicate: those of predicate n are items[first[n]] to items[first[n + 1] - 1]. */
struct predicate_bits {
	uint32_t *first;
	uint32_t *items;
	size_t predicate_count;
	size_t bit_count;
};

void predicate_bits_make(const struct terms *terms, enum axis axis, const struct space *space,
			 struct predicate_bits *ret_bits);
void predicate_bits_free(struct predicate_bits *bits);

/* A row that is changed predicate by predicate, with a hash that follows. */
struct row_cursor {
	const struct predicate_bits *bits;
	uint64_t *row;
	uint32_t *uses; /* by bit: predicates that hold and have it */
	uint64_t hash;
};

/* Begins with the bits of "any" only. */
void row_cursor_init(struct row_cursor *cursor, const struct predicate_bits *bits, size_t words);
void row_cursor_free(struct row_cursor *cursor);
void row_cursor_toggle(struct row_cursor *cursor, uint32_t predicate, bool holds);

/* Keys stand at the top of 128 bits, as in struct fw_key. A class holds up to the next start. */
struct interval {
	uint64_t high;
	uint64_t low;
	uint32_t class;
};

struct axis_classes {
	struct rows rows;	    /* class 0: no predicate but "any" holds */
	struct interval *intervals; /* of the axes that are trees; the first starts at 0 */
	size_t interval_count;
	uint32_t *class_of; /* of the others: by value */
	size_t value_count;
};

/* The values of an axis that has few: 0 to count - 1; of interfaces, places in `links`. */
struct axis_values {
	const struct link *links; /* or NULL */
	size_t count;
	enum fw_hook hook;
};

void axis_classify_values(const struct terms *terms, enum axis axis, const struct space *space,
			  struct axis_values values, struct axis_classes *ret_classes);

/* All others. */
void axis_classify_ranges(const struct terms *terms, enum axis axis, const struct space *space,
			  struct axis_classes *ret_classes);
void axis_classes_free(struct axis_classes *classes);

#endif
