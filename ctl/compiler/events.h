/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where along an axis something begins or ends to hold. An atom is a list of ranges that stands
 * behind one or more predicates: a static set, or the literal elements of one list.
 */
#ifndef FWCTL_COMPILER_EVENTS_H
#define FWCTL_COMPILER_EVENTS_H

#include "compiler/terms.h"

struct event {
	uint64_t high; /* the key, at the top of 128 bits */
	uint64_t low;
	uint32_t atom;
	int32_t change; /* +1: ranges of the atom begin here; -1: they ended before */
};

struct events {
	struct event *items;
	size_t count;
	size_t capacity;
};

/* Atom to predicates: those of atom n are users[first[n]] to users[first[n + 1] - 1]. */
struct atoms {
	uint32_t *first;
	uint32_t *users;
	size_t count;
};

static inline bool event_is_before(const struct event *a, const struct event *b)
{
	return a->high < b->high || (a->high == b->high && a->low < b->low);
}

/* All events of an axis, sorted. */
void events_make(const struct terms *terms, enum axis axis, struct events *ret_events,
		 struct atoms *ret_atoms);

/* Sorts; fast where the items are long sorted runs, as ranges and sets are. */
void events_sort(struct events *events);

#endif
