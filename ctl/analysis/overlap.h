/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which regions of a layer may overlap a box, or have a packet: a tree of boxes over addresses,
 * ports and kinds. Lists of values count by their first and last, so more may be named than do
 * overlap, never fewer.
 */
#ifndef FWCTL_ANALYSIS_OVERLAP_H
#define FWCTL_ANALYSIS_OVERLAP_H

#include "analysis/space.h"

#define OVERLAP_FIELDS 4 /* the first of enum region_field */
#define OVERLAP_KINDS  64

/* The values at which some region begins, or has just ended: boxes are told in their numbers. */
struct overlap_ends {
	u128 *values;
	size_t count;
};

struct overlap_box {
	uint32_t low[OVERLAP_FIELDS];
	uint32_t high[OVERLAP_FIELDS];
	uint64_t kinds; /* which of struct overlap `kinds` */
};

/* A node comes before those below it, which end at `next`. */
struct overlap_node {
	struct overlap_box box; /* around all below */
	uint32_t next;
	uint32_t lowest; /* regions */
	uint32_t highest;
	uint32_t first; /* of struct overlap `order` */
	uint32_t count; /* 0: not a leaf */
};

struct overlap {
	size_t count; /* of regions */
	struct overlap_ends ends[OVERLAP_FIELDS];
	const uint64_t *kinds[OVERLAP_KINDS]; /* distinct ones */
	size_t kinds_count;
	bool kinds_known; /* false: too many */
	struct overlap_box *boxes;
	uint32_t *order;
	struct overlap_node *nodes;
	size_t node_count;
};

void overlap_build(const struct space_family *family, const struct layer *layer,
		   struct overlap *ret_overlap);
void overlap_free(struct overlap *overlap);

/* The regions that were found: a bit each, and one for each word of those that is not 0. */
struct overlap_found {
	uint64_t *bits;
	uint64_t *words;
};

void overlap_found_new(size_t regions, struct overlap_found *ret_found);
void overlap_found_free(struct overlap_found *found);

/*
 * Finds those of the regions `from` to before `to` that may overlap the box. Returns what it cost,
 * in comparisons of struct search.
 */
uint64_t overlap_find(const struct overlap *overlap, const struct region *box, size_t from,
		      size_t to, struct overlap_found *found);

/* The same for one packet. */
uint64_t overlap_find_point(const struct overlap *overlap, const struct point *point, size_t from,
			    size_t to, struct overlap_found *found);

/* The first that was found from `from` on, or overlap->count. */
size_t overlap_next(const struct overlap *overlap, const struct overlap_found *found, size_t from);

#endif
