/* SPDX-License-Identifier: GPL-2.0-only */
/* The packet that the search would work on longest. */
#ifndef FWCTL_COMPILER_WORST_H
#define FWCTL_COMPILER_WORST_H

#include <stdbool.h>

#include "compiler/rows.h"

struct worst {
	size_t candidates; /* bits left when the rows of both addresses are ANDed */
	size_t rounds;	   /* those and the words they lie in */
	uint64_t *bits;	   /* which ones; owned */
	bool exact;	   /* false: only a bound, and `bits` are those of one row */
};

/* Over all pairs of rows of the two axes; `words` of each row are looked at. */
void worst_find(const struct rows *source, const struct rows *destination, size_t words,
		struct worst *ret_worst);

#endif
