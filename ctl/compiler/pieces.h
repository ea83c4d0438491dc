/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Terms cut into pieces that a hash table can hold: one prefix a side, one range a port. What can
 * not be cut into few pieces (a large set, a negation) stays what it is and tells groups apart.
 */
#ifndef FWCTL_COMPILER_PIECES_H
#define FWCTL_COMPILER_PIECES_H

#include "compiler/terms.h"

/* What the rules of a group share. */
enum part_kind {
	PART_ANY,
	PART_EXACT,  /* a prefix of one length; one port; one protocol */
	PART_RANGE,  /* of ports: the record holds it */
	PART_SHARED, /* one predicate, which the rows decide wholly */
};

enum part {
	PART_SOURCE,
	PART_DESTINATION,
	PART_SOURCE_PORT,
	PART_DESTINATION_PORT,
	PART_PROTOCOL,
	PARTS,
};

struct group_key {
	uint32_t small;		/* number of the combination of small predicates */
	uint32_t share;		/* the group is one of several with the rest the same */
	uint32_t detail[PARTS]; /* PART_EXACT: prefix length; PART_SHARED: predicate */
	uint8_t kind[PARTS];
	uint8_t pad[3];
};

struct piece {
	uint32_t term;
	uint32_t group;
	uint64_t addresses[4]; /* masked, as in struct fw_group `masks` */
	uint16_t ports[4];
	uint8_t protocol;
	struct group_key key;
};

struct pieces {
	struct piece *items;
	size_t count;
	size_t capacity;
};

/* In the order of the terms, which is that of the rules. */
void pieces_make(const struct terms *terms, struct pieces *ret_pieces);

#endif
