/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of packets as products: one list of values per field. A rule is one such region (a few if
 * it names live sets beside addresses), and the packets that an earlier rule leaves over are
 * again regions. This file is the algebra alone; what the values stand for is told by space.h.
 *
 * Which headers a packet has depends on its protocol and on whether it is a fragment, so these
 * two are one field, the kind. Where a kind has no ports, no rule asks for one, and the port
 * fields of its regions are full: every region stays a plain product.
 */
#ifndef FWCTL_ANALYSIS_REGION_H
#define FWCTL_ANALYSIS_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/spans.h"

enum region_field {
	REGION_SOURCE,
	REGION_DESTINATION,
	REGION_SOURCE_PORT,
	REGION_DESTINATION_PORT,
	REGION_FLAGS,
	REGION_ICMP_TYPE,
	REGION_ICMP_CODE,
	REGION_STATE, /* 0 new, 1 established, 2 related */
	REGION_LENGTH,
	REGION_TTL,
	REGION_DSCP,
	REGION_VLAN,
	REGION_ETHERTYPE,
	REGION_SOURCE_MAC,
	REGION_DESTINATION_MAC,
	REGION_INTERFACE, /* a class of names: space.h */
	REGION_FIELDS,
};

/* Yes-or-no questions, a bit each. */
enum region_word {
	REGION_SOURCE_SETS,	 /* is the source in live set n? */
	REGION_DESTINATION_SETS, /* is the destination? */
	REGION_FACTS,		 /* bit 0: has a link-layer header; others: interface patterns */
	REGION_WORDS,
};

#define REGION_FACT_MAC 1ULL

/* A kind of packet: its protocol, and whether it is a fragment after the first. */
#define REGION_KINDS			   512
#define REGION_KIND_WORDS		   (REGION_KINDS / 64)
#define REGION_KIND(protocol, is_fragment) ((protocol) + ((is_fragment) ? 256U : 0U))

struct region {
	const struct spans *field[REGION_FIELDS]; /* NULL: every value, which no list may hold */
	uint64_t kinds[REGION_KIND_WORDS];
	uint64_t one[REGION_WORDS];  /* the answer is yes */
	uint64_t zero[REGION_WORDS]; /* the answer is no */
};

/* One packet in the same terms. */
struct point {
	u128 field[REGION_FIELDS];
	uint64_t words[REGION_WORDS];
	uint32_t kind;
};

/*
 * Memory for the pieces of a search: taken and given back like a stack, bounded. Pages that are
 * not used cost nothing.
 */
struct scratch {
	char *bytes;
	size_t size;
	size_t used;
};

int scratch_new(size_t size, struct scratch *ret_scratch);

/* What a search over so many regions, whose longest lists hold so many ranges, may ask for. */
static inline size_t scratch_size(size_t regions, size_t ranges)
{
	size_t size = (4UL << 20) + regions * 16384 + ranges * 16 * sizeof(struct span);

	return size < (256UL << 20) ? size : 256UL << 20;
}

void scratch_free(struct scratch *scratch);
void *scratch_alloc(struct scratch *scratch, size_t size); /* NULL: full */

static inline bool region_has_kind(const struct region *region, unsigned kind)
{
	return region->kinds[kind / 64] >> (kind % 64) & 1;
}

static inline void region_add_kind(struct region *region, unsigned kind)
{
	region->kinds[kind / 64] |= 1ULL << (kind % 64);
}

bool region_has_point(const struct region *region, const struct point *point);

enum {
	REGION_DISJOINT = 0,
	REGION_COVERED = 1, /* `box` lies wholly in `other` */
};

/*
 * How `box` lies to `other`: REGION_DISJOINT, REGION_COVERED, or 1 + the number of pieces that
 * carving `other` out of `box` leaves. Adds to *work what it cost.
 */
unsigned region_relate(const struct region *box, const struct region *other, uint64_t *work);

/*
 * About how much of the box `other` takes, from 0 to 1, if they meet. Exact for single ranges; a
 * guess that tells where to look first, never what is so.
 */
double region_share(const struct region *box, const struct region *other,
		    const struct spans *const *full);

/*
 * Carves `other` out of a box that meets it, one disjoint piece at a time. In the end `rest` is
 * the common part. `full` holds all values of each field.
 */
struct carve {
	struct region rest;
	const struct region *other;
	const struct spans *const *full;
	unsigned step;
};

void carve_start(struct carve *carve, const struct region *box, const struct region *other,
		 const struct spans *const *full);

/*
 * 1 and a piece; 0: there is no more; -ENOSPC: the scratch is full. The piece's memory may be
 * given back by scratch->used = *ret_mark; that of `rest` lies before.
 */
int carve_next(struct carve *carve, struct scratch *scratch, struct region *ret_piece,
	       size_t *ret_mark);

/* The packets that are in both; false if there are none, or the scratch is full. */
bool region_intersect(const struct region *a, const struct region *b, struct scratch *scratch,
		      struct region *ret_common);

#endif
