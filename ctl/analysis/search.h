/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The question behind lint and diff: is there a packet in this box of which the first candidate
 * that has it, in order, is one that we look for? Answered exactly, by carving candidates out of
 * the box until a piece is found or nothing is left, within a bound of work and memory.
 */
#ifndef FWCTL_ANALYSIS_SEARCH_H
#define FWCTL_ANALYSIS_SEARCH_H

#include "analysis/region.h"

enum search_role {
	SEARCH_TAKES, /* its packets are not what we look for */
	SEARCH_HITS,  /* its packets are */
};

struct candidate {
	const struct region *region;
	uint32_t rule;
	uint8_t role; /* enum search_role */
};

enum search_result {
	SEARCH_NOTHING,	  /* there is no such packet (or none at which `found` said stop) */
	SEARCH_FOUND,	  /* `found` said stop */
	SEARCH_UNDECIDED, /* it would have taken too long, or too much memory */
};

struct search {
	const struct spans *const *full; /* of the family */
	struct scratch *scratch;
	uint64_t work;	/* done so far; the caller may read it and set it to 0 */
	uint64_t limit; /* of work */
	bool end_hits;	/* packets that no candidate has are what we look for */
	/*
	 * Called with a part of the box, all of which is decided by `hit`, or by no candidate if
	 * NULL. The region is good for the call only. True stops the search; after false it goes
	 * on with what `hit` leaves.
	 */
	bool (*found)(void *context, const struct candidate *hit, const struct region *region);
	void *context;
	/* If not NULL: search_taken[rule] is set for SEARCH_TAKES rules that took something. */
	bool *taken;
	uint64_t random; /* for the search alone */
};

/* `candidates` are in the order of their rules. */
enum search_result search_run(struct search *search, const struct region *box,
			      const struct candidate *candidates, size_t count);

#endif
