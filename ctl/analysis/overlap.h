/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which regions of a layer may overlap a box: bit vectors over addresses, ports and kinds. Lists
 * of values count by their first and last, so more may be named than do overlap, never fewer.
 */
#ifndef FWCTL_ANALYSIS_OVERLAP_H
#define FWCTL_ANALYSIS_OVERLAP_H

#include "analysis/space.h"

#define OVERLAP_FIELDS 4 /* the first of enum region_field */
#define OVERLAP_KINDS  64

/* One end of all regions in one field, sorted, and who stands before each `step`th of them. */
struct overlap_ends {
	u128 *values;
	uint32_t *regions;
	uint64_t *before; /* bit vectors */
};

struct overlap {
	size_t count; /* of regions */
	size_t words; /* of a bit vector */
	size_t step;
	struct overlap_ends low[OVERLAP_FIELDS];
	struct overlap_ends high[OVERLAP_FIELDS];
	const uint64_t *kinds[OVERLAP_KINDS]; /* distinct ones */
	uint64_t *of_kinds;		      /* bit vectors */
	size_t kinds_count;
	bool kinds_known; /* false: too many */
	uint64_t *work;
};

void overlap_build(const struct space_family *family, const struct layer *layer,
		   struct overlap *ret_overlap);
void overlap_free(struct overlap *overlap);

/* Sets the bits of the regions that may overlap the box; `bits` has overlap->words words. */
void overlap_find(const struct overlap *overlap, const struct region *box, uint64_t *bits);

#endif
