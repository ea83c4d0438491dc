/* SPDX-License-Identifier: GPL-2.0-only */
/* How long the search can work on one packet, over all packets there can be. */
#ifndef FWCTL_COMPILER_WORST_H
#define FWCTL_COMPILER_WORST_H

#include <stdbool.h>

#include "compiler/rows.h"

#define WORST_AXES 3 /* source, destination, service */

/* What takes a round: a bit, or also to read a word, but the first, which is read beside others. */
enum worst_cost { WORST_BITS, WORST_BITS_AND_WORDS };

struct worst {
	size_t candidates; /* bits that are left when the rows of all axes are ANDed */
	size_t rounds;	   /* at least `enough` */
	uint64_t *bits;	   /* which ones; owned */
	bool exact;	   /* false: the work was given up, and the worst may be worse */
};

/*
 * Looks at `words` of each row. Only what is worse than `enough` rounds is told: that rules can
 * be searched in as many is found out fast.
 */
void worst_find(const struct rows *const axes[WORST_AXES], size_t words, enum worst_cost cost,
		size_t enough, struct worst *ret_worst);

#endif
