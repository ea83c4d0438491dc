/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds out which conditions are the same, and what the small ones hold for. */
#ifndef FWCTL_COMPILER_PREDICATES_H
#define FWCTL_COMPILER_PREDICATES_H

#include "compiler/terms.h"

struct axis_values;

void predicates_init(struct predicates *predicates);
void predicates_free(struct predicates *predicates);

/* The number of a predicate: an old one if it says the same of all packets of a family. */
uint32_t predicates_intern(struct predicates *predicates, const struct predicate *predicate);

/* Does the list ask for anything static? */
bool list_has_static(const struct address_list *list, enum fw_family family);
uint64_t list_live_sets(const struct address_list *list);

/* Is a value in the ranges of a match? Does not ask whether it is negated. */
bool ranges_hold(const struct match *match, uint64_t value);

/*
 * Does it hold for a value of an axis whose values are few? Of an interface axis, `value` is
 * 1 + the index of a link, or 0.
 */
bool predicate_holds(const struct predicate *predicate, uint32_t value,
		     const struct axis_values *values);

#endif
