/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Terms cut into pieces that a hash table can hold: one prefix a side, one range a port. What can
 * not be cut into few pieces (a large set, a negation) stays what it is and tells groups apart.
 */
#ifndef FWCTL_COMPILER_PIECES_H
#define FWCTL_COMPILER_PIECES_H

#include "compiler/terms.h"

/* What pieces have in common. */
enum part_kind {
	PART_ANY,
	PART_EXACT,  /* a prefix of one length; one port; one protocol */
	PART_RANGE,  /* of ports: the record holds it */
	PART_MIXED,  /* any of these, of ports */
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

/*
 * What a hash table can not tell apart. A packet without ports looks as if both were 0, so in what
 * is mixed, ranges from 0 on that are not all ports keep apart: the rows know the difference.
 */
struct base {
	uint32_t small;		/* number of the combination of small predicates */
	uint32_t detail[PARTS]; /* EXACT: prefix length; SHARED: predicate; MIXED: from 0 on? */
	uint8_t kind[PARTS];
	uint8_t pad[3];
};

#define PIECES_MAX (1U << 21) /* of all rules: bounds memory at 128 MB */

#define PIECE_DROPPED UINT32_MAX /* as `share`: another piece always matches before it */

struct piece {
	uint32_t term;
	uint32_t base;
	uint32_t share;	       /* which of several tables with the same base and port bits */
	uint8_t bits[2];       /* how many of a port, from the top, are part of the key */
	uint8_t cut[2];	       /* is the range only a part of the term's? */
	uint64_t addresses[4]; /* masked, as in struct fw_group `masks` */
	uint16_t ports[4];
	uint32_t group;
	uint8_t protocol;
};

struct pieces {
	struct piece *items;
	size_t count;
	size_t capacity;
	struct base *bases;
	size_t base_count;
	size_t base_capacity;
};

enum merging {
	MERGE_FEW,
	MERGE_ALL,
};

/* In the order of the terms, which is that of the rules. False if they are too many. */
bool pieces_make(const struct terms *terms, enum merging merging, struct pieces *ret_pieces);
void pieces_free(struct pieces *pieces);

#endif
