/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pieces in groups and their hash tables: the form of the classifier for many rules. A key that
 * has more records than a bucket holds goes on in another group, which its own rows prune.
 */
#ifndef FWCTL_COMPILER_GROUPS_H
#define FWCTL_COMPILER_GROUPS_H

#include "compiler/pieces.h"
#include "compiler/writer.h"

struct group_key {
	uint32_t base;
	uint32_t share;
	uint8_t bits[2]; /* of ports, as in struct piece */
	uint8_t spilled; /* pieces that found no room in the table */
	uint8_t pad;
};

struct group {
	struct group_key key;
	uint32_t best; /* lowest term */
	uint32_t best_rule;
	uint32_t bit;
	uint32_t *pieces; /* in the order of the rules */
	size_t count;
	size_t capacity;
	uint64_t seed;
	uint32_t *place; /* by piece: its bucket */
	size_t buckets;
};

struct groups {
	enum fw_family family;
	struct pieces pieces;
	struct group *items; /* by bit */
	size_t count;
	size_t capacity;
	size_t longest_chain; /* records of one key */
};

/* What can go wrong: too many groups or pieces. */
enum groups_error {
	GROUPS_FIT,
	GROUPS_TOO_MANY,
	GROUPS_TOO_MANY_PIECES,
};

/* Whatever it returns, `ret_groups` is to be freed. */
enum groups_error groups_make(const struct terms *terms, enum merging merging,
			      struct groups *ret_groups);
void groups_free(struct groups *groups);

/* Makes the terms that decide one for each piece, with its group's bit, in the order of bits. */
void groups_replace_terms(const struct groups *groups, struct terms *terms);

/* Returns what struct fw_instance has as `groups`; 0 if the image is full. */
uint32_t groups_write(const struct groups *groups, const struct terms *terms, uint32_t first_record,
		      struct writer *writer);

#endif
