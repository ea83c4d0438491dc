/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of numbers as sorted lists of ranges: disjoint, merged where they touch, of up to 128 bits
 * so that one algebra serves addresses of both families, ports, and all other fields. Lists are
 * shared and never changed; results go into memory of the caller.
 */
#ifndef FWCTL_ANALYSIS_SPANS_H
#define FWCTL_ANALYSIS_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned __int128 u128;

/* Inclusive. */
struct span {
	u128 low;
	u128 high;
};

struct spans {
	const struct span *items;
	size_t count; /* never 0: an empty set is told by the functions that could make one */
};

bool spans_contain(const struct spans *spans, u128 value);

/* Do they have a value in common? Costs the shorter list times the logarithm of the longer. */
bool spans_meet(const struct spans *a, const struct spans *b);

/* Does `outer` hold all of `inner`? Costs the inner list times the logarithm of the outer. */
bool spans_within(const struct spans *inner, const struct spans *outer);

bool spans_equal(const struct spans *a, const struct spans *b);

/*
 * The common part, and what is in `a` alone. `out` has room for a->count + b->count items; the
 * number written is returned, 0 if the result is empty.
 */
size_t spans_intersect(const struct spans *a, const struct spans *b, struct span *out);
size_t spans_subtract(const struct spans *a, const struct spans *b, struct span *out);

/* Sorts and merges `items` in place; returns how many are left. */
size_t spans_normalise(struct span *items, size_t count);

#endif
