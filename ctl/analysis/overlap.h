/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which regions of a layer may overlap a box, or have a packet: bit vectors over addresses, ports
 * and kinds. Lists of values count by their first and last, and ends by the next that is indexed,
 * so more may be named than do overlap, never fewer.
 */
#ifndef FWCTL_ANALYSIS_OVERLAP_H
#define FWCTL_ANALYSIS_OVERLAP_H

#include "analysis/space.h"

#define OVERLAP_FIELDS 4 /* the first of enum region_field */
#define OVERLAP_KINDS  64

/* One end of all regions in one field: each `step`th in order, and whose ends come before it. */
struct overlap_ends {
	u128 *values;
	uint64_t *before; /* bit vectors */
};

struct overlap {
	size_t count; /* of regions */
	size_t words; /* of a bit vector */
	size_t step;
	size_t rows; /* of struct overlap_ends */
	struct overlap_ends low[OVERLAP_FIELDS];
	struct overlap_ends high[OVERLAP_FIELDS];
	const uint64_t *kinds[OVERLAP_KINDS]; /* distinct ones */
	uint64_t *of_kinds;		      /* bit vectors */
	size_t kinds_count;
	bool kinds_known; /* false: too many */
	uint64_t *work;	  /* a bit vector */
};

void overlap_build(const struct space_family *family, const struct layer *layer,
		   struct overlap *ret_overlap);
void overlap_free(struct overlap *overlap);

/* Sets the bits of the regions that may overlap the box; `bits` has overlap->words words. */
void overlap_find(const struct overlap *overlap, const struct region *box, uint64_t *bits);

/* The same for one packet. */
void overlap_find_point(const struct overlap *overlap, const struct point *point, uint64_t *bits);

/* The first set bit from `from` on, or overlap->count. */
size_t overlap_next(const struct overlap *overlap, const uint64_t *bits, size_t from);

#endif
